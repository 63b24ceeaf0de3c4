"""Runs the command line as a user does: as a process of its own."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Ended", "Up", "environment", "python", "spanledger", "up"]

_ANY_PORTS = ("--otlp-http-port", "0", "--otlp-grpc-port", "0", "--clickhouse-port", "0")
_START_SECONDS = 180
_FOREIGN = ("SPANLEDGER_", "OTEL_", "OPENAI_", "ANTHROPIC_", "XDG_", "COLUMNS", "NO_COLOR", "HTTP_PROXY")


@dataclass(frozen=True)
class Ended:
    """What a process left behind."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """What it said on standard error: checked to be one line for people, and nothing on standard output."""
        assert self.out == "", self.out
        assert self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.err
        return self.err.strip()


@dataclass(frozen=True)
class Up:
    """A running `spanledger up`."""

    process: subprocess.Popen[str]
    store: Path
    otlp_http_url: str
    otlp_grpc_url: str
    clickhouse_url: str

    def stop(self, number: int = signal.SIGTERM) -> Ended:
        """Send a signal and return how it ended."""
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=300)
        return Ended(self.process.returncode, "", err)


def environment(**variables: str) -> dict[str, str]:
    """Return this process's environment without what would lead a command elsewhere."""
    inherited = {name: value for name, value in os.environ.items() if not name.upper().startswith(_FOREIGN)}
    return {**inherited, **variables}


def spanledger(*arguments: object, **variables: str) -> Ended:
    """Run a command to its end."""
    return python("-m", "spanledger_collector", *arguments, **variables)


def python(*arguments: object, **variables: str) -> Ended:
    """Run a Python program to its end."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        timeout=300,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@contextmanager
def up(store: Path, **variables: str) -> Iterator[Up]:
    """Run `spanledger up` on free ports until the block ends."""
    command = [sys.executable, "-m", "spanledger_collector", "up", "--store", str(store), *_ANY_PORTS]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment(**variables)) as process:
        try:
            yield Up(process, store, **_urls(process))
        finally:
            process.kill()


def _urls(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Read what it prints until all is said."""
    said = ""
    end = time.monotonic() + _START_SECONDS
    assert process.stderr
    while "Ctrl-C" not in said and time.monotonic() < end:
        line = process.stderr.readline()
        assert line, f"spanledger up ended: {said}"
        said += line
    found = dict(re.findall(r"^  (\S+) .*(http://\S+)", said, re.MULTILINE))
    return {
        "otlp_http_url": found["OTLP/HTTP"],
        "otlp_grpc_url": found["OTLP/gRPC"],
        "clickhouse_url": found["queries"],
    }
