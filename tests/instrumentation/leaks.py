"""The search for prompts, answers and credentials in every byte that is exported, whoever meters the calls, however they end."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from spanledger_collector.demo.wire_openai import TEXT
from tests.instrumentation.environments import python_of, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.instrumentation.conftest import ReceivedSpan
    from tests.instrumentation.environments import Run

__all__ = ["ENVIRONMENTS", "problems_of"]

PROGRAM = Path(__file__).with_name("leak_calls.py")
SECRET = "SECRET-4711"
ANSWERS = (TEXT, "the summary.")  # the vendor's, of both formats
NEW = ("openai>=3,<4", "anthropic>=2,<3")
HTTP = "opentelemetry-instrumentation-httpx"
LOUD = {
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_AND_EVENT",
    "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
    "TRACELOOP_TRACE_CONTENT": "true",
    "OPENINFERENCE_HIDE_INPUTS": "false",
    "OPENINFERENCE_HIDE_OUTPUTS": "false",
    "SPANLEDGER_STREAM_USAGE_HOSTS": "127.0.0.1",
    "OTEL_METRICS_EXEMPLAR_FILTER": "always_on",
}
# Name -> extras, what to install beside them, variables.
ENVIRONMENTS: dict[str, tuple[str, tuple[str, ...], dict[str, str]]] = {
    "oldest": ("openai,anthropic", (HTTP, "openai==1.26.0", "anthropic==0.51.0", "httpx<0.28"), {}),
    "openai 1, anthropic 0": ("openai,anthropic", (HTTP, "openai==1.109.1", "anthropic==0.125.0"), {}),
    "openai 2, anthropic 1": ("openai,anthropic", (HTTP, "openai>=2,<3", "anthropic>=1,<2"), {}),
    "newest": ("openai,anthropic", (HTTP, *NEW), {}),
    "native": ("openai,anthropic", (HTTP, *NEW), {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "*"}),
    "OpenLLMetry": (
        "",
        (HTTP, "opentelemetry-instrumentation-openai", "opentelemetry-instrumentation-anthropic", *NEW),
        {},
    ),
    "OpenInference": (
        "",
        (HTTP, "openinference-instrumentation-openai", "openinference-instrumentation-anthropic", *NEW),
        {},
    ),
}

# OpenLLMetry never ends its spans of the two anthropic streams that break off.
UNENDED = {"OpenLLMetry": 2}


def problems_of(name: str) -> list[str]:
    """Return what leaks in one environment, and which calls are measured in part only."""
    extras, packages, variables = ENVIRONMENTS[name]
    try:
        done = run(python_of(extras, packages), str(PROGRAM), SECRET, **LOUD, **variables)
    except (AssertionError, subprocess.CalledProcessError) as error:
        return [str(error)]
    return [*_leaks(done), *_unmeasured(done, is_native=name == "native", unended=UNENDED.get(name, 0))]


def _leaks(done: Run) -> Iterator[str]:
    if b"spanledger.calls" not in done.raw or b"spanledger.outcome" not in done.raw:
        yield "no metrics or no outcome: the search would have found nothing"
    for text in (SECRET, *ANSWERS):
        if text.encode() in done.raw:
            yield f"{text!r} was exported: {[_around(match, done.raw) for match in re.finditer(text.encode(), done.raw)][:3]}"
    for request in done.requests:
        if told := {"traceparent", "tracestate", "baggage"} & request.headers.keys():
            yield f"the vendor got {told} with {request.path} ({request.case})"


def _around(match: re.Match[bytes], raw: bytes) -> str:
    return raw[max(0, match.start() - 60) : match.end() + 20].decode("ascii", "replace")


def _unmeasured(done: Run, *, is_native: bool, unended: int) -> Iterator[str]:
    # Whether a task that is cancelled has sent its request by then depends on the machine.
    calls = [span for span in done.spans if _is_call(span) and span.attributes.get("spanledger.feature") != "cancelled"]
    logical = [request for request in done.requests if request.attempt == 1 and "x-ends" not in request.headers]
    metered = [request for request in logical if not is_native or request.path.endswith("/messages")]
    outer = [span for span in calls if is_native or span.scope != "com.anthropic.sdk.python"]
    if len(outer) != len(metered) - unended:
        yield f"{len(outer)} spans of {len(metered)} calls"
    for span in calls:
        missing = [
            name for name in ("spanledger.attempts", "spanledger.prompt.fingerprint") if name not in span.attributes
        ]
        if missing or not any(name.endswith(".chars") for name in span.attributes):
            yield f"{span.scope} {span.name}: {missing or 'no sizes'}"
    fingerprints = {span.attributes.get("spanledger.prompt.fingerprint") for span in calls}
    if len(fingerprints) > DISTINCT_PROMPTS:
        yield f"{len(fingerprints)} fingerprints of {DISTINCT_PROMPTS} prompts at most"


# Chat with tools, embeddings, responses, messages.
DISTINCT_PROMPTS = 4


def _is_call(span: ReceivedSpan) -> bool:
    return span.scope != "app" and not span.scope.endswith(".httpx")
