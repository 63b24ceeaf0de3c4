"""What a span says becomes one typed row: tokens by the emitter's meaning, cost to the last digit or honestly unknown."""

from decimal import Decimal
from typing import Any

import pytest

from tests.ledger import Ledger, only
from tests.otlp import SpanSpec, chat, request

# gpt-4o-mini, USD per token
INPUT, CACHED, OUTPUT = Decimal("0.00000015"), Decimal("0.000000075"), Decimal("0.0000006")
NATIVE = "com.anthropic.sdk.python"


def booked(ledger: Ledger, span: SpanSpec) -> dict[str, Any]:
    return only(ledger.booked(span))


def test_a_call_becomes_a_row_with_everything_the_span_said(ledger: Ledger, recently: float) -> None:
    tags = {
        "spanledger.tenant": "acme",
        "spanledger.team": "support",
        "spanledger.feature": "chat",
        "user.id": "u1",
        "session.id": "s1",
        "spanledger.task": "resolve",
        "spanledger.task.id": "t1",
        "gen_ai.agent.name": "helper",
        "spanledger.agent.step": "plan",
    }
    span = chat(
        recently,
        seconds=1.5,
        extra={
            **tags,
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.usage.cache_read.input_tokens": 400,
            "gen_ai.usage.reasoning.output_tokens": 30,
            "gen_ai.response.time_to_first_chunk": 0.25,
            "openai.response.service_tier": "default",
            "spanledger.attempts": 2,
        },
    )

    ledger.deliver(span, resource={"deployment.environment.name": "prod"})
    call = only(ledger.booked())

    expected = {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "response_id": "chatcmpl-1",
        "service": "app",
        "environment": "prod",
        "tenant": "acme",
        "team": "support",
        "feature": "chat",
        "user": "u1",
        "session": "s1",
        "task": "resolve",
        "task_id": "t1",
        "outcome": None,
        "agent": "helper",
        "agent_step": "plan",
        "provider": "openai",
        "model": "gpt-4o-mini",
        "model_raw": "gpt-4o-mini",
        "operation": "chat",
        "service_tier": "default",
        "input_tokens": 1000,
        "uncached_input_tokens": 600,
        "cache_read_tokens": 400,
        "cache_write_tokens": 0,
        "output_tokens": 100,
        "reasoning_tokens": 30,
        "cost_usd": 600 * INPUT + 400 * CACHED + 100 * OUTPUT,
        "completeness": "priced",
        "status": "ok",
        "attempts": 2,
        "duration_ms": 1500,
        "time_to_first_token_ms": 250,
        "emitter": "otel",
        "usage_rule": "otel-genai",
    }
    assert {name: call[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("scope", "provider", "stated", "total"),
    [
        ("opentelemetry.instrumentation.genai.anthropic", "anthropic", 3050, 3050),
        (NATIVE, "anthropic", 3050, 3050),
        ("openinference.instrumentation.anthropic", "anthropic", 3050, 3050),
        ("openlit.instrumentation.anthropic", "anthropic", 50, 3050),
        ("opentelemetry.instrumentation.genai.bedrock", "aws.bedrock", 50, 3050),
        ("somebody.else", "anthropic", 50, 3050),  # less input than cached: it cannot be included
        ("openlit.instrumentation.anthropic", "anthropic", 5000, 8000),  # excluded, although it would fit
    ],
)
def test_whether_input_includes_cached_tokens_depends_on_who_says_it(
    ledger: Ledger, recently: float, scope: str, provider: str, stated: int, total: int
) -> None:
    span = chat(
        recently,
        tokens=(stated, 60),
        scope=scope,
        extra={
            "gen_ai.provider.name": provider,
            "gen_ai.usage.cache_read.input_tokens": 2000,
            "gen_ai.usage.cache_creation.input_tokens": 1000,
        },
    )

    call = booked(ledger, span)

    assert (call["input_tokens"], call["uncached_input_tokens"]) == (total, total - 3000)


def test_cache_writes_of_an_hour_cost_more_than_those_of_five_minutes(ledger: Ledger, recently: float) -> None:
    usage = {
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-sonnet-4-5",
        "gen_ai.response.model": "claude-sonnet-4-5",
        "gen_ai.usage.cache_read.input_tokens": 2000,
        "gen_ai.usage.cache_write.input_tokens": 1000,
        "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 400,
    }

    call = booked(ledger, chat(recently, tokens=(3050, 60), scope=NATIVE, extra=usage))

    # USD per million: input 3, cache read 0.3, write 3.75 (5 minutes) and 6 (an hour), output 15
    assert (
        call["cost_usd"]
        == Decimal(50 * 3 + 60 * 15) / 10**6
        + Decimal(2000 * 3) / 10**7
        + Decimal(600 * 375) / 10**8
        + Decimal(400 * 6) / 10**6
    )
    assert call["cache_write_1h_tokens"] == 400


@pytest.mark.parametrize(
    ("span", "completeness"),
    [
        ({"tokens": (10, 1)}, "priced"),
        ({"tokens": None}, "no_usage"),
        (
            {"tokens": (10, 1), "extra": {"gen_ai.request.model": "house-7b", "gen_ai.response.model": "house-7b"}},
            "unpriced_model",
        ),
        ({"tokens": (10, 1), "extra": {"gen_ai.request.model": None, "gen_ai.response.model": None}}, "unpriced_model"),
        ({"tokens": None, "error": True, "extra": {"error.type": "openai.RateLimitError"}}, "failed_not_billed"),
        ({"tokens": None, "error": True, "extra": {"http.response.status_code": 500}}, "failed_not_billed"),
        ({"tokens": None, "error": True, "extra": {"error.type": "openai.APITimeoutError"}}, "failed_maybe_billed"),
        ({"tokens": (10, 1), "error": True}, "estimated"),
        (
            {"tokens": (10, 1), "extra": {"gen_ai.request.stream": True, "gen_ai.response.finish_reasons": None}},
            "estimated",
        ),
        ({"tokens": (10, 1), "extra": {"openai.response.service_tier": "scale"}}, "estimated"),
        ({"tokens": (10, 1), "scope": "openlit.openai", "extra": {"gen_ai.request.stream": True}}, "estimated"),
        ({"tokens": (0, 0)}, "no_usage"),
        ({"tokens": (0, 100)}, "estimated"),
        ({"tokens": (-5, 100)}, "estimated"),
        ({"tokens": None, "extra": {"gen_ai.usage.input_tokens": 10}}, "priced"),  # this emitter leaves zeros out
        ({"tokens": None, "scope": "somebody", "extra": {"gen_ai.usage.input_tokens": 10}}, "estimated"),
        ({"tokens": (10, 1), "extra": {"gen_ai.usage.cache_read.input_tokens": "1,000"}}, "estimated"),
    ],
)
def test_every_call_has_a_state_and_only_known_cost_is_a_number(
    ledger: Ledger, recently: float, span: dict[str, Any], completeness: str
) -> None:
    call = only(ledger.settled(chat(recently, **span)))
    total = ledger.row("select * except hour from cost_by_team")

    known = completeness in {"priced", "failed_not_billed"}
    assert call["completeness"] == completeness
    assert (call["cost_usd"] is None) == (not known)
    assert (total["cost_usd"] is None, total["unknown_calls"]) == (not known, int(not known))
    assert total["known_usd"] == (call["cost_usd"] or 0)
    assert ledger.row("select completeness, calls, unknown from completeness") == {
        "completeness": completeness,
        "calls": 1,
        "unknown": int(not known),
    }


@pytest.mark.parametrize("value", ["12", "12.0", 12, 12.0])
def test_counts_come_as_numbers_and_as_strings(ledger: Ledger, recently: float, value: str | float) -> None:
    assert booked(ledger, chat(recently, tokens=None, extra={"gen_ai.usage.input_tokens": value}))["input_tokens"] == 12


@pytest.mark.parametrize("value", ["", "many", "-5", "NaN", "12.5"])
def test_what_is_no_count_is_no_usage(ledger: Ledger, recently: float, value: str) -> None:
    call = booked(ledger, chat(recently, tokens=None, extra={"gen_ai.usage.input_tokens": value}))

    assert (call["completeness"], call["cost_usd"]) == ("no_usage", None)


def test_the_names_of_older_and_other_conventions_are_read(ledger: Ledger, recently: float) -> None:
    span = SpanSpec(
        recently,
        recently + 1,
        {
            "openinference.span.kind": "LLM",
            "llm.provider": "openai",
            "llm.model_name": "gpt-4o-mini",
            "llm.token_count.prompt": 1000,
            "llm.token_count.completion": 100,
            "llm.token_count.prompt_details.cache_read": 400,
        },
        scope="openinference.instrumentation.openai",
    )

    call = booked(ledger, span)

    assert (call["operation"], call["emitter"], call["cost_usd"]) == (
        "chat",
        "openinference",
        600 * INPUT + 400 * CACHED + 100 * OUTPUT,
    )


def test_a_users_own_attribute_becomes_a_tag_by_one_row(ledger: Ledger, recently: float) -> None:
    ledger.client.command("insert into attribute_names values ('cost_center', 'team', 9, 'user')")
    ledger.client.command("system reload dictionary attribute_dict")

    assert booked(ledger, chat(recently, extra={"cost_center": "cc-7"}))["team"] == "cc-7"


def test_a_tag_of_the_resource_counts_where_the_span_has_none(ledger: Ledger, recently: float) -> None:
    own, inherited = chat(recently, extra={"spanledger.team": "own"}), chat(recently + 1)

    ledger.deliver(own, inherited, resource={"spanledger.team": "of-the-service"})
    ledger.booked()

    assert [row["team"] for row in ledger.rows("select team from calls order by ts")] == ["own", "of-the-service"]


def test_the_host_tells_the_provider_that_the_openai_client_talks_to(ledger: Ledger, recently: float) -> None:
    span = chat(recently, extra={"server.address": "my-resource.openai.azure.com", "server.port": 443})

    assert booked(ledger, span)["provider"] == "azure"


def test_the_outcome_of_a_task_joins_its_calls(ledger: Ledger, recently: float) -> None:
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

    from spanledger_collector.receiver.door import OtlpRequest
    from tests.otlp import key_values

    message = ExportLogsServiceRequest()
    record = (
        message.resource_logs.add()
        .scope_logs.add()
        .log_records.add(time_unix_nano=int(recently * 1e9), event_name="spanledger.outcome")
    )
    record.attributes.extend(
        key_values({"spanledger.task.id": "t1", "spanledger.task": "resolve", "spanledger.outcome": "resolved"})
    )

    ledger.deliver_requests(OtlpRequest("logs", "protobuf", message.SerializeToString()))

    assert booked(ledger, chat(recently, extra={"spanledger.task.id": "t1"}))["outcome"] == "resolved"


def test_json_and_protobuf_give_the_same_row(ledger: Ledger, recently: float) -> None:
    from google.protobuf.json_format import MessageToDict
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    from tests.otlp_json import as_otlp_json

    span = chat(recently, extra={"spanledger.team": "a", "x.flag": True, "x.share": 0.5, "x.names": ["a", 1]})
    protobuf = request([span])
    ledger.deliver_requests(protobuf)
    ledger.deliver_requests(as_otlp_json(MessageToDict(ExportTraceServiceRequest.FromString(protobuf.body))))

    rows = ledger.rows("select * from otel_traces")

    assert len(rows) == 2
    assert rows[0] == rows[1]
    assert only(ledger.booked())["team"] == "a"


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"trace": 0}, "trace id"),
        ({"span": 0}, "span id"),
        ({"start": 1.0}, "before the ledger's retention"),
        ({"start": 4e9, "end": 4e9 + 1}, "in the future"),
        ({"end": 4e9}, "longer than ten days"),
    ],
)
def test_an_impossible_span_is_kept_aside_and_costs_its_neighbour_nothing(
    ledger: Ledger, recently: float, broken: dict[str, Any], reason: str
) -> None:
    impossible = chat(recently)
    for name, value in broken.items():
        setattr(impossible, name, value)

    assert len(ledger.booked(impossible, chat(recently))) == 1
    assert reason in ledger.row("select reason from quarantined_spans")["reason"]
