"""instrument() in programs of their own: joining, switching off, missing parts, an endpoint that is not there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from spanledger_collector.demo.vendor import VendorServer
    from tests.instrumentation.conftest import LedgerServer

    RunApp = Callable[..., subprocess.CompletedProcess[str]]

CALL = """
import openai
with openai.OpenAI() as client:
    client.chat.completions.create(model="gpt-5-mini", messages=[{"role": "user", "content": "hi"}])
print("answered")
"""

PLAIN = "import spanledger\nspanledger.instrument()\n" + CALL

JOINED = (
    """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
mine = InMemorySpanExporter()
trace.set_tracer_provider(TracerProvider())
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(mine))
import spanledger
spanledger.instrument()
with trace.get_tracer("app").start_as_current_span("request"):
"""
    + "".join(f"    {line}\n" for line in CALL.strip().splitlines())
    + 'print([(span.name, "spanledger.cost_usd" in span.attributes) for span in mine.get_finished_spans()])\n'
)


# Importing a second client takes longer than the rest of such a program.
OPENAI_ONLY = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "anthropic"}


def test_a_plain_program_is_metered_and_flushed_at_its_end(
    run_app: RunApp, vendor: VendorServer, ledger: LedgerServer
) -> None:
    done = run_app(
        PLAIN,
        OPENAI_BASE_URL=f"{vendor.url}/v1",
        OTEL_EXPORTER_OTLP_ENDPOINT=ledger.url,
        OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20token",
        OTEL_SERVICE_NAME="shop",
        OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=staging",
        SPANLEDGER_TEAM="search",
        **OPENAI_ONLY,
    )

    (span,) = ledger.spans
    assert (done.stdout, done.stderr) == ("answered\n", "")
    assert span.attributes["spanledger.team"] == "search"
    assert span.attributes["spanledger.cost_usd"]
    assert (span.resource["service.name"], span.resource["deployment.environment.name"]) == ("shop", "staging")
    assert ledger.headers[0]["authorization"] == "Bearer token"


def test_a_provider_of_the_application_is_joined_and_its_exporters_see_what_they_saw_before(
    run_app: RunApp, vendor: VendorServer, ledger: LedgerServer
) -> None:
    done = run_app(
        JOINED,
        OPENAI_BASE_URL=f"{vendor.url}/v1",
        SPANLEDGER_OTLP_ENDPOINT=ledger.url,
        OTEL_EXPORTER_OTLP_HEADERS="api-key=of-another-back-end",
        **OPENAI_ONLY,
    )

    assert done.stdout == "answered\n[('chat gpt-5-mini', False), ('request', False)]\n"
    assert [span.name for span in ledger.spans] == ["chat gpt-5-mini"]
    assert ledger.spans[0].attributes["spanledger.cost_usd"]
    assert all("api-key" not in headers for headers in ledger.headers)


def test_an_endpoint_that_is_down_breaks_nothing_delays_little_and_is_told_once(
    run_app: RunApp, vendor: VendorServer
) -> None:
    code = PLAIN + "import time\ntime.sleep(1.2)\n" + CALL + "print(time.monotonic())\n"
    done = run_app(
        code, OPENAI_BASE_URL=f"{vendor.url}/v1", SPANLEDGER_OTLP_ENDPOINT="http://127.0.0.1:9", **OPENAI_ONLY
    )

    *answers, ended_at = done.stdout.splitlines()
    assert answers == ["answered", "answered"]
    assert time.monotonic() - float(ended_at) < 5  # the bound is 2 s; the rest is a busy machine's
    assert done.stderr == (
        "spanledger: 2 spans could not be delivered to http://127.0.0.1:9/v1/traces and are lost "
        "(ConnectionRefusedError: [Errno 111] Connection refused; is `spanledger up` running?)\n"
    )


def test_a_setting_that_cannot_work_leaves_the_application_running_and_is_told(
    run_app: RunApp, vendor: VendorServer
) -> None:
    code = PLAIN + "spanledger.instrument()\nspanledger.outcome('done', task_id='1')\n"
    done = run_app(code, OPENAI_BASE_URL=f"{vendor.url}/v1", SPANLEDGER_OTLP_ENDPOINT="nowhere")

    assert done.stdout == "answered\n"
    assert done.stderr.count("LLM calls are not metered: OTLP endpoint 'nowhere' is not an address") == 1


def test_a_disabled_sdk_does_nothing_and_says_nothing(
    run_app: RunApp, vendor: VendorServer, ledger: LedgerServer
) -> None:
    done = run_app(
        PLAIN, OPENAI_BASE_URL=f"{vendor.url}/v1", SPANLEDGER_OTLP_ENDPOINT=ledger.url, OTEL_SDK_DISABLED="true"
    )

    assert (done.stdout, done.stderr, ledger.bodies) == ("answered\n", "", [])


def test_a_client_without_its_instrumentation_is_told_with_the_way_to_install_it(
    run_app: RunApp, vendor: VendorServer, ledger: LedgerServer
) -> None:
    hide = """
import importlib.metadata as metadata
every = metadata.entry_points
metadata.entry_points = lambda **by: metadata.EntryPoints(p for p in every(**by) if "genai" not in p.dist.name)
"""
    done = run_app(hide + PLAIN, OPENAI_BASE_URL=f"{vendor.url}/v1", SPANLEDGER_OTLP_ENDPOINT=ledger.url)

    assert done.stdout == "answered\n"
    assert done.stderr.splitlines() == [
        "spanledger: calls of openai are not metered; run: pip install 'spanledger[openai]'",
    ]
