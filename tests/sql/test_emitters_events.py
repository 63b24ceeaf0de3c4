"""Calls that come as log events, counts that prove what they mean, names of the owner's own."""

from decimal import Decimal
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from spanledger_collector.receiver.door import OtlpRequest
from tests.ledger import Ledger, only
from tests.otlp import SpanSpec, chat, key_values

CLAUDE = {
    "event.name": "api_request",
    "event.sequence": 3,
    "session.id": "s1",
    "user.account_uuid": "u1",
    "organization.id": "org-1",
    "model": "claude-sonnet-4-5-20250929",
    "input_tokens": "50",
    "output_tokens": "60",
    "cache_read_tokens": "2000",
    "cache_creation_tokens": "1000",
    "cost_usd": "0.0054",
    "duration_ms": "1500",
}
CODEX = {
    "event.name": "codex.sse_event",
    "event.kind": "response.completed",
    "conversation.id": "c1",
    "model": "gpt-5-mini",
    "input_token_count": 3050,
    "output_token_count": 60,
    "cached_token_count": 2000,
    "reasoning_token_count": 30,
}
GEMINI = {
    "event.name": "gemini_cli.api_response",
    "session.id": "g1",
    "prompt_id": "g1########0",
    "model": "gemini-2.5-pro",
    "input_token_count": 12000,
    "cached_content_token_count": 8000,
    "output_token_count": 350,
    "thoughts_token_count": 420,
    "tool_token_count": 0,
    "total_token_count": 12770,
    "auth_type": "gemini-api-key",
    "status_code": 200,
    "duration_ms": 1200,
    "finish_reasons": ["stop"],
}
# The same response as the convention tells it: what was cached, and what was thought, is not in it.
GEMINI_AGAIN = {
    "event.name": "gen_ai.client.inference.operation.details",
    "session.id": "g1",
    "gen_ai.operation.name": "generate_content",
    "gen_ai.provider.name": "gcp.gemini",
    "gen_ai.request.model": "gemini-2.5-pro",
    "gen_ai.response.id": "Zm9vYmFyYmF6",
    "gen_ai.usage.input_tokens": 12000,
    "gen_ai.usage.output_tokens": 350,
}


def event(
    at: float, attributes: dict[str, Any], *, body: str = "", span: SpanSpec | None = None, scope: str = "codex_otel"
) -> OtlpRequest:
    message = ExportLogsServiceRequest()
    scoped = message.resource_logs.add().scope_logs.add()
    scoped.scope.name = "com.anthropic.claude_code.events" if body.startswith("claude") else scope
    record = scoped.log_records.add(time_unix_nano=int(at * 1e6) * 1000, attributes=key_values(attributes))
    record.body.string_value = body
    if span:
        record.trace_id, record.span_id = span.trace.to_bytes(16, "big"), span.span.to_bytes(8, "big")
    return OtlpRequest("logs", "protobuf", message.SerializeToString())


def test_each_of_very_many_requests_is_a_call_whatever_its_id_becomes(ledger: Ledger, recently: float) -> None:
    told = [event(recently, {**CLAUDE, "event.sequence": n}, body="claude_code.api_request") for n in range(1_000)]

    ledger.deliver_requests(*told)

    assert ledger.row("select count() as calls from calls") == {"calls": len(told)}


def test_a_request_of_claude_code_is_a_call_however_often_it_is_delivered(ledger: Ledger, recently: float) -> None:
    request = event(recently, CLAUDE, body="claude_code.api_request")

    ledger.deliver_requests(request, request)
    ledger.deliver_requests(request)
    call = only(ledger.booked())

    expected = {
        "provider": "anthropic",
        "model": "claude-sonnet-4-5",
        "input_tokens": 3050,
        "uncached_input_tokens": 50,
        "cache_write_tokens": 1000,
        "output_tokens": 60,
        "cost_usd": Decimal("0.0054"),
        "reported_cost_usd": Decimal("0.0054"),
        "session": "s1",
        "user": "u1",
        "account": "org-1",
        "duration_ms": 1500,
        "emitter": "claude-code",
        "usage_rule": "claude-code",
        "completeness": "priced",
    }
    assert {name: call[name] for name in expected} == expected


