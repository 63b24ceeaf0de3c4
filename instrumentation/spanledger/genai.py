"""Which spans are GenAI work, and which of those are calls, by what is known of them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from spanledger.attributes import NATIVE_ANTHROPIC_SCOPE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["BILLED_OPERATIONS", "attributes_now", "is_call_start", "is_genai", "is_genai_work", "is_one_call"]

# Operations that a vendor bills. Fetching a stored response, say, repeats the usage of a call that was billed before.
BILLED_OPERATIONS: Final = frozenset({"chat", "embeddings", "generate_content", "text_completion"})

# One of these marks a span of GenAI work, whoever emitted it. Not the agent's name: as a tag it is on every span.
_MARKERS: Final = frozenset(
    {
        "gen_ai.operation.name",
        "gen_ai.provider.name",
        "gen_ai.request.model",
        "gen_ai.system",
        "openinference.span.kind",
        "traceloop.span.kind",
        "llm.request.type",
    }
)
# Emitters that say what a span is only after it has started: everything under these scopes is GenAI work.
_SCOPES: Final = (
    NATIVE_ANTHROPIC_SCOPE,
    "opentelemetry.instrumentation.genai.",
    "openinference.instrumentation.",
    "openlit",
    "traceloop",
)
# OpenLLMetry names its scopes as OpenTelemetry names those of databases and web frameworks, so its clients are listed.
_OPENLLMETRY: Final = frozenset(
    f"opentelemetry.instrumentation.{client}"
    for client in (
        "alephalpha", "anthropic", "bedrock", "cohere", "crewai", "google_generativeai", "groq", "haystack", "langchain",
        "litellm", "llamaindex", "mcp", "mistralai", "ollama", "openai", "openai_agents", "openai_v2", "replicate",
        "sagemaker", "together", "transformers", "vertexai", "voyageai", "watsonx", "writer",
    )
)  # fmt: skip
_OPENINFERENCE_CALLS: Final = frozenset({"LLM", "EMBEDDING"})
_OPENLLMETRY_CALLS: Final = frozenset({"chat", "completion", "embedding"})


def attributes_now(span: ReadableSpan) -> dict[str, Any]:
    """Return a copy of a span's attributes: a live span locks and checks at each question, which costs more."""
    attributes: Any = span.attributes
    return attributes.copy() if hasattr(attributes, "copy") else dict(attributes or {})


def is_genai(span: ReadableSpan) -> bool:
    """Whether the span, as far as it is known yet, is GenAI work: a call, an agent, a tool, a workflow."""
    scope = span.instrumentation_scope
    name = scope.name if scope else ""
    return _is_genai_scope(name) or is_genai_work(name, attributes_now(span))


def is_genai_work(scope: str, attributes: Mapping[str, Any]) -> bool:
    """Whether a span of this scope with these attributes is GenAI work."""
    return _is_genai_scope(scope) or not _MARKERS.isdisjoint(attributes)  # the cheaper question first


@lru_cache(1024)
def _is_genai_scope(scope: str) -> bool:
    return scope.startswith(_SCOPES) or ".".join(scope.split(".")[:3]) in _OPENLLMETRY


def is_call_start(span: ReadableSpan) -> bool:
    """Whether a span that starts is one call of a model, by what it says of itself by then."""
    scope = span.instrumentation_scope
    return is_one_call(scope.name if scope else "", attributes_now(span))


def is_one_call(scope: str, attributes: Mapping[str, Any]) -> bool:
    """Whether a span of this scope that starts with these attributes is one call of a model."""
    return scope == NATIVE_ANTHROPIC_SCOPE or (
        attributes.get("gen_ai.operation.name") in BILLED_OPERATIONS
        or attributes.get("openinference.span.kind") in _OPENINFERENCE_CALLS
        or attributes.get("llm.request.type") in _OPENLLMETRY_CALLS
    )
