"""SIGTERM, by which orchestrators stop a process: what is queued is delivered, and the process ends as it would have."""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.instrumentation.test_delivery import Endpoint, refused_url, until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from spanledger_collector.demo.vendor import VendorServer
    from tests.instrumentation.conftest import LedgerServer

    RunApp = Callable[..., subprocess.CompletedProcess[str]]

PROGRAM = """
import os, signal, sys, threading
{before}
import openai, spanledger
spanledger.instrument()
{after}
with openai.OpenAI() as client:
    client.chat.completions.create(model="gpt-5-mini", messages=[{{"role": "user", "content": "hi"}}])
with threading.Lock():
    os.kill(os.getpid(), signal.SIGTERM)
signal.pause()
"""
OWN = "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))"
LIKE_UVICORN = """
ours = signal.signal(signal.SIGTERM, lambda *_: None)
os.kill(os.getpid(), signal.SIGTERM)
signal.signal(signal.SIGTERM, ours)
"""


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [("", "", -signal.SIGTERM), (OWN, "", 7), ("", OWN, 7), ("", LIKE_UVICORN, -signal.SIGTERM)],
    ids=["no handler", "a handler before", "a handler after", "a handler that puts back what was there"],
)
def test_what_is_queued_is_delivered(
    before: str, after: str, code: int, run_app: RunApp, vendor: VendorServer, ledger: LedgerServer
) -> None:
    done = run_app(
        PROGRAM.format(before=before, after=after),
        OPENAI_BASE_URL=f"{vendor.url}/v1",
        SPANLEDGER_OTLP_ENDPOINT=ledger.url,
        OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="anthropic",
    )

    assert (done.returncode, done.stderr) == (code, "")
    assert [span.name for span in ledger.spans] == ["chat gpt-5-mini"]


def open_late(endpoint: Endpoint) -> None:
    until(lambda: bool(endpoint.times))
    time.sleep(2.5)  # longer than the end waits for an endpoint that is not there
    endpoint.gate.set()


def test_an_answer_under_way_is_waited_for_as_at_any_other_end(run_app: RunApp, vendor: VendorServer) -> None:
    with Endpoint() as endpoint:
        endpoint.gate.clear()
        threading.Thread(target=open_late, args=(endpoint,), daemon=True).start()
        done = run_app(
            PROGRAM.format(before="", after=""),
            OPENAI_BASE_URL=f"{vendor.url}/v1",
            SPANLEDGER_OTLP_ENDPOINT=endpoint.url,
            OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="anthropic",
        )

    assert (done.returncode, done.stderr) == (-signal.SIGTERM, "")
    assert len(endpoint.bodies) == 1


def test_what_is_lost_is_told_as_at_any_other_end(run_app: RunApp, vendor: VendorServer) -> None:
    done = run_app(
        PROGRAM.format(before="", after=""),
        OPENAI_BASE_URL=f"{vendor.url}/v1",
        SPANLEDGER_OTLP_ENDPOINT=refused_url(),
        SPANLEDGER_EXIT_TIMEOUT_S="0.2",
        OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="anthropic",
    )

    assert done.returncode == -signal.SIGTERM
    assert "spanledger: 1 spans could not be delivered to" in done.stderr