def test_two_requests_of_one_session_at_one_time_are_two_calls(ledger: Ledger, recently: float) -> None:
    ledger.deliver_requests(
        event(recently, CLAUDE, body="claude_code.api_request"),
        event(recently, {**CLAUDE, "event.sequence": 4}, body="claude_code.api_request"),
    )

    assert len(ledger.booked()) == 2


def test_a_finished_response_of_codex_is_a_call_and_its_other_events_are_not(ledger: Ledger, recently: float) -> None:
    ledger.deliver_requests(
        event(recently, CODEX),
        event(recently, {**CODEX, "event.kind": "response.output_text.delta"}),
        event(recently, {"event.name": "codex.user_prompt", "conversation.id": "c1"}),
    )
    call = only(ledger.booked())

    assert (call["provider"], call["emitter"], call["session"]) == ("openai", "codex", "c1")
    assert (call["input_tokens"], call["cache_read_tokens"], call["reasoning_tokens"]) == (3050, 2000, 30)
    assert call["cost_usd"] == Decimal(1050 * 25 + 60 * 200) / 10**8 + Decimal(2000 * 25) / 10**9


@pytest.mark.parametrize("within", [True, False])
def test_a_response_of_gemini_cli_is_one_call_with_what_was_cached_and_thought(
    ledger: Ledger, recently: float, within: bool
) -> None:
    span = SpanSpec(recently - 2, recently + 1, {}, scope="gemini-cli", name="generateContent") if within else None
    told = [
        event(recently + n / 1000, one, span=span, scope="gemini-cli") for n, one in enumerate((GEMINI, GEMINI_AGAIN))
    ]

    ledger.deliver_requests(*reversed(told))
    ledger.deliver_requests(*told)
    call = only(ledger.booked(*([span] if span else [])))

    assert (call["provider"], call["emitter"], call["session"]) == ("google", "gemini-cli", "g1")
    assert (call["input_tokens"], call["cache_read_tokens"]) == (12000, 8000)
    assert (call["output_tokens"], call["reasoning_tokens"]) == (770, 420)
    # 4,000 at 1.25, 8,000 cached at 0.125, 770 at 10 USD a million
    assert (call["completeness"], call["cost_usd"]) == ("priced", Decimal("0.0137"))


def test_requests_of_gemini_cli_at_one_time_are_calls_each_and_a_failed_one_is_not_billed(
    ledger: Ledger, recently: float
) -> None:
    refused = {"event.name": "gemini_cli.api_error", "session.id": "g1", "model": "gemini-2.5-pro",
               "error_type": "ApiError", "status_code": 429}  # fmt: skip
    ledger.deliver_requests(
        event(recently, GEMINI, scope="gemini-cli"),
        event(recently, {**GEMINI, "output_token_count": 1, "total_token_count": 12421}, scope="gemini-cli"),
        event(recently, {**GEMINI, "prompt_id": "other", "auth_type": "oauth-personal"}, scope="gemini-cli"),
        event(recently, refused, scope="gemini-cli"),
    )

    states = sorted(call["completeness"] for call in ledger.booked())
    assert states == ["failed_not_billed", "notional", "priced", "priced"]


def test_a_response_of_qwen_code_has_its_reasoning_inside_its_output(ledger: Ledger, recently: float) -> None:
    told = {
        "event.name": "qwen-code.api_response", "model": "qwen3-coder-plus", "response_id": "chatcmpl-" + "q" * 30,
        "input_token_count": 13472, "output_token_count": 101, "thoughts_token_count": 24, "total_token_count": 13573,
    }  # fmt: skip
    ledger.deliver_requests(event(recently, told, scope="qwen-code"))
    call = only(ledger.booked())

    assert (call["emitter"], call["input_tokens"], call["output_tokens"]) == ("qwen-code", 13472, 101)
    assert (call["reasoning_tokens"], call["response_id"]) == (24, "chatcmpl-" + "q" * 30)


