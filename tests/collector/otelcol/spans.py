"""Calls as several emitters tell them, made with the OpenTelemetry SDK."""

import json
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, Status, StatusCode

from tests.collector.otelcol.processes import USER
from tests.otlp import key_values

SECRET: Final = "the parrot that nobody may hear of"
GENAI: Final = "opentelemetry.instrumentation.genai.openai"

_OPENAI: Final[dict[str, Any]] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.response.model": "gpt-4o-mini",
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.usage.input_tokens": 1203,
    "gen_ai.usage.output_tokens": 107,
}
# Scope -> attributes: what each emitter says of a call, in its own words.
EMITTED: Final[list[tuple[str, Mapping[str, Any]]]] = [
    (GENAI, {**_OPENAI, "gen_ai.input.messages": json.dumps([{"role": "user", "content": SECRET}])}),
    (GENAI, {**_OPENAI, "gen_ai.usage.cache_read.input_tokens": 1000, "spanledger.team": "search", "user.id": USER}),
    (
        GENAI,
        {
            **_OPENAI,
            "gen_ai.response.model": "a-model-without-a-price",
            "gen_ai.request.model": "a-model-without-a-price",
        },
    ),
    (GENAI, {name: value for name, value in _OPENAI.items() if "usage" not in name}),
    (
        "opentelemetry.instrumentation.anthropic",
        {
            "gen_ai.system": "Anthropic",
            "gen_ai.request.model": "claude-sonnet-4-5",
            "gen_ai.response.model": "claude-sonnet-4-5-20250929",
            "gen_ai.usage.input_tokens": 3021,
            "gen_ai.usage.output_tokens": 411,
            "gen_ai.usage.cache_creation_input_tokens": 2000,
            "gen_ai.response.stop_reason": "end_turn",
            "gen_ai.prompt.0.content": SECRET,
            "llm.request.type": "chat",
            "traceloop.entity.input": SECRET,
        },
    ),
    (
        "openinference.instrumentation.openai",
        {
            "openinference.span.kind": "LLM",
            "llm.model_name": "gpt-4o",
            "llm.provider": "openai",
            "llm.token_count.prompt": 800,
            "llm.token_count.completion": 90,
            "llm.token_count.prompt_details.cache_read": 500,
            "llm.invocation_parameters": json.dumps({"user": USER, "stop": SECRET}),
            "input.value": SECRET,
        },
    ),
    (
        "litellm",
        {
            **_OPENAI,
            "metadata.usage_object": "{'prompt_tokens_details': {'cached_tokens': 1100, 'text': '"
            + SECRET
            + "'}, 'speed': None}",
            "metadata.user_api_key_team_alias": "billing",
            "metadata.user_api_key_user_id": USER,
        },
    ),
    (
        "ai",
        {
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.model.id": "gpt-4o-mini",
            "ai.model.provider": "openai.chat",
            "ai.response.model": "gpt-4o-mini",
            "ai.usage.promptTokens": 640,
            "ai.usage.completionTokens": 32,
            "ai.response.finishReason": "stop",
            "ai.response.providerMetadata": json.dumps({"openai": {"cachedPromptTokens": 512, "logprobs": SECRET}}),
            "ai.prompt": SECRET,
            "ai.telemetry.metadata.userId": USER,
        },
    ),
]


def sdk_spans(start: float, *, tenant: str = "") -> list[ReadableSpan]:
    """Return calls that end a second after they begin, a minute apart, with content wherever a span can hold a text."""
    memory = InMemorySpanExporter()
    attributes = {"service.name": "shop", "process.command_line": SECRET} | ({"tenant.id": tenant} if tenant else {})
    provider = TracerProvider(resource=Resource(attributes))
    provider.add_span_processor(SimpleSpanProcessor(memory))
    for number, (scope, emitted) in enumerate(EMITTED):
        began = int((start + 60 * number) * 1e9)
        said = dict(emitted) | ({"spanledger.tenant": tenant, "tenant_id": tenant} if tenant else {})
        linked = Link(SpanContext(7, 7, is_remote=True), {"note": f"{SECRET}\n", "gen_ai.prompt": SECRET})
        span = provider.get_tracer(scope, "1.3b0").start_span("chat", start_time=began, attributes=said, links=[linked])
        span.set_attribute("an.own.note", f"{SECRET}\nin two lines")
        span.add_event("gen_ai.content.prompt", {"gen_ai.prompt": SECRET}, began)
        span.add_event(SECRET + "\n", {"body": SECRET}, began)
        span.end(end_time=began + 1_000_000_000)
    failed = provider.get_tracer(GENAI).start_span(
        f"chat\n{SECRET}", start_time=int((start + 900) * 1e9), attributes={**_OPENAI, "error.type": "RateLimitError"}
    )
    failed.set_status(Status(StatusCode.ERROR, SECRET))
    failed.record_exception(ValueError(SECRET), {"exception.stacktrace": SECRET})
    failed.end(end_time=int((start + 901) * 1e9))
    provider.get_tracer("a.web.framework").start_span("GET /", start_time=int(start * 1e9)).end(int((start + 1) * 1e9))
    provider.shutdown()
    return list(memory.get_finished_spans())


def log_events(start: float, *, tenant: str = "") -> bytes:
    """Return a request with a call that Claude Code tells as a log event, with a prompt, and with texts of an application."""
    message = ExportLogsServiceRequest()
    of_resource = message.resource_logs.add()
    of_resource.resource.attributes.extend(
        key_values({"service.name": "claude-code", **({"tenant.id": tenant} if tenant else {})})
    )
    scoped = of_resource.scope_logs.add()
    scoped.scope.name = "com.anthropic.claude_code.events"
    scoped.scope.attributes.extend(key_values({"input.value": SECRET}))
    call: dict[str, Any] = {
        "event.name": "api_request",
        "event.sequence": 1,
        "session.id": "s-1",
        "user.email": USER,
        "model": "claude-sonnet-4-5",
        "input_tokens": "900",
        "output_tokens": "70",
        "cache_read_tokens": "300",
        "cache_creation_tokens": "0",
        "duration_ms": "1200",
    }
    records: list[tuple[str, str, dict[str, Any]]] = [
        ("claude_code.api_request", "", call),
        (
            "claude_code.user_prompt",
            "",
            {"event.name": "user_prompt", "prompt": SECRET, "prompt_length": 34, "user.email": USER},
        ),
        (SECRET, "gen_ai.user.message", {"content": SECRET}),
    ]
    for body, event, attributes in records:
        record = scoped.log_records.add(time_unix_nano=int(start * 1e9), severity_text="INFO", event_name=event)
        record.body.string_value = body
        record.attributes.extend(key_values(attributes))
    nested = scoped.log_records.add(time_unix_nano=int(start * 1e9), event_name="gen_ai.choice")
    nested.body.kvlist_value.values.extend(key_values({"content": SECRET}))
    nested.attributes.add(key="own").value.kvlist_value.values.extend(key_values({"deep": SECRET}))
    return bytes(message.SerializeToString())
