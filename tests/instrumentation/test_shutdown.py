"""shutdown() takes everything back; instrument() starts anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from spanledger_collector.demo.vendor import VendorServer
    from tests.instrumentation.conftest import LedgerServer

    RunApp = Callable[..., subprocess.CompletedProcess[str]]

PROGRAM = """
import concurrent.futures, threading
import openai, spanledger
from opentelemetry import context, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
mine = InMemorySpanExporter()
if JOINS:
    trace.set_tracer_provider(TracerProvider())
def call(feature):
    with openai.OpenAI() as client, spanledger.tags(feature=feature):
        asked = [{"role": "user", "content": "hi"}]
        list(client.chat.completions.create(model="gpt-5-mini", messages=asked, stream=True))
        with trace.get_tracer("app").start_as_current_span("chat", attributes={"gen_ai.operation.name": "chat"}):
            client.post("/chat/completions", cast_to=object, body={"model": "gpt-5-mini", "messages": asked})
def carries():
    seen = []
    with spanledger.tags(team="x"):
        thread = threading.Thread(target=lambda: seen.append(bool(context.get_current())))
        thread.start()
        thread.join()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            seen.append(pool.submit(lambda: bool(context.get_current())).result())
    return seen
handle = spanledger.instrument(team="first")
call("metered")
print(carries())
handle.shutdown()
handle.shutdown()
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(mine))
call("not metered")
print(carries(), [dict(span.attributes) for span in mine.get_finished_spans()])
again = spanledger.instrument(team="second")
call("metered again")
with trace.get_tracer("app").start_as_current_span("request"):
    pass
print(carries(), again.is_active, again.force_flush(), handle.is_active)
"""


@pytest.mark.parametrize("joins", [True, False])
def test_after_the_end_nothing_of_it_acts_and_a_second_start_is_as_the_first(
    joins: bool, run_app: RunApp, vendor: VendorServer, ledger: LedgerServer
) -> None:
    done = run_app(
        f"JOINS = {joins}\n{PROGRAM}",
        OPENAI_BASE_URL=f"{vendor.url}/v1",
        SPANLEDGER_OTLP_ENDPOINT=ledger.url,
        SPANLEDGER_STREAM_USAGE_HOSTS="127.0.0.1",
        OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="anthropic",
    )

    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "[True, True]",
        "[False, False] [{'gen_ai.operation.name': 'chat'}]",
        "[True, True] True True False",
    ]
    assert [bool(request.body.get("stream_options")) for request in vendor.requests] == [True, False] + [False] * 2 + [
        True,
        False,
    ]
    found = [
        (span.name, span.attributes.get("spanledger.team"), span.attributes.get("spanledger.sequence"))
        for span in ledger.spans
    ]
    request = [] if joins else [("request", "second", None)]
    assert found == [
        ("chat gpt-5-mini", "first", 1),
        ("chat", "first", 2),
        ("chat gpt-5-mini", "second", 3),
        ("chat", "second", 4),
        *request,
    ]
