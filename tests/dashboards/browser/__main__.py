"""The built-in page in a real browser: `python -m tests.dashboards.browser`; part of `make test-all`.

Finds Chromium (or installs Debian's, as root), fetches axe-core from npm into the cache once, and runs the tests of this folder with both.
Says by name what is missing where that cannot be done.
"""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Final

from spanledger_collector.prices.cache import cache_folder

AXE: Final = "axe-core@4.14.1"
PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str | None:
    """Return the program, installed from Debian if that can be done; None if there is none."""
    found = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    if found is None and shutil.which("apt-get") and os.geteuid() == 0:
        quietly = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
            subprocess.run(["apt-get", "-qq", *command], env=quietly, stdout=subprocess.DEVNULL, check=False)
        found = shutil.which("chromium")
    return found


def axe() -> Path | None:
    """Return the file of axe-core, fetched with npm once; None where there is no npm."""
    folder = cache_folder() / AXE
    file = folder / "package" / "axe.min.js"
    if file.is_file():
        return file
    if not shutil.which("npm"):
        return None
    folder.mkdir(parents=True, exist_ok=True)
    command = ["npm", "pack", "--silent", "--pack-destination", str(folder), AXE]
    if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
        return None
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(folder, filter="data")
    return file


def main() -> int:
    program = chromium()
    if program is None:
        sys.stdout.write("The built-in page was NOT tested: there is no Chromium (`apt-get install chromium`).\n")
        return 0
    found = axe()
    if found is None:
        sys.stdout.write("Its accessibility was NOT tested: axe-core comes from npm, which is not here.\n")
    environment = {**os.environ, "CHROMIUM_BINARY": program, "AXE_FILE": str(found or "")}
    folder = Path(__file__).parent
    command = [sys.executable, "-m", "pytest", "--durations=10", *sys.argv[1:], str(folder)]
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