def test_an_event_of_codex_within_its_span_is_the_call_and_names_the_model(ledger: Ledger, recently: float) -> None:
    counts = {"gen_ai.usage.input_tokens": 3050, "gen_ai.usage.output_tokens": 60}
    turn = SpanSpec(recently, recently + 9, {"codex.turn.token_usage.input_tokens": 3050}, scope="codex_cli_rs")
    span = SpanSpec(recently + 1, recently + 2, counts, trace=turn.trace, parent=turn.span, scope="codex_cli_rs")
    named = {name: value for name, value in CODEX.items() if not name.endswith("_count")}
    told = {**named, **counts, "gen_ai.usage.cache_read.input_tokens": 2000, "codex.usage.reasoning_output_tokens": 30}
    ledger.deliver_requests(event(recently + 2, told, span=span))
    call = only(ledger.booked(turn, span))

    assert (call["model"], call["input_tokens"], call["cache_read_tokens"]) == ("gpt-5-mini", 3050, 2000)
    assert (call["output_tokens"], call["reasoning_tokens"]) == (60, 30)


def test_a_subscription_pays_nothing_for_the_call(ledger: Ledger, recently: float) -> None:
    ledger.deliver_requests(event(recently, {**CODEX, "auth_mode": "ChatGPT"}))
    call = only(ledger.booked())

    assert (call["completeness"], call["cost_usd"]) == ("notional", 0)
    assert call["notional_usd"] == Decimal("0.0004325")


@pytest.mark.parametrize("first", ["span", "event"])
def test_an_event_about_a_landed_span_is_the_same_call(ledger: Ledger, recently: float, first: str) -> None:
    span = chat(
        recently, tokens=(3050, 60), extra={"gen_ai.response.id": "chatcmpl-" + "a" * 30, "spanledger.team": "a"}
    )
    details = {"event.name": "gen_ai.client.inference.operation.details", **span.attributes}
    request = event(recently + 1, details, span=span)

    for one in ("span", "event") if first == "span" else ("event", "span"):
        if one == "span":
            ledger.deliver(span)
        else:
            ledger.deliver_requests(request)
        ledger.booked()
    call = only(ledger.booked())

    assert (call["input_tokens"], call["output_tokens"], call["team"]) == (3050, 60, "a")


def test_an_event_whose_span_was_sampled_away_is_the_call(ledger: Ledger, recently: float) -> None:
    span = chat(recently)
    details = {"event.name": "gen_ai.client.inference.operation.details", **span.attributes}
    ledger.deliver_requests(event(recently + 1, details, span=span))

    assert only(ledger.booked())["input_tokens"] == 1000


REASONING = {"gen_ai.usage.reasoning_tokens": 40}
MESSAGES = {"gen_ai.provider.name": "anthropic.messages"}
NO_CACHE = "ai.usage.inputTokenDetails.noCacheTokens"
BEDROCK_CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
BEDROCK = {"gen_ai.provider.name": "aws.bedrock"}
ARN = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.x"
CLOUD = {"cloud.provider": "aws", "cloud.region": "eu-north-1", "cloud.account.id": "42"}
BATCH = {"spanledger.processing": "batch", "openai.response.service_tier": "default"}
CACHED = {"gen_ai.usage.cache_read.input_tokens": 2000, "gen_ai.usage.cache_creation.input_tokens": 1000}


