"""What of a span may leave for the ledger: numbers, names and ids; no prompt, no answer, no credential.

Whoever sets an attribute, an emitter with content capture on or the application, the same table decides. In the
namespaces of GenAI emitters a text is content unless its name is listed: what an emitter invents tomorrow stays inside.
In the namespaces of the other conventions (HTTP, databases, clouds) it leaves unless its name says that it is a body, a
header or a statement. Under any other name, which is the application's own, a text leaves that is as short as a tag, on one
line: a cost centre does, a prompt that was noted down on a span does not.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from opentelemetry.sdk.trace import Event
from opentelemetry.trace import Link, StatusCode

from spanledger.genai import attributes_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.util.types import AttributeValue

__all__ = ["ledger_attributes", "ledger_events", "ledger_links", "ledger_name", "ledger_resource"]

# Texts of GenAI emitters that are facts, by full name.
_FACTS: Final = frozenset(
    [
        "gen_ai.operation.name",
        "gen_ai.provider.name",
        "gen_ai.system",
        "gen_ai.output.type",
        "gen_ai.token.type",
        "gen_ai.user",
        "gen_ai.agent.id",
        "gen_ai.agent.name",
        "gen_ai.agent.version",
        "gen_ai.conversation.id",
        "gen_ai.data_source.id",
        "gen_ai.workflow.name",
        "gen_ai.task.id",
        "gen_ai.task.kind",
        "gen_ai.task.name",
        "gen_ai.task.status",
        "gen_ai.prompt.name",
        "gen_ai.prompt.version",
        "gen_ai.evaluation.name",
        "gen_ai.evaluation.score.label",
        "gen_ai.tool.name",
        "gen_ai.tool.type",
        "gen_ai.tool.call.id",
        "gen_ai.openai.api_type",
        "gen_ai.openai.api_version",
        "gen_ai.request.model",
        "gen_ai.request.service_tier",
        "gen_ai.request.user",
        "gen_ai.request.encoding_formats",
        "gen_ai.request.reasoning_effort",
        "gen_ai.request.reasoning.level",
        "gen_ai.request.reasoning_summary",
        "gen_ai.request.previous_response.id",
        "gen_ai.openai.request.service_tier",
        "gen_ai.response.id",
        "gen_ai.response.model",
        "gen_ai.response.service_tier",
        "gen_ai.response.finish_reason",
        "gen_ai.response.finish_reasons",
        "gen_ai.response.stop_reason",
        "gen_ai.response.reasoning_effort",
        "gen_ai.openai.response.service_tier",
        "gen_ai.openai.response.system_fingerprint",
        "gen_ai.openai.system_fingerprint",
        "gen_ai.usage.cost",
        "gen_ai.usage.cost.currency",
        "gen_ai.usage.cost.source",
        "gen_ai.usage.token_type",
        "gen_ai.framework",
        "gen_ai.application_name",
        "gen_ai.environment",
        "openai.api.type",
        "openai.request.service_tier",
        "openai.response.service_tier",
        "openai.response.system_fingerprint",
        "anthropic.message.stop_reason",
        "anthropic.request.id",
        "anthropic.response.service_tier",
        "anthropic.thinking.type",
        "llm.provider",
        "llm.system",
        "llm.vendor",
        "llm.model_name",
        "llm.request.model_name",
        "llm.response.model_name",
        "llm.request.model",
        "llm.response.model",
        "llm.response.id",
        "llm.request.type",
        "llm.finish_reason",
        "llm.user",
        "llm.response.finish_reason",
        "llm.response.stop_reason",
        "llm.request.reasoning_effort",
        "embedding.model_name",
        "reranker.model_name",
        "tool.name",
        "tool.id",
        "agent.name",
        "prompt.id",
        "prompt.vendor",
        "openinference.span.kind",
        "graph.node.id",
        "graph.node.name",
        "graph.node.parent_id",
        "traceloop.span.kind",
        "traceloop.workflow.name",
        "traceloop.entity.name",
        "traceloop.entity.path",
        "traceloop.entity.version",
        "traceloop.correlation.id",
        "traceloop.prompt.key",
        "traceloop.prompt.version",
        "ai.operationId",
        "ai.model.id",
        "ai.model.provider",
        "ai.response.id",
        "ai.response.model",
        "ai.response.finishReason",
        "ai.telemetry.functionId",
        "ai.toolCall.name",
        "ai.toolCall.id",
        "litellm.team.id",
        "litellm.team.alias",
        "litellm.api_key.hash",
        "litellm.call_id",
        "litellm.model",
        "langfuse.user.id",
        "langfuse.session.id",
        "langfuse.trace.name",
        "langfuse.environment",
        "langfuse.release",
        "logfire.span_type",
        "input.mime_type",
        "output.mime_type",
    ]
)
# Texts that the application adds to say who a call is for, under names of its own.
_TAG_PREFIXES: Final = (
    "spanledger.",
    "traceloop.association.properties.",
    "ai.telemetry.metadata.",
    "gen_ai.cost.",
    "litellm.cost.",
)
_TAG_LENGTH_MAX: Final = 256

_GENAI_PREFIXES: Final = (
    *("gen_ai.", "openai.", "anthropic.", "aws.bedrock.", "gcp.vertex.", "google.", "cohere.", "mistral."),
    *("llm.", "ai.", "openinference.", "traceloop.", "logfire.", "langfuse.", "langsmith.", "litellm.", "lk."),
    *("mlflow.", "crewai.", "haystack.", "pydantic_ai.", "smolagents.", "dspy.", "mcp.", "weave.", "agno."),
    *("input.", "output.", "message.", "message_content.", "embedding.", "retrieval.", "reranker.", "document."),
    *("tool.", "tool_call.", "prompt.", "completion.", "agent.", "decision.", "annotation.", "evaluation."),
    *("image.", "audio.", "video.", "db.query.parameter.", "db.operation.parameter.", "pinecone.", "metadata."),
    *("http.request.header.", "http.response.header.", "http.request.body", "http.response.body", "rpc.request."),
    *("rpc.response.", "rpc.grpc.request.", "rpc.grpc.response.", "exception."),
)
_CONTENT_NAMES: Final = frozenset(
    [
        "all_messages",
        "all_messages_events",
        "answer",
        "completion",
        "content",
        "events",
        "final_result",
        "input",
        "message",
        "messages",
        "metadata",
        "model_request_parameters",
        "output",
        "prompt",
        "prompts",
        "question",
        "request_data",
        "response",
        "response_data",
        "text",
        "tool_arguments",
        "tool_response",
        "query",
        "exception.message",
        "exception.stacktrace",
        "url.query",
        "db.statement",
        "db.query.text",
        "db.query.summary",
        "graphql.document",
        "messaging.message.body",
        "process.command_line",
        "process.command_args",
    ]
)
# Names of addresses: what follows the question mark may be a key, or a question.
_ADDRESSES: Final = frozenset({"url.full", "http.url", "http.target", "server.address", "gen_ai.openai.api_base"})
_LENGTH_MAX: Final = 1024  # a longer text is no fact that a ledger can use

# Namespaces of conventions that are not about models.
_CONVENTIONS: Final = (
    *(
        "android.",
        "app.",
        "artifact.",
        "aws.",
        "az.",
        "azure.",
        "browser.",
        "cicd.",
        "client.",
        "cloud.",
        "cloudevents.",
    ),
    *("code.", "container.", "cpu.", "cpython.", "db.", "deployment.", "destination.", "device.", "dns.", "enduser."),
    *(
        "error.",
        "exception.",
        "faas.",
        "feature_flag.",
        "file.",
        "gcp.",
        "geo.",
        "graphql.",
        "heroku.",
        "host.",
        "http.",
    ),
    *("k8s.", "log.", "messaging.", "net.", "network.", "oci.", "os.", "otel.", "peer.", "process.", "rpc."),
    *("server.", "service.", "session.", "signalr.", "source.", "system.", "telemetry.", "test.", "thread.", "tls."),
    *("url.", "user.", "user_agent.", "vcs.", "webengine."),
)
_OWN_LENGTH_MAX: Final = 128  # of a tag, too
_NAME_LENGTH_MAX: Final = 256

# Kept from the ledger even by those who want content there.
_CREDENTIALS: Final = ("gen_ai.headers", "llm.headers", "http.request.header.", "http.response.header.")

_DROP, _TAG, _KEEP, _ADDRESS, _OWN = range(5)

# As tuples: a union of types takes four times as long to ask for, and this is asked of every attribute.
_NUMBERS: Final = (int, float)  # bool is one of them
_TEXTS: Final = (str, bytes)


def ledger_name(span: ReadableSpan, *, with_content: bool = False) -> str:
    """Return the name of a span; one that is no name but a text is replaced by its length."""
    name = span.name
    if with_content or (len(name) <= _NAME_LENGTH_MAX and name.isprintable()):
        return name
    return f"(a name of {len(name)} characters)"


def ledger_attributes(span: ReadableSpan, *, with_content: bool = False) -> dict[str, AttributeValue]:
    """Return the attributes of a span that leave, and the type of its error if only an event says it."""
    kept = _leaving(attributes_now(span), with_content=with_content)
    if not with_content and span.status.status_code is StatusCode.ERROR and "error.type" not in kept:
        kept |= _error_type(span)
    return kept


def ledger_resource(resource: Resource, *, with_content: bool = False) -> dict[str, AttributeValue]:
    """Return the attributes of a resource that leave: the same table decides."""
    return _leaving(resource.attributes, with_content=with_content)


def ledger_events(span: ReadableSpan, *, with_content: bool = False) -> Sequence[Event]:
    """Return the events of a span that leave: that there was an exception, and of which type."""
    if with_content:
        return span.events
    return [
        Event(event.name, {"exception.type": kind}, event.timestamp)
        for event in span.events
        if (kind := _exception_type(event)) is not None
    ]


def ledger_links(span: ReadableSpan, *, with_content: bool = False) -> Sequence[Link]:
    """Return the links of a span, with what may leave of their attributes."""
    if with_content or not span.links:
        return span.links
    return [Link(link.context, _kept(link.attributes or {})) for link in span.links]


def _leaving(attributes: Mapping[str, AttributeValue], *, with_content: bool) -> dict[str, AttributeValue]:
    if with_content:
        return {name: value for name, value in attributes.items() if not name.startswith(_CREDENTIALS)}
    return _kept(attributes)


def _kept(attributes: Mapping[str, AttributeValue]) -> dict[str, AttributeValue]:
    kept: dict[str, AttributeValue] = {}
    for name, value in attributes.items():
        if isinstance(value, _NUMBERS):
            kept[name] = value
            continue
        rule = _rule(name)
        if rule == _DROP or (rule == _OWN and not _is_as_a_tag(value)):
            continue
        if _length(value) > (_TAG_LENGTH_MAX if rule == _TAG else _LENGTH_MAX):
            continue
        kept[name] = value.partition("?")[0] if rule == _ADDRESS and isinstance(value, str) else value
    return kept


@lru_cache(maxsize=4096)
def _rule(name: str) -> int:
    if name in _FACTS or name.startswith(_TAG_PREFIXES):
        return _TAG
    if name in _ADDRESSES:
        return _ADDRESS
    if name in _CONTENT_NAMES or name.startswith(_GENAI_PREFIXES):
        return _DROP
    return _KEEP if name.startswith(_CONVENTIONS) else _OWN


def _is_as_a_tag(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _OWN_LENGTH_MAX and value.isprintable()


def _length(value: object) -> int:
    if isinstance(value, _TEXTS):
        return len(value)
    if isinstance(value, list | tuple):  # of texts, or of numbers: a long one is a vector
        return sum(len(item) if isinstance(item, _TEXTS) else 16 for item in value)
    return _LENGTH_MAX + 1  # nested: of an interface that comes, and large


def _exception_type(event: Event) -> str | None:
    kind = (event.attributes or {}).get("exception.type")
    return kind[:_TAG_LENGTH_MAX] if event.name == "exception" and isinstance(kind, str) else None


def _error_type(span: ReadableSpan) -> dict[str, AttributeValue]:
    kinds = [kind for event in span.events if (kind := _exception_type(event)) is not None]
    return {"error.type": kinds[-1]} if kinds else {}
