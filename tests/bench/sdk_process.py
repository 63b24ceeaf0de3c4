"""One process of the SDK bench: `python -m tests.bench.sdk_process VARIANT THREADS CALLS SINK_URL`; prints one JSON line.

The clients are real, their transport answers from memory, spans leave over OTLP/HTTP in the background. What is measured is
the CPU time of the calling thread, which other processes disturb least.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import threading
import time
from contextvars import copy_context
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

SYSTEM = "You are a helpful assistant for ACME. " * 25
QUESTION = "Please summarise the following ticket 4711 and answer the question. " * 30
MESSAGES: Any = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
WARM_UP = 60


def peak_kb() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


def provider(sink_url: str) -> None:
    """Set the pipeline that a user of an emitter alone has: the SDK's batch processor and OTLP exporter."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    tracer_provider = TracerProvider()
    exporter = OTLPSpanExporter(endpoint=f"{sink_url}/v1/traces")
    tracer_provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=65536))
    trace.set_tracer_provider(tracer_provider)


def official(sink_url: str) -> None:
    provider(sink_url)
    from opentelemetry.instrumentation.genai.anthropic import AnthropicInstrumentor
    from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument()
    AnthropicInstrumentor().instrument()


def instrument(package: str) -> None:
    """Switch a peer on; by name, because only the bench's own folder has it."""
    import_module(f"{package}.openai").OpenAIInstrumentor().instrument()
    import_module(f"{package}.anthropic").AnthropicInstrumentor().instrument()


def openinference(sink_url: str) -> None:
    provider(sink_url)
    instrument("openinference.instrumentation")


def traceloop(sink_url: str) -> None:
    provider(sink_url)
    instrument("opentelemetry.instrumentation")


def ours(sink_url: str) -> None:
    import spanledger

    assert spanledger.instrument(endpoint=sink_url).is_active
    tags = spanledger.tags(team="search", feature="rag", tenant="acme", user="bob", session="s1", task="answer")
    tags.__enter__()  # for the rest of the process


VARIANTS: dict[str, Callable[[str], None]] = {
    "uninstrumented": lambda _: None,
    "official": official,
    "OpenInference": openinference,
    "Traceloop": traceloop,
    "spanledger": ours,
}


def cases() -> dict[str, Callable[[], object]]:
    """Return the calls to measure, on clients that never touch the network."""
    import anthropic
    import httpx2
    import openai

    from spanledger_collector.demo.vendor import answer
    from spanledger_collector.demo.wire import Request

    def reply(request: httpx2.Request) -> httpx2.Response:
        key = (request.url.path, b'"stream":true' in request.content)
        if key not in kept:
            headers = {"x-demo-case": "cached", "x-api-key": "k"}
            given = answer(Request(request.url.path, headers, json.loads(request.content)))
            assert given.meters, given.frames
            kind = "text/event-stream" if given.streamed else "application/json"
            kept[key] = (b"".join(given.frames), {"content-type": kind})
        return httpx2.Response(200, headers=kept[key][1], content=kept[key][0])

    kept: dict[tuple[str, bool], tuple[bytes, dict[str, str]]] = {}
    http = httpx2.Client(transport=httpx2.MockTransport(reply))
    chat = openai.OpenAI(api_key="k", base_url="http://vendor.local/v1", http_client=http).chat.completions
    claude = anthropic.Anthropic(api_key="k", base_url="http://vendor.local", http_client=http).messages
    usage: Any = {"stream_options": {"include_usage": True}}
    return {
        "OpenAI chat": lambda: chat.create(model="gpt-5-mini", messages=MESSAGES),
        "OpenAI stream": lambda: list(chat.create(model="gpt-5-mini", messages=MESSAGES, stream=True, **usage)),
        "Anthropic": lambda: claude.create(
            model="claude-sonnet-5-5", max_tokens=100, system=SYSTEM, messages=MESSAGES[1:]
        ),
    }


def median_cpu_us(call: Callable[[], object], calls: int, threads: int) -> float:
    """Return the median CPU time that one call takes in the thread that makes it."""
    times: list[int] = []

    def work() -> None:
        mine = []
        for _ in range(calls // threads):
            started = time.thread_time_ns()
            call()
            mine.append(time.thread_time_ns() - started)
        times.extend(mine)

    workers = [threading.Thread(target=copy_context().run, args=(work,)) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return statistics.median(times) / 1000


def main() -> None:
    variant, threads, calls, sink_url = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    before_kb, before_s = peak_kb(), time.process_time()
    VARIANTS[variant](sink_url)
    calls_by_name = cases()
    for call in calls_by_name.values():
        call()
    result: dict[str, float] = {"start_ms": (time.process_time() - before_s) * 1000}
    for name, call in calls_by_name.items():
        median_cpu_us(call, WARM_UP, threads)
        result[name] = median_cpu_us(call, calls, threads)
    result["memory_mb"] = (peak_kb() - before_kb) / 1024
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()
    os._exit(0)  # how it ends is not measured


if __name__ == "__main__":
    main()
