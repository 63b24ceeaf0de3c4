"""The real Alertmanager: Debian's package, in the cache. `python -m tests.collector.alerting.alertmanager` prints where it is.

It is unpacked, not installed: that needs no root, and starts no service. Debian's build reads its templates from a folder that only an
installation fills; in the copy that name is one of the same length that leads to the folder in which the program is started.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import requests

from spanledger_collector.prices.cache import cache_folder

__all__ = ["PACKAGE", "Alertmanager", "free_port", "install"]

PACKAGE: Final = "prometheus-alertmanager"
_NONE: Final = 3
_INSTALLED: Final = b"/usr/share/prometheus/alertmanager"
_UNPACKED: Final = b"/proc/self/cwd/./././/alertmanager"
_SECONDS: Final = 90.0


def install() -> Path | None:
    """Return the program: of this machine, of the cache, or fetched from Debian now; None where there is none to have."""
    if own := shutil.which(PACKAGE):
        return Path(own)
    folder = cache_folder() / "alertmanager"
    program = folder / "usr" / "bin" / PACKAGE
    if program.exists():
        return program
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        return None
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        if not _fetch(scratch) and not (_quiet(["apt-get", "update"], scratch) and _fetch(scratch)):
            return None
        (package,) = Path(scratch).glob("*.deb")
        if not _quiet(["dpkg-deb", "-x", str(package), scratch], scratch):
            return None
        original = Path(scratch, "usr", "bin", PACKAGE)
        original.write_bytes(original.read_bytes().replace(_INSTALLED, _UNPACKED))
        shutil.copytree(Path(scratch, "usr"), folder / "usr", dirs_exist_ok=True)
    return program


def _fetch(folder: str) -> bool:
    return _quiet(["apt-get", "download", PACKAGE], folder)


def _quiet(command: list[str], folder: str) -> bool:
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Alertmanager:
    """A running Alertmanager with a configuration, on a port that stays its own when it is stopped and started again."""

    def __init__(self, program: Path, folder: Path, configuration: str) -> None:
        self._program, self._folder = program, folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "alertmanager.yml").write_text(configuration, "utf-8")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    str(self._program),
                    f"--config.file={self._folder / 'alertmanager.yml'}",
                    f"--storage.path={self._folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                    "--cluster.listen-address=",
                ],
                cwd=share if (share := self._program.parents[1] / "share" / "prometheus").is_dir() else None,
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + _SECONDS
        while not self._is_ready():
            assert self._process.poll() is None, (self._folder / "log").read_text()
            assert time.monotonic() < end, "Alertmanager does not start"
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(_SECONDS)
            self._process = None

    def alerts(self, **labels: str) -> list[dict[str, Any]]:
        """Return what fires, as it knows it: with these labels."""
        answer = requests.get(f"{self.url}/api/v2/alerts", timeout=5)
        answer.raise_for_status()
        return [alert for alert in answer.json() if labels.items() <= alert["labels"].items()]

    def groups(self) -> list[dict[str, Any]]:
        answer = requests.get(f"{self.url}/api/v2/alerts/groups", timeout=5)
        answer.raise_for_status()
        return list(answer.json())

    def _is_ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/-/ready", timeout=1).ok
        except requests.RequestException:
            return False


def _main() -> int:
    program = install()
    if program is None:
        sys.stderr.write(
            f"Alertmanager is NOT tested: there is no {PACKAGE} here, and apt-get cannot fetch it. Install it, into a folder of PATH.\n"
        )
        return _NONE
    sys.stdout.write(f"{program}{os.linesep}")
    return 0


if __name__ == "__main__":
    sys.exit(_main())
