"""`opentelemetry-instrument python app.py`: nothing in the program, everything from the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from spanledger_collector.demo.vendor import VendorServer
    from tests.instrumentation.conftest import LedgerServer

    RunApp = Callable[..., subprocess.CompletedProcess[str]]

APP = """
import openai
prompt = [{"role": "user", "content": "hi"}]
with openai.OpenAI() as client:
    client.chat.completions.create(model="gpt-5-mini", messages=prompt, extra_headers={"x-demo-case": "retry"})
print("answered")
"""
BOTH = (
    APP
    + """
import anthropic
with anthropic.Anthropic() as client:
    client.messages.create(model="claude-sonnet-5-5", max_tokens=9, messages=prompt)
"""
)
# Importing a second client takes longer than the rest of such a program.
OPENAI_ONLY = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "anthropic"}


@pytest.fixture
def run(run_app: RunApp, vendor: VendorServer) -> RunApp:
    def run(code: str = APP, **variables: str) -> subprocess.CompletedProcess[str]:
        urls = {"OPENAI_BASE_URL": f"{vendor.url}/v1", "ANTHROPIC_BASE_URL": vendor.url}
        return run_app(code, zero_code=True, **urls, **variables)

    return run


def test_an_unchanged_program_is_metered_once_per_call(run: RunApp, vendor: VendorServer, ledger: LedgerServer) -> None:
    # The program calls instrument() too: what runs already stays as it is.
    done = run(
        BOTH + "import spanledger\nspanledger.instrument()\n" + BOTH,
        OTEL_EXPORTER_OTLP_ENDPOINT=ledger.url,
        OTEL_SERVICE_NAME="shop",
        SPANLEDGER_TEAM="search",
    )

    calls = ["chat gpt-5-mini", "chat claude-sonnet-5-5", "anthropic.messages.create"]
    assert (done.stdout, done.stderr) == ("answered\nanswered\n", "")
    assert [span.name for span in ledger.spans] == calls * 2
    assert ledger.spans[0].attributes["spanledger.attempts"] == 2
    for span in ledger.spans:
        assert span.attributes["spanledger.cost_usd"]
        assert span.attributes["spanledger.team"] == "search"
        assert span.resource["service.name"] == "shop"
    assert not any({"traceparent", "baggage"} & request.headers.keys() for request in vendor.requests)


def test_exporters_that_the_user_asked_for_keep_working_beside_the_ledger(run: RunApp, ledger: LedgerServer) -> None:
    done = run(OTEL_TRACES_EXPORTER="console", SPANLEDGER_OTLP_ENDPOINT=ledger.url, **OPENAI_ONLY)

    assert '"name": "chat gpt-5-mini"' in done.stdout
    assert "spanledger.cost_usd" not in done.stdout
    assert [span.name for span in ledger.spans] == ["chat gpt-5-mini"]


def test_a_disabled_instrumentation_stays_off(run: RunApp, ledger: LedgerServer) -> None:
    done = run(
        SPANLEDGER_OTLP_ENDPOINT=ledger.url,
        OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="openai, anthropic",
    )

    assert (done.stdout, done.stderr, ledger.spans) == ("answered\n", "", [])


def test_a_set_up_that_fails_leaves_the_program_running_and_is_told_once(run: RunApp) -> None:
    done = run(SPANLEDGER_OTLP_ENDPOINT="nowhere", **OPENAI_ONLY)

    assert done.stdout == "answered\n"
    assert done.stderr.count("LLM calls are not metered: OTLP endpoint 'nowhere'") == 1


def test_a_broken_exporter_setting_does_not_leave_the_calls_unmetered(run: RunApp, ledger: LedgerServer) -> None:
    done = run(OTEL_TRACES_EXPORTER="no-such-exporter", SPANLEDGER_OTLP_ENDPOINT=ledger.url, **OPENAI_ONLY)

    assert done.stdout == "answered\n"
    assert done.stderr.count("OpenTelemetry's own set-up failed") == 1
    assert len(ledger.spans) == 1
