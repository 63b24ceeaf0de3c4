"""Environments of their own for clients and servers, and programs that run in them between a vendor and a ledger."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import threading
import tomllib
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spanledger_collector.demo.vendor import VendorServer
from tests.instrumentation.conftest import LedgerServer

if TYPE_CHECKING:
    from spanledger_collector.demo.bill import BillEntry
    from spanledger_collector.demo.wire import Request
    from tests.instrumentation.conftest import ReceivedSpan

ROOT = Path(__file__).parents[2]
_making = threading.Lock()  # of one environment at a time: the package is built in its own folder


def cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "spanledger" / "clients"


def python_of(extras: str, packages: tuple[str, ...]) -> Path:
    """Return the interpreter of an environment, which is made when it is missing or the package's needs have changed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extra_needs = [project["optional-dependencies"][extra] for extra in extras.split(",") if extra]
    needs = (project["dependencies"], extra_needs)
    key = hashlib.sha256(repr((sys.version, packages, needs)).encode()).hexdigest()[:16]
    folder = cache() / key
    python = folder / "bin" / "python"
    with _making:
        if not (folder / ".done").exists():
            venv.create(folder, with_pip=True, clear=True)
            pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, f"{ROOT}[{extras}]" if extras else str(ROOT), *packages], check=True)
            subprocess.run(
                [*pip[:3], "uninstall", "--quiet", "--yes", "spanledger"], check=True
            )  # run from the checkout
            (folder / ".done").touch()
    return python


@dataclass(frozen=True)
class Run:
    """What a program sent: to the ledger's endpoint, and to the vendor, who billed it."""

    raw: bytes
    spans: list[ReceivedSpan]
    requests: list[Request]
    bill: list[BillEntry]


def spans_of(python: Path, *command: str, **variables: str) -> tuple[list[ReceivedSpan], list[BillEntry]]:
    """Run a program in an environment; return what reached the ledger and what the vendor billed."""
    done = run(python, *command, **variables)
    return done.spans, done.bill


def run(python: Path, *command: str, **variables: str) -> Run:
    """Run a program in an environment. Raises AssertionError when it fails, or says something and nothing was set."""
    ledger = LedgerServer()
    with VendorServer() as vendor, tempfile.TemporaryDirectory() as home:
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "PYTHONPATH": str(ROOT / "instrumentation"),
            "OPENAI_API_KEY": "k",
            "ANTHROPIC_API_KEY": "k",
            "OPENAI_BASE_URL": f"{vendor.url}/v1",
            "OPENAI_API_BASE": f"{vendor.url}/v1",
            "ANTHROPIC_BASE_URL": vendor.url,
            "SPANLEDGER_OTLP_ENDPOINT": ledger.url,
            "OPENAI_AGENTS_DISABLE_TRACING": "1",
            **variables,
        }
        done = subprocess.run(
            [str(python), *command], env=environ, cwd=home, capture_output=True, text=True, check=False
        )
        bill = vendor.bill
    ledger.stop()
    if done.returncode or (done.stderr and not variables):
        raise AssertionError(done.stderr)
    return Run(ledger.raw, ledger.spans, vendor.requests, bill)
