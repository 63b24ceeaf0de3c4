"""Emitters that could not be run here: spans by the names that they document, through the real path."""

import time
from decimal import Decimal
from typing import Any

import pytest

from tests.ledger import Ledger
from tests.otlp import SpanSpec

# gpt-4o: 2.5 USD a million input tokens, half of it from the cache, 10 USD a million output tokens.
CACHED_CALL = Decimal("0.00275")
OPENAI = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
}
COUNTS = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100}
CACHED = {"gen_ai.usage.cache_read.input_tokens": 600}

EMITTERS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "OpenLIT": (
        "openlit.instrumentation.openai",
        OPENAI | COUNTS | CACHED
        | {"gen_ai.system": "openai", "gen_ai.usage.cost": 0.0, "gen_ai.request.user": "ana", "deployment.environment": "prod"},
        {"emitter": "openlit", "user": "ana", "environment": "prod", "completeness": "priced", "cost_usd": CACHED_CALL},
    ),
    "OpenLIT, a stream whose counts it made up": (
        "openlit.instrumentation.openai",
        OPENAI | COUNTS | {"gen_ai.system": "openai", "gen_ai.request.is_stream": True},
        {"emitter": "openlit", "completeness": "estimated", "cost_usd": None},
    ),
    "LiteLLM v2": (
        "litellm",
        OPENAI | COUNTS | CACHED
        | {"gen_ai.provider.name": "openai", "litellm.cost.total": "0.00275", "litellm.team.alias": "search", "litellm.api_key.hash": "ab"},
        {
            "emitter": "litellm", "team": "search", "completeness": "priced", "cost_usd": CACHED_CALL,
            "reported_cost_usd": CACHED_CALL,
        },
    ),
    "Portkey": (
        "opentelemetry.instrumentation.genai.portkey",
        OPENAI | COUNTS | CACHED | {"gen_ai.provider.name": "openai", "gen_ai.response.finish_reasons": ["stop"]},
        {"completeness": "priced", "cost_usd": CACHED_CALL},
    ),
    "Sentry": (
        "sentry.python",
        {
            "gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.input_tokens.cached": 600,
            "gen_ai.usage.output_tokens": 100, "gen_ai.usage.output_tokens.reasoning": 40, "gen_ai.usage.total_tokens": 1100,
        },
        {"emitter": "sentry", "completeness": "priced", "cost_usd": CACHED_CALL, "reasoning_tokens": 40, "output_tokens": 100},
    ),
    "Semantic Kernel": (
        "Microsoft.SemanticKernel.Diagnostics",
        {
            "gen_ai.operation.name": "chat.completions", "gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.prompt_tokens": 1000, "gen_ai.response.completion_tokens": 100,
            "gen_ai.response.finish_reason": "[Stop]", "gen_ai.response.id": "N/A",
        },
        {"emitter": "semantic-kernel", "completeness": "priced", "cost_usd": Decimal("0.0035"), "response_id": ""},
    ),
    "Microsoft.Extensions.AI": (
        "Experimental.Microsoft.Extensions.AI",
        OPENAI | COUNTS | CACHED | {"gen_ai.provider.name": "openai", "gen_ai.response.finish_reasons": '["stop"]'},
        {"emitter": "microsoft-extensions-ai", "completeness": "priced", "cost_usd": CACHED_CALL},
    ),
    "Mastra": (
        "@mastra/otel-exporter",
        OPENAI | COUNTS | {"gen_ai.provider.name": "openai", "gen_ai.usage.cached_input_tokens": 600},
        {"emitter": "mastra", "completeness": "priced", "cost_usd": CACHED_CALL},
    ),
    "OpenRouter": (
        "openrouter",
        OPENAI | COUNTS
        | {
            "gen_ai.provider.name": "openai", "gen_ai.request.model": "openai/gpt-4o", "gen_ai.response.model": "openai/gpt-4o",
            "gen_ai.usage.input_tokens.cached": 600, "gen_ai.usage.total_cost": 0.00275,
        },
        {"emitter": "openrouter", "completeness": "priced", "cost_usd": CACHED_CALL, "reported_cost_usd": CACHED_CALL},
    ),
    "Spring AI, whose counts are strings": (
        "org.springframework.boot",
        OPENAI
        | {
            "gen_ai.system": "openai", "gen_ai.usage.input_tokens": "1000", "gen_ai.usage.output_tokens": "100",
            "gen_ai.usage.total_tokens": "1100", "gen_ai.response.finish_reasons": '["STOP"]',
        },
        {"completeness": "priced", "cost_usd": Decimal("0.0035")},
    ),
    "Java": (
        "io.opentelemetry.openai-java-1.1",
        OPENAI | COUNTS | {"gen_ai.system": "openai", "gen_ai.response.finish_reasons": ["stop"]},
        {"completeness": "priced", "cost_usd": Decimal("0.0035")},
    ),
    "OpenLLMetry for JavaScript": (
        "@traceloop/instrumentation-openai",
        {
            "gen_ai.system": "OpenAI", "llm.request.type": "chat", "gen_ai.request.model": "gpt-4o", "llm.usage.total_tokens": 1100,
            "gen_ai.response.model": "gpt-4o-2024-08-06", "gen_ai.usage.prompt_tokens": 1000, "gen_ai.usage.completion_tokens": 100,
        },
        {"emitter": "openllmetry", "completeness": "priced", "cost_usd": Decimal("0.0035")},
    ),
    "OpenInference for JavaScript": (
        "@arizeai/openinference-instrumentation-openai",
        {
            "openinference.span.kind": "LLM", "llm.system": "openai", "llm.model_name": "gpt-4o", "llm.token_count.prompt": 1000,
            "llm.token_count.prompt_details.cache_read": 600, "llm.token_count.completion": 100, "llm.token_count.total": 1100,
        },
        {"emitter": "openinference", "completeness": "priced", "cost_usd": CACHED_CALL},
    ),
    "Sentry, older names": (
        "sentry.python",
        {
            "gen_ai.system": "openai", "ai.model_id": "gpt-4o", "ai.prompt_tokens.used": 1000,
            "ai.completion_tokens.used": 100, "ai.total_tokens.used": 1100, "ai.pipeline.name": "helpdesk",
        },
        {"emitter": "sentry", "completeness": "priced", "cost_usd": Decimal("0.0035"), "feature": "helpdesk"},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def calls(_ledger_of_module: Ledger) -> dict[str, dict[str, Any]]:
    """The calls of all emitters by name, each delivered twice."""
    start = float(int(time.time()) - 3 * 3600)
    spans = [
        SpanSpec(start + at, start + at + 1, attributes, scope=scope, service=name)
        for at, (name, (scope, attributes, _)) in enumerate(EMITTERS.items())
    ]
    found = _ledger_of_module.settled(*spans, *spans)
    assert len(found) == len(spans)
    return {call["service"]: call for call in found}


@pytest.mark.parametrize("name", EMITTERS)
def test_an_emitter_is_read_by_the_names_that_it_documents(calls: dict[str, dict[str, Any]], name: str) -> None:
    call, (_, _, expected) = calls[name], EMITTERS[name]

    assert {column: call[column] for column in expected} == expected
    assert (call["provider"], call["model"], call["input_tokens"]) == ("openai", "gpt-4o", 1000)


def test_calls_that_share_a_word_for_their_missing_id_are_calls_each(ledger: Ledger, recently: float) -> None:
    scope, attributes, _ = EMITTERS["Semantic Kernel"]
    spans = [SpanSpec(recently, recently + 1, attributes, scope=scope) for _ in range(3)]

    assert len(ledger.booked(*spans)) == 3


def test_the_api_s_own_span_within_the_client_s_is_the_same_call(ledger: Ledger, recently: float) -> None:
    told = {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-4-5",
        "gen_ai.response.id": "msg_01" + "a" * 22, "gen_ai.usage.input_tokens": 3050, "gen_ai.usage.output_tokens": 60,
        "gen_ai.usage.cache_read.input_tokens": 1000, "gen_ai.usage.cache_write.input_tokens": 2000,
    }  # fmt: skip
    split = {"anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 2000}
    client = SpanSpec(recently, recently + 1, told | split | {"user.id": "ana"}, scope="com.anthropic.sdk.typescript")
    api = SpanSpec(
        recently + 0.1, recently + 0.9, told, trace=client.trace, parent=client.span,
        scope="com.anthropic.claude-platform", service="claude-platform",
    )  # fmt: skip
    [call] = ledger.booked(api, client)

    assert call["service"] == client.service
    assert (call["user"], call["uncached_input_tokens"], call["cache_write_1h_tokens"]) == ("ana", 50, 2000)
    # 50 at 3, 1,000 read at 0.30, 2,000 kept for an hour at 6, 60 at 15 USD a million
    assert call["cost_usd"] == Decimal("0.01335")
