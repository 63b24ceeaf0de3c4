"""Spans as OTLP protobuf, written straight from what the SDK holds: the exporter's own encoder takes four times as long.

Field by field what https://opentelemetry.io/docs/specs/otlp/ says; a test compares it with that encoder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from spanledger.once import warn_once

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue
    from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope as ScopeMessage
    from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import Link, SpanContext, Status

__all__ = ["write_attributes", "write_scope", "write_span"]

_FIELDS: Final[dict[type, str]] = {
    str: "string_value",
    bool: "bool_value",
    int: "int_value",
    float: "double_value",
    bytes: "bytes_value",
}
_HAS_IS_REMOTE: Final = 0x100
_IS_REMOTE: Final = 0x200


def write_span(
    message: SpanMessage,
    span: ReadableSpan,
    *,
    name: str,
    attributes: Mapping[str, Any],
    events: Sequence[Event],
    links: Sequence[Link],
    status: Status,
) -> None:
    """Write an ended span, with these parts in place of its own."""
    context = span.context
    _write_ids(message, context)
    if context.trace_state:
        message.trace_state = ",".join(f"{key}={value}" for key, value in context.trace_state.items())
    message.flags = _flags(span.parent)
    if span.parent is not None:
        message.parent_span_id = span.parent.span_id.to_bytes(8, "big")
    message.name = name
    message.kind = span.kind.value + 1  # type: ignore[assignment] # the wire has a zero for unknown
    message.start_time_unix_nano = span.start_time or 0
    message.end_time_unix_nano = span.end_time or 0
    message.status.code = status.status_code.value  # type: ignore[assignment] # the same numbers
    message.status.message = status.description or ""
    write_attributes(message.attributes, attributes)
    for event in events:
        written = message.events.add(name=event.name, time_unix_nano=event.timestamp)
        _write_attributes_of(written, event)
    for link in links:
        linked = message.links.add(flags=_flags(link.context))
        _write_ids(linked, link.context)
        _write_attributes_of(linked, link)


def write_scope(message: ScopeMessage, scope: InstrumentationScope) -> None:
    message.name = scope.name
    message.version = scope.version or ""
    write_attributes(message.attributes, scope.attributes or {})


def write_attributes(pairs: Any, attributes: Mapping[str, Any]) -> None:
    """Write attributes into a list of pairs; one that cannot be written is left out, and told of once."""
    for name, value in attributes.items():
        pair = pairs.add()
        try:
            pair.key = name
            _write_value(pair.value, value)
        except (TypeError, ValueError):
            del pairs[-1]
            warn_once("attribute", "spanledger: the attribute %s cannot be sent, and is left out", name)


def _write_value(message: AnyValue, value: Any) -> None:
    field = _FIELDS.get(type(value))
    if field is not None:
        setattr(message, field, value)
    elif value is None:
        message.SetInParent()
    elif isinstance(value, tuple(_FIELDS)):  # a member of an Enum, a number of another library
        kind = next(kind for kind in _FIELDS if isinstance(value, kind))
        setattr(message, _FIELDS[kind], kind(value))
    elif isinstance(value, Mapping):
        message.kvlist_value.SetInParent()
        for name, each in value.items():
            pair = message.kvlist_value.values.add(key=str(name))
            _write_value(pair.value, each)
    elif isinstance(value, Sequence):
        message.array_value.SetInParent()
        for each in value:
            _write_value(message.array_value.values.add(), each)
    else:
        raise TypeError(f"an attribute cannot be a {type(value).__name__}")


def _write_ids(message: Any, context: SpanContext) -> None:
    message.trace_id = context.trace_id.to_bytes(16, "big")
    message.span_id = context.span_id.to_bytes(8, "big")


def _write_attributes_of(message: Any, source: Event | Link) -> None:
    write_attributes(message.attributes, source.attributes or {})
    message.dropped_attributes_count = source.dropped_attributes


def _flags(context: SpanContext | None) -> int:
    return _HAS_IS_REMOTE | _IS_REMOTE if context is not None and context.is_remote else _HAS_IS_REMOTE
