"""Real servers that fork and that are stopped by a signal: each call arrives once, under a place of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.instrumentation.environments import python_of, run

if TYPE_CHECKING:
    from tests.instrumentation.conftest import ReceivedSpan

__all__ = ["PROGRAMS", "problems_of"]

DRIVER = Path(__file__).with_name("server_driver.py")
CALLS = 12
CLIENT = "openai>=3,<4"
GUNICORN = ("gunicorn", "--bind", "127.0.0.1:0", "--no-control-socket", "--workers", "3", "--chdir", str(DRIVER.parent))
# Name -> what to install, the module and arguments that start the server, processes that must have served.
PROGRAMS: dict[str, tuple[tuple[str, ...], tuple[str, ...], int]] = {
    "gunicorn": (("gunicorn", CLIENT), (*GUNICORN, "server_app:wsgi"), 2),
    "gunicorn, loaded before the fork": (("gunicorn", CLIENT), (*GUNICORN, "--preload", "server_app:wsgi"), 2),
    "uvicorn": (
        ("uvicorn", CLIENT),
        ("uvicorn", "--port", "0", "--app-dir", str(DRIVER.parent), "server_app:app"),
        1,
    ),
    "celery": (
        ("celery", CLIENT),
        (
            "celery",
            "--workdir",
            str(DRIVER.parent),
            "-A",
            "celery_app",
            "worker",
            "--concurrency",
            "2",
            "--loglevel",
            "info",
        ),
        1,
    ),
}


def problems_of(name: str) -> list[str]:
    """Return which calls did not arrive, or not once, from a server that was stopped by SIGTERM."""
    packages, arguments, processes_min = PROGRAMS[name]
    try:
        done = run(python_of("openai", packages), str(DRIVER), str(CALLS), *arguments, SPANLEDGER_SERVICE="server")
    except (AssertionError, subprocess.CalledProcessError) as error:
        return [str(error)]
    return differences(done.spans, processes_min)


def differences(spans: list[ReceivedSpan], processes_min: int) -> list[str]:
    """Return where the spans differ from one of each call, with numbers from 1 on in each process."""
    found = []
    features = sorted(span.attributes.get("spanledger.feature", "") for span in spans)
    if features != sorted(f"/{number}" for number in range(CALLS)):
        found.append(f"{CALLS} calls, and spans of {features}")
    numbers: dict[str, list[int]] = {}
    for span in spans:
        numbers.setdefault(span.resource["service.instance.id"], []).append(span.attributes["spanledger.sequence"])
    if len(numbers) < processes_min:
        found.append(f"{len(numbers)} processes served, not {processes_min}: nothing is shown")
    found += [f"gaps in {each}" for each in numbers.values() if sorted(each) != list(range(1, len(each) + 1))]
    return found
