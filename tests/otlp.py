"""Builds OTLP trace requests for tests, as an SDK would."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from spanledger_collector.receiver.door import OtlpRequest

OFFICIAL_OPENAI = "opentelemetry.instrumentation.genai.openai"
_ids = itertools.count(1)


def new_id() -> int:
    """Return an id that no other span or trace of this run has."""
    return next(_ids)


@dataclass
class SpanSpec:
    """One span to send; times in seconds since 1970."""

    start: float
    end: float
    attributes: Mapping[str, Any]
    trace: int = field(default_factory=new_id)
    span: int = field(default_factory=new_id)
    parent: int = 0
    scope: str = OFFICIAL_OPENAI
    version: str = "1.3b0"
    service: str = "app"
    name: str = "chat"
    error: bool = False

    @property
    def trace_id(self) -> str:
        return f"{self.trace:032x}"

    @property
    def span_id(self) -> str:
        return f"{self.span:016x}"


def chat(start: float, *, seconds: float = 1.0, tokens: tuple[int, int] | None = (1000, 100), **more: Any) -> SpanSpec:
    """Return a chat call; ``more`` takes the fields of SpanSpec and ``extra`` attributes."""
    extra = more.pop("extra", {})
    attributes: dict[str, Any] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.model": "gpt-4o-mini",
        "gen_ai.response.finish_reasons": ["stop"],
    }
    if tokens is not None:
        attributes |= {"gen_ai.usage.input_tokens": tokens[0], "gen_ai.usage.output_tokens": tokens[1]}
    attributes |= extra
    return SpanSpec(
        start, start + seconds, {name: value for name, value in attributes.items() if value is not None}, **more
    )


def agent(
    start: float,
    *,
    seconds: float = 10.0,
    tokens: tuple[int, int] | None = None,
    agent_name: str = "solver",
    **more: Any,
) -> SpanSpec:
    """Return an agent's span around calls."""
    attributes: dict[str, Any] = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": agent_name,
        **more.pop("extra", {}),
    }
    if tokens is not None:
        attributes |= {"gen_ai.usage.input_tokens": tokens[0], "gen_ai.usage.output_tokens": tokens[1]}
    return SpanSpec(start, start + seconds, attributes, **more)


def request(spans: Iterable[SpanSpec], resource: Mapping[str, Any] | None = None) -> OtlpRequest:
    """Return one protobuf request with the spans."""
    message = ExportTraceServiceRequest()
    for (service, scope, version), group in itertools.groupby(
        spans, lambda span: (span.service, span.scope, span.version)
    ):
        of_resource = message.resource_spans.add()
        of_resource.resource.attributes.extend(key_values({"service.name": service, **(resource or {})}))
        scoped = of_resource.scope_spans.add()
        scoped.scope.name, scoped.scope.version = scope, version
        for spec in group:
            span = scoped.spans.add(name=spec.name, kind=3)
            span.trace_id, span.span_id = spec.trace.to_bytes(16, "big"), spec.span.to_bytes(8, "big")
            span.parent_span_id = spec.parent.to_bytes(8, "big") if spec.parent else b""
            span.start_time_unix_nano, span.end_time_unix_nano = (
                int(spec.start * 1e6) * 1000,
                int(spec.end * 1e6) * 1000,
            )
            span.attributes.extend(key_values(spec.attributes))
            span.status.code = 2 if spec.error else 0
    return OtlpRequest("traces", "protobuf", message.SerializeToString())


def key_values(attributes: Mapping[str, Any]) -> list[KeyValue]:
    """Return attributes in OTLP's form."""
    return [KeyValue(key=name, value=_any_value(value)) for name, value in attributes.items()]


def _any_value(value: Any) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        whole = AnyValue()
        whole.array_value.values.extend(_any_value(item) for item in value)
        return whole
    return AnyValue(string_value=value)
