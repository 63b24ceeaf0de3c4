"""From the attributes of a finished span to what was used: the facts that a price applies to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from opentelemetry.trace import StatusCode

from spanledger.attributes import CACHE_WRITE_TTLS, NATIVE_ANTHROPIC_SCOPE
from spanledger.genai import BILLED_OPERATIONS, attributes_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["CallUsage", "NativeFacts", "is_call_emitter", "native_facts_by_parent", "usage_of"]

# Emitters whose counts we know the meaning of: all input, cached tokens included; reasoning within output.
# Any other emitter gets no cost here, and is priced by the ledger, which has the registry of their dialects.
_KNOWN_SCOPES: Final = frozenset(
    {
        "opentelemetry.instrumentation.genai.openai",
        "opentelemetry.instrumentation.genai.anthropic",
        NATIVE_ANTHROPIC_SCOPE,
    }
)
_INPUT: Final = "gen_ai.usage.input_tokens"
_OUTPUT: Final = "gen_ai.usage.output_tokens"
_CACHE_READ: Final = "gen_ai.usage.cache_read.input_tokens"
_CACHE_WRITE: Final = "gen_ai.usage.cache_write.input_tokens"
_CACHE_WRITE_1H: Final = "anthropic.usage.cache_creation.ephemeral_1h_input_tokens"
_REASONING: Final = "gen_ai.usage.reasoning.output_tokens"
_TIERS: Final = ("openai.response.service_tier", "anthropic.response.service_tier")
_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})
_FINISHED: Final = ("gen_ai.response.finish_reasons", "anthropic.message.stop_reason")


@dataclass(slots=True)  # frozen costs three microseconds an object
class CallUsage:
    """Tokens of one billed call, and what decides their price."""

    provider: str
    model: str
    start_time_ns: int
    input_tokens: int  # all input, cached tokens included
    output_tokens: int  # all output, reasoning included
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0  # within cache_write_tokens
    reasoning_tokens: int = 0  # within output_tokens
    service_tier: str = ""
    server_address: str = ""  # host that was called; it knows better than the client library who the vendor is


@dataclass(frozen=True)
class NativeFacts:
    """What only the anthropic client's own span says about a call: the split by cache lifetime and the tier."""

    cache_write_1h_tokens: int
    service_tier: str


def is_call_emitter(span: ReadableSpan) -> bool:
    """Whether the span comes from an emitter that puts one span around each call."""
    scope = span.instrumentation_scope
    return scope is not None and scope.name in _KNOWN_SCOPES


def native_facts_by_parent(spans: Sequence[ReadableSpan]) -> dict[int, NativeFacts]:
    """Return, by the id of the span that wraps it, what each native anthropic span of a batch adds."""
    facts = {}
    for span in spans:
        scope = span.instrumentation_scope
        if span.parent is None or scope is None or scope.name != NATIVE_ANTHROPIC_SCOPE:
            continue
        attributes = attributes_now(span)
        facts[span.parent.span_id] = NativeFacts(_count(attributes, _CACHE_WRITE_1H), _tier(attributes))
    return facts


def usage_of(
    span: ReadableSpan, native: Mapping[int, NativeFacts], told: Mapping[str, object] = _NOTHING
) -> CallUsage | None:
    """Return what a call used, or None when the span is no billed call or does not say what it used in full.

    ``told`` is what the wrapper says of the call and the span does not: for how long the request asked to cache. A cache
    write of unknown lifetime (no native span in the batch, no word of the request) counts as the default one, as
    in the ledger.

    A failed call and a stream that was left early report part of it at best: their cost is unknown, not small.
    """
    attributes = attributes_now(span)
    if not _is_complete_call(span, attributes):
        return None
    model = attributes.get("gen_ai.response.model") or attributes.get("gen_ai.request.model")
    provider = attributes.get("gen_ai.provider.name")
    if not isinstance(model, str) or not isinstance(provider, str) or span.start_time is None:
        return None
    usage = CallUsage(
        provider=provider,
        model=model,
        start_time_ns=span.start_time,
        input_tokens=_count(attributes, _INPUT),
        output_tokens=_count(attributes, _OUTPUT),
        cache_read_tokens=_count(attributes, _CACHE_READ),
        cache_write_tokens=_count(attributes, _CACHE_WRITE),
        cache_write_1h_tokens=_count(
            attributes, _CACHE_WRITE if told.get(CACHE_WRITE_TTLS) == "1h" else _CACHE_WRITE_1H
        ),
        reasoning_tokens=_count(attributes, _REASONING),
        service_tier=_tier(attributes),
        server_address=str(attributes.get("server.address", "")),
    )
    facts = native.get(span.context.span_id) if span.context else None
    if facts is None and usage.cache_write_tokens and told.get(CACHE_WRITE_TTLS) == "5m,1h":
        return None  # cached at two prices, and how much at which is not told
    return _completed(usage, facts) if facts else usage


def _is_complete_call(span: ReadableSpan, attributes: Mapping[str, object]) -> bool:
    if not is_call_emitter(span) or span.status.status_code is StatusCode.ERROR:
        return False
    if attributes.get("gen_ai.operation.name") not in BILLED_OPERATIONS or _INPUT not in attributes:
        return False
    is_stream = attributes.get("gen_ai.request.stream") is True
    return not is_stream or any(name in attributes for name in _FINISHED)


def _completed(usage: CallUsage, facts: NativeFacts) -> CallUsage:
    return replace(
        usage,
        cache_write_1h_tokens=usage.cache_write_1h_tokens or facts.cache_write_1h_tokens,
        service_tier=usage.service_tier or facts.service_tier,
    )


def _count(attributes: Mapping[str, object], name: str) -> int:
    value = attributes.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _tier(attributes: Mapping[str, object]) -> str:
    return next((value for name in _TIERS if isinstance(value := attributes.get(name), str)), "")
