"""Calls full of a secret, in every way that a call can end, for whoever meters them: `python leak_calls.py SECRET`.

Needs nothing but `spanledger`, a client and what is installed beside it. Captures as much content as each emitter can.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any

from opentelemetry import baggage, context, metrics, trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

import spanledger

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = sys.argv[1]
ASKED: Any = [{"role": "user", "content": f"hi {SECRET}"}]
TOLD: Any = [{"role": "system", "content": f"be {SECRET}"}, *ASKED, {"role": "assistant", "content": SECRET}, *ASKED]
TOOLS: Any = [{"type": "function", "function": {"name": "f", "description": SECRET, "parameters": {"type": "object"}}}]
CHAT: dict[str, Any] = {"model": "gpt-5-mini", "messages": TOLD, "tools": TOOLS}
MESSAGES: dict[str, Any] = {"model": "claude-sonnet-5-5", "max_tokens": 9, "messages": ASKED, "system": SECRET}
# How a call ends -> whether it is a stream.
ENDS = {"echo": False, "e429": False, "e500": False, "timeout": False, "midstream": True, "tool": False}


def instrument_http() -> None:
    """Meter the HTTP libraries too, where their instrumentation is installed: it sends trace context to every host."""
    with contextlib.suppress(ImportError):
        from opentelemetry.instrumentation import httpx  # type: ignore[attr-defined] # only in some environments

        for name in ("HTTPXClientInstrumentor", "HTTPX2ClientInstrumentor"):
            if hasattr(httpx, name):
                getattr(httpx, name)().instrument()


def attempt(call: Callable[[], Any]) -> None:
    """Make a call that may fail, within a span of the application that the failure passes through."""
    with contextlib.suppress(Exception), trace.get_tracer("app").start_as_current_span(f"ask {SECRET} " * 20):
        call()


def with_openai(client: Any) -> None:
    chat = client.chat.completions
    headers = {"Authorization": f"Bearer {SECRET}"}
    attempt(lambda: chat.create(**CHAT, extra_headers=headers))
    attempt(lambda: list(chat.create(**CHAT, stream=True)))
    attempt(lambda: chat.with_raw_response.create(**CHAT).parse())
    attempt(lambda: client.embeddings.create(model="text-embedding-3-small", input=SECRET))
    if hasattr(client, "responses"):
        attempt(lambda: client.responses.create(model="gpt-5-mini", input=SECRET, instructions=SECRET))
    impatient = client.with_options(timeout=0.3, max_retries=0).chat.completions
    for end, is_stream in ENDS.items():
        fate = {"extra_headers": {"x-demo-case": end}}
        attempt(lambda fate=fate, is_stream=is_stream: list(impatient.create(**CHAT, stream=is_stream, **fate)))  # type: ignore[misc] # bound now


def with_anthropic(client: Any) -> None:
    attempt(lambda: client.messages.create(**MESSAGES))
    attempt(lambda: list(client.messages.create(**MESSAGES, stream=True)))
    impatient = client.with_options(timeout=0.3, max_retries=0).messages
    for end, is_stream in ENDS.items():
        fate = {"extra_headers": {"x-demo-case": end}}
        attempt(lambda fate=fate, is_stream=is_stream: list(impatient.create(**MESSAGES, stream=is_stream, **fate)))  # type: ignore[misc] # bound now


async def cancelled(client: Any, create: Callable[..., Any], **arguments: Any) -> None:
    headers = {"x-demo-case": "timeout", "x-ends": "cancelled"}
    with spanledger.tags(feature="cancelled"):
        task = asyncio.create_task(create(**arguments, extra_headers=headers))
    async with client:
        await asyncio.sleep(0.5)  # on its way, and not yet answered
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def note_down() -> None:
    """Put the secret wherever an application can put it on a span of its own."""
    tracer, kind = trace.get_tracer("app"), {"gen_ai.operation.name": "chat"}
    link = trace.Link(trace.INVALID_SPAN_CONTEXT, {"prompt": SECRET})
    with (
        contextlib.suppress(ValueError),
        tracer.start_as_current_span(f"ask {SECRET} " * 20, attributes=kind, links=[link]) as span,
    ):
        span.set_attribute("my.note", f"Dear customer, {SECRET}. " * 10)
        span.set_attribute("prompt", SECRET)
        span.add_event(SECRET, {"text": SECRET})
        raise ValueError(SECRET)


def main() -> None:
    from anthropic import Anthropic, AsyncAnthropic
    from openai import AsyncOpenAI, OpenAI

    endpoint = os.environ["SPANLEDGER_OTLP_ENDPOINT"]
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{endpoint}/v1/metrics"))
    meters = MeterProvider([reader])
    metrics.set_meter_provider(meters)
    early = OpenAI(max_retries=0), Anthropic(max_retries=0)  # as the module-level clients of an application
    instrument_http()
    handle = spanledger.instrument()
    context.attach(baggage.set_baggage("tenant", "of-the-application"))
    with trace.get_tracer("app").start_as_current_span("request"), spanledger.task("answer"):
        for gpt, claude in (early, (OpenAI(max_retries=0), Anthropic(max_retries=0))):
            with_openai(gpt)
            with_anthropic(claude)
        gpt_async, claude_async = AsyncOpenAI(), AsyncAnthropic()
        asyncio.run(cancelled(gpt_async, gpt_async.chat.completions.create, **CHAT))
        asyncio.run(cancelled(claude_async, claude_async.messages.create, **MESSAGES))
        note_down()
        spanledger.outcome("answered")
    handle.shutdown()
    meters.shutdown()


if __name__ == "__main__":
    main()
