"""Starts a server, sends it requests from many threads, and stops it by SIGTERM: `server_driver.py 12 gunicorn ...`."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.request import urlopen

STOPS_IN_SECONDS_MAX = 30


def requests_to(line: str, count: int) -> bool:
    """Send the requests if a line of the server says where it listens; return whether it does."""
    address = re.search(r"http://127\.0\.0\.1:\d+", line)
    if address is None:
        return False
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda number: urlopen(f"{address[0]}/{number}").read(), range(count)))  # noqa: S310 - this machine
    return True


def jobs_to(line: str, count: int) -> bool:
    """Queue the jobs when the worker is ready; return whether it was."""
    if "ready" not in line:
        return False
    from celery_app import call  # type: ignore[import-not-found] # beside this program

    for result in [call.delay(number) for number in range(count)]:
        result.get(timeout=STOPS_IN_SECONDS_MAX)
    return True


def main(count: int, module: str, *arguments: str) -> int:
    """Return 0 when the server was reached and ended by itself."""
    server = subprocess.Popen([sys.executable, "-m", module, *arguments], stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    work = jobs_to if module == "celery" else requests_to
    said = []
    try:
        for line in server.stderr:
            said.append(line)
            if work(line, count):
                server.send_signal(signal.SIGTERM)
                rest = server.communicate(timeout=STOPS_IN_SECONDS_MAX)[1]
                break
        else:
            sys.exit("".join(said))
    finally:
        server.kill()
    if "Traceback" in rest:
        sys.exit(rest)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), *sys.argv[2:]))
