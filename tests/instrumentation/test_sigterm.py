"""SIGTERM, by which orchestrators stop a process: what is queued is delivered, and the process ends as it would have."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

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