@pytest.mark.parametrize(
    ("scope", "extra", "counts", "proof"),
    [
        ("somebody", {**CACHED, "gen_ai.usage.total_tokens": 8060}, (8000, 60), "cached tokens are on top"),
        ("somebody", {**CACHED, "gen_ai.usage.total_tokens": 5060}, (5000, 60), ""),
        ("somebody", {**REASONING, "gen_ai.usage.total_tokens": 5100}, (5000, 100), "reasoning is on top"),
        ("somebody", {"gen_ai.usage.reasoning_tokens": 100}, (5000, 160), "reasoning exceeds output"),
        ("langfuse-sdk", {**CACHED, "gen_ai.usage.total_tokens": 5060}, (5000, 60), "cached tokens are inside"),
        ("langfuse-sdk", CACHED, (8000, 60), ""),
        ("ai", {**CACHED, **MESSAGES}, (8000, 60), ""),
        ("ai", {**CACHED, **MESSAGES, NO_CACHE: 2000}, (5000, 60), "the uncached part is told"),
        ("aiohttp", CACHED, (5000, 60), ""),
        ("strands.telemetry.tracer", {**CACHED, "gen_ai.response.model": BEDROCK_CLAUDE}, (8000, 60), ""),
    ],
)  # fmt: skip
def test_what_the_counts_prove_beats_the_rule_and_is_told(
    ledger: Ledger, recently: float, scope: str, extra: dict[str, Any], counts: tuple[int, int], proof: str
) -> None:
    call = only(ledger.booked(chat(recently, tokens=(5000, 60), scope=scope, extra=extra)))

    assert (call["input_tokens"], call["output_tokens"]) == counts
    assert proof in call["usage_rule"]
    assert bool(proof) == ("," in call["usage_rule"])


@pytest.mark.parametrize(
    ("value", "kept"), [("3.6e-05", "0.000036"), (1000, None), (1100.0, None), (-1, None), (2, "2")]
)
def test_a_count_in_a_usd_attribute_is_no_cost(ledger: Ledger, recently: float, value: Any, kept: str | None) -> None:
    call = only(ledger.booked(chat(recently, extra={"gen_ai.usage.cost": value})))

    assert call["reported_cost_usd"] == (Decimal(kept) if kept else None)
    assert ("refused" in call["usage_rule"]) == (kept is None)


@pytest.mark.parametrize("operation", ["fetch_response", "aretrieve_batch", "retrieve_response"])
def test_fetching_what_is_finished_is_no_new_call(ledger: Ledger, recently: float, operation: str) -> None:
    fetches = [chat(recently + n, extra={"gen_ai.operation.name": operation}) for n in range(3)]

    assert len(ledger.booked(chat(recently), *fetches)) == 1


@pytest.mark.parametrize(
    ("extra", "facts"),
    [
        ({"server.address": "bedrock-runtime.eu-west-1.amazonaws.com", **BEDROCK}, ("", "eu-west-1", "")),
        ({**BEDROCK, "gen_ai.request.model": ARN}, ("123456789012", "us-east-1", "")),
        ({**BEDROCK, **CLOUD}, ("42", "eu-north-1", "")),
        (CLOUD, ("", "", "")),
        ({"server.address": "us-central1-aiplatform.googleapis.com"}, ("", "us-central1", "")),
        ({"server.address": "eu.api.openai.com"}, ("", "eu", "")),
        ({"server.address": "acme-1.openai.azure.com", "openai.response.service_tier": "flex"}, ("acme-1", "", "service_tier=flex")),
        ({"openai.organization": "org-1", **BATCH}, ("org-1", "", "processing=batch")),
        ({"spanledger.speed": "fast", "anthropic.response.service_tier": "batch"}, ("", "", "processing=batch,speed=fast")),
    ],
)  # fmt: skip
def test_account_region_and_price_context_are_read(
    ledger: Ledger, recently: float, extra: dict[str, Any], facts: tuple[str, str, str]
) -> None:
    call = only(ledger.booked(chat(recently, extra=extra)))

    assert (call["account"], call["region"], call["price_context"]) == facts


def test_a_name_of_the_owners_beats_every_other_and_can_be_taken_back(ledger: Ledger, recently: float) -> None:
    tags = {"cost_center": "cc-7", "spanledger.team": "ours"}

    def team(at: float, field: str) -> str:
        ledger.client.insert("own_attribute_names", [["cost_center", field]], column_names=["name", "field"])
        ledger.client.command("system reload dictionary attribute_dict")
        return str(ledger.booked(chat(at, extra=tags))[-1]["team"])

    assert [team(recently, "team"), team(recently + 1, "")] == ["cc-7", "ours"]
