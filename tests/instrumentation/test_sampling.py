"""A sampled share of the traces is enough for debugging and not for a bill: calls that the sampler drops arrive too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)

from spanledger.processor import EndedSpan, LedgerProcessor
from spanledger.shadow import Shadows, cast_shadows

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping

    from opentelemetry.context import Context

    from spanledger_collector.demo.vendor import VendorServer
    from tests.instrumentation.conftest import LedgerServer

    RunApp = Callable[..., subprocess.CompletedProcess[str]]

CALL = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-5-mini"}
AGENT = {"gen_ai.operation.name": "invoke_agent"}


class Queue:
    """What would go to the ledger."""

    def __init__(self) -> None:
        self.ended: list[EndedSpan] = []

    def put(self, item: EndedSpan) -> None:
        self.ended.append(item)

    def flush(self, timeout_s: float) -> bool:  # noqa: ARG002 - the queue's signature
        return True

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        return {each.span.name: each.span for each in self.ended}

    @property
    def facts(self) -> dict[str, Mapping[str, object]]:
        return {each.span.name: each.facts for each in self.ended}


class Witness(SpanProcessor):
    """A processor of the application, which sees whatever its provider records."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - as above
        self.seen.append(span.name)

    def on_end(self, span: ReadableSpan) -> None:
        self.seen.append(span.name)


class Application:
    """A provider of the application with a sampler of its own, joined by ours."""

    def __init__(self, sampler: Sampler) -> None:
        self.witness, self.queue = Witness(), Queue()
        self.provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
        self.provider.add_span_processor(self.witness)
        self.early = self.provider.get_tracer("opentelemetry.instrumentation.genai.openai")
        processor = LedgerProcessor(self.queue, default_tags={}, genai_spans_only=True)
        self.shadows: Shadows = cast_shadows(self.provider, processor)
        self.provider.add_span_processor(processor)


@pytest.fixture
def join() -> Iterator[Callable[[Sampler], Application]]:
    joined: list[Application] = []

    def _join(sampler: Sampler) -> Application:
        joined.append(Application(sampler))
        return joined[-1]

    yield _join
    for each in joined:
        each.shadows.stop()


class Own(Sampler):
    """A sampler that an application has written: it drops everything and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def should_sample(self, *given: Any) -> SamplingResult:
        self.asked.append(given[2])
        return SamplingResult(Decision.DROP)

    def get_description(self) -> str:
        return "own"


@pytest.mark.parametrize(
    "sampler",
    [ALWAYS_OFF, ParentBased(ALWAYS_OFF), TraceIdRatioBased(0.0), Own()],
    ids=lambda sampler: type(sampler).__name__,
)
def test_a_dropped_call_reaches_the_ledger_and_nobody_else(
    sampler: Sampler, join: Callable[[Sampler], Application]
) -> None:
    application = join(sampler)
    late = application.provider.get_tracer("late")

    with late.start_as_current_span("request") as request:
        application.early.start_span("early", attributes=CALL).end()
        with late.start_as_current_span("call", attributes=CALL) as call:
            call.set_attribute("gen_ai.usage.input_tokens", 7)
            child = late.start_span("http")
    assert application.witness.seen == []
    assert list(application.queue.spans) == ["early", "call"]
    assert (application.queue.spans["call"].attributes or {})["gen_ai.usage.input_tokens"] == 7
    ids = call.get_span_context()
    assert ids.trace_id == request.get_span_context().trace_id == child.get_span_context().trace_id
    assert not ids.trace_flags.sampled
    assert not child.is_recording()


def test_the_applications_sampler_is_asked_as_often_as_before(join: Callable[[Sampler], Application]) -> None:
    own = Own()
    join(own).early.start_span("call", attributes=CALL).end()

    assert own.asked == ["call"]


@pytest.mark.parametrize(
    "scope",
    ["com.anthropic.sdk.python", "openinference.instrumentation.openai", "opentelemetry.instrumentation.openai.v1"],
)
def test_an_emitter_that_says_later_what_its_span_is_goes_by_its_scope(
    scope: str, join: Callable[[Sampler], Application]
) -> None:
    application = join(ALWAYS_OFF)

    application.provider.get_tracer(scope).start_span("call").end()
    application.provider.get_tracer("opentelemetry.instrumentation.redis").start_span("get").end()
    assert list(application.queue.spans) == ["call"]


def test_the_tree_holds_when_the_spans_in_between_are_dropped(join: Callable[[Sampler], Application]) -> None:
    application = join(ParentBased(ALWAYS_OFF))
    tracer = application.provider.get_tracer("application")

    with (
        tracer.start_as_current_span("agent", attributes=AGENT) as agent,
        tracer.start_as_current_span("plain"),
        tracer.start_as_current_span("plainer"),
    ):
        tracer.start_span("call", attributes=CALL).end()
    outer, facts = (application.queue.facts[name] for name in ("agent", "call"))
    around = trace.format_span_id(agent.get_span_context().span_id)
    assert facts["spanledger.parent_genai_span_id"] == around
    assert facts["spanledger.sequence"] == outer["spanledger.sequence"] + 1  # type: ignore[operator] # a number


def test_what_an_application_records_without_sampling_it_sees_and_so_does_the_ledger(
    join: Callable[[Sampler], Application],
) -> None:
    class RecordOnly(Own):
        def should_sample(self, *_: Any) -> SamplingResult:
            return SamplingResult(Decision.RECORD_ONLY, CALL)

    application = join(RecordOnly())

    application.early.start_span("call").end()
    assert application.witness.seen == ["call", "call"]
    assert list(application.queue.spans) == ["call"]


def test_a_tracer_that_is_switched_off_stays_off(join: Callable[[Sampler], Application]) -> None:
    application = join(ALWAYS_OFF)
    tracer: Any = application.early
    tracer._is_enabled = lambda: False

    tracer.start_span("call", attributes=CALL).end()
    assert application.queue.ended == []


def test_another_providers_sampling_is_left_alone(join: Callable[[Sampler], Application]) -> None:
    application = join(ALWAYS_OFF)
    other = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)

    assert not other.get_tracer("x").start_span("call", attributes=CALL).is_recording()
    assert application.queue.ended == []


APP = """
import openai, anthropic
prompt = [{"role": "user", "content": "hi"}]
with openai.OpenAI() as client:
    client.chat.completions.create(model="gpt-5-mini", messages=prompt)
with anthropic.Anthropic() as client:
    client.messages.create(model="claude-sonnet-5-5", max_tokens=9, messages=prompt)
"""


def test_real_clients_under_a_sampler_that_is_off_are_billed_and_the_users_exporter_stays_empty(
    run_app: RunApp, vendor: VendorServer, ledger: LedgerServer
) -> None:
    done = run_app(
        APP,
        zero_code=True,
        OPENAI_BASE_URL=f"{vendor.url}/v1",
        ANTHROPIC_BASE_URL=vendor.url,
        SPANLEDGER_OTLP_ENDPOINT=ledger.url,
        OTEL_TRACES_EXPORTER="console",
        OTEL_TRACES_SAMPLER="parentbased_traceidratio",
        OTEL_TRACES_SAMPLER_ARG="0",
    )

    assert (done.stdout, done.stderr) == ("", "")
    assert [span.name for span in ledger.spans] == [
        "chat gpt-5-mini",
        "chat claude-sonnet-5-5",
        "anthropic.messages.create",
    ]
    assert all(span.attributes["spanledger.cost_usd"] for span in ledger.spans)
