"""Days of quiet use before the demo's live traffic, as OTLP requests that are replayed: nobody waits a week for a demo."""

from collections.abc import Iterator
from random import Random
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from spanledger_collector.demo.habits import HABITS, Habit
from spanledger_collector.receiver.door import OtlpRequest

__all__ = ["history"]

HOUR_SECONDS: Final = 3600
CALL_SECONDS: Final = 2
SCOPE: Final = "opentelemetry.instrumentation.genai.openai"


def history(service: str, environment: str, *, days: int, until: float, seed: int) -> Iterator[OtlpRequest]:
    """Yield a request for each hour of these days, with the calls that the habits make, as the SDK would have sent them."""
    dice = Random(seed)
    for hour in range(days * 24, 0, -1):
        message = ExportTraceServiceRequest()
        of_service = message.resource_spans.add()
        of_service.resource.attributes.extend(
            attributes({"service.name": service, "deployment.environment.name": environment})
        )
        for habit in HABITS:
            scope = of_service.scope_spans.add()
            scope.scope.name, scope.scope.version = SCOPE, "1.3b0"
            for _ in range(round(habit.calls_per_hour * dice.uniform(0.8, 1.2))):
                add_call(scope, habit, until - hour * HOUR_SECONDS + dice.uniform(0, HOUR_SECONDS - CALL_SECONDS), dice)
        yield OtlpRequest("traces", "protobuf", message.SerializeToString())


def add_call(scope: Any, habit: Habit, at: float, dice: Random) -> None:
    """Add the span of one usual call."""
    job = habit.job(dice)
    (call,) = job.calls
    span = scope.spans.add(name=f"chat {call.model}", kind=3)
    span.trace_id, span.span_id = dice.randbytes(16), dice.randbytes(8)
    span.start_time_unix_nano = int(at * 1e9)
    span.end_time_unix_nano = span.start_time_unix_nano + CALL_SECONDS * 10**9
    span.attributes.extend(
        attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": call.vendor,
                "gen_ai.request.model": call.model,
                "gen_ai.response.model": call.model,
                "gen_ai.response.finish_reasons": ["stop"],
                "gen_ai.usage.input_tokens": call.meters.input_tokens,
                "gen_ai.usage.cache_read.input_tokens": call.meters.cache_read_tokens,
                "gen_ai.usage.output_tokens": call.meters.output_tokens,
                "spanledger.team": job.feature.team,
                "spanledger.feature": job.feature.name,
                "spanledger.tenant": job.person.tenant,
                "user.id": job.person.user,
                "session.id": job.session,
            }
        )
    )


def attributes(values: dict[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=name, value=value_of(value)) for name, value in values.items()]


def value_of(value: Any) -> AnyValue:
    if isinstance(value, list):
        whole = AnyValue()
        whole.array_value.values.extend(value_of(item) for item in value)
        return whole
    return AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value)
