"""Attacks on the reader: counts and errors that were read as wrong money."""

import json
import time
from decimal import Decimal
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from spanledger_collector.receiver.door import OtlpRequest
from tests.ledger import Ledger
from tests.otlp import SpanSpec, chat, key_values
from tests.sql.cases import chat_of

SONNET = "claude-sonnet-4-5"
READ = "gen_ai.usage.cache_read.input_tokens"
AUDIO = {"gen_ai.usage.audio.input_tokens": 900, "gen_ai.usage.audio.output_tokens": 90}
SPLIT_5M = {"input_cache_creation": 0, "input_ephemeral_5m_input_tokens": 2000, "input_ephemeral_1h_input_tokens": 0}
SPLIT_BOTH = {"input_cache_creation_5m": 1500, "input_cache_creation_1h": 500}
Row = dict[str, Any]


def langfuse(at: float, **split: int) -> SpanSpec:
    usage = {"input": 50, "output": 500, "total": 3550, "input_cache_read": 1000, **split}
    return SpanSpec(
        at,
        at + 1,
        {
            "langfuse.observation.type": "generation",
            "langfuse.observation.model.name": SONNET,
            "langfuse.observation.usage_details": json.dumps(usage),
        },
        scope="langfuse-sdk",
        version="3.9",
    )


def bedrock(at: float, provider: str) -> SpanSpec:
    model, scope = "anthropic.claude-sonnet-4-5-20250929-v1:0", "openlit.instrumentation.bedrock"
    return chat_of(model, provider, at, (5000, 10), scope=scope, extra={READ: 100})


def failed(at: float, name: str, status: int | None = None) -> SpanSpec:
    return chat(at, tokens=None, error=True, extra={"error.type": name, "http.response.status_code": status})


def totalled(at: float, total: int) -> SpanSpec:
    return chat(at, tokens=(100, 10), extra={"gen_ai.usage.total_tokens": total})


def claude_code(at: float, counts: tuple[int, int, int, int]) -> OtlpRequest:
    names = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens")
    told = {name: str(count) for name, count in zip(names, counts, strict=True)}
    message = ExportLogsServiceRequest()
    resource = message.resource_logs.add()
    resource.resource.attributes.extend(key_values({"service.name": "claude-code"}))
    record = resource.scope_logs.add().log_records.add(
        time_unix_nano=int(at * 1e6) * 1000,
        attributes=key_values({"event.name": "api_request", "session.id": "s1", "model": SONNET, **told}),
    )
    record.body.string_value = "claude_code.api_request"
    return OtlpRequest("logs", "protobuf", message.SerializeToString())


def openai(at: float, **extra: Any) -> SpanSpec:
    return chat_of("gpt-4o", "openai", at, (1000, 100), extra=extra)


NOT_BILLED = (
    *("openai.RateLimitError", "rate_limit_exceeded", "litellm.exceptions.BadRequestError", "NotFoundError", "429"),
    *("google.api_core.exceptions.ResourceExhausted", "InternalServerException", "overloaded_error", "ModelNotFound"),
)
MAYBE_BILLED = (
    *("UserNotFoundError", "OutputParserException: invalid request", "ConflictResolutionFailed", "PermissionError"),
    *("PermissionDenied in callback", "504", "408", "openai.APITimeoutError", "google.api_core.DeadlineExceeded"),
)
STATUSES = (408, 499, 504, 522, 524)


def spans(at: float) -> dict[str, SpanSpec]:
    return {
        **{f"bedrock {name}": bedrock(at, name) for name in ("aws.bedrock", "aws", "bedrock")},
        "split 5m": langfuse(at, **SPLIT_5M),
        "split both": langfuse(at, **SPLIT_BOTH),
        "total 110": totalled(at, 110),
        "total 150": totalled(at, 150),
        "unreadable": chat_of(
            SONNET, "anthropic", at, (100_000, 10), extra={READ: "99k", "gen_ai.request.max_tokens": 100}
        ),
        "invented": chat(at, tokens=(29, 15), scope="openlit.openai", extra={"gen_ai.request.stream": True}),
        "audio exceeds": openai(at, **{"gen_ai.usage.audio.input_tokens": 1900}),
        "audio as text": chat_of("gpt-4o-audio-preview", "openai", at, (1000, 100), extra=AUDIO),
        "audio priced": chat_of("gpt-audio", "openai", at, (1000, 100), extra=AUDIO),
        "no audio": chat_of("gpt-4o-audio-preview", "openai", at, (1000, 100)),
        **{f"failed {name}": failed(at, name) for name in (*NOT_BILLED, *MAYBE_BILLED)},
        **{f"failed {status}": failed(at, "openai.APIStatusError", status) for status in (*STATUSES, 429)},
    }


@pytest.fixture(scope="module")
def calls(_ledger_of_module: Ledger) -> dict[str, list[Row]]:
    at = float(int(time.time()) - 3 * 3600)
    delivered = spans(at)
    for name, span in delivered.items():
        span.service = name
    _ledger_of_module.deliver(*delivered.values())
    for counts in ((10, 20, 1000, 5), (99, 30, 5000, 7), (10, 20, 1000, 5)):
        _ledger_of_module.deliver_requests(claude_code(at, counts))
    found: dict[str, list[Row]] = {}
    for call in _ledger_of_module.settled():
        found.setdefault(call["service"], []).append(call)
    return found


@pytest.fixture(scope="module")
def rolled(_ledger_of_module: Ledger, calls: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """The bounds that the rollups hold, by service."""
    sums = "select service, sum(estimate_low_usd) as low, sum(unbounded_calls) as open from cost_minutes final group by service"
    return {row.pop("service"): [row] for row in _ledger_of_module.rows(sums) if row["service"] in calls}


@pytest.mark.parametrize("provider", ["aws.bedrock", "aws", "bedrock"])
def test_openlit_leaves_bedrocks_cached_tokens_out_of_the_input(calls: dict[str, list[Row]], provider: str) -> None:
    (call,) = calls[f"bedrock {provider}"]

    assert (call["input_tokens"], call["cache_read_tokens"]) == (5100, 100)
    assert str(call["usage_rule"]).startswith("openlit-bedrock")


@pytest.mark.parametrize(("split", "hour", "cost"), [("split 5m", 0, "0.01545"), ("split both", 500, "0.016575")])
def test_the_parts_of_what_is_cached_stand_in_for_their_sum(
    calls: dict[str, list[Row]], split: str, hour: int, cost: str
) -> None:
    (call,) = calls[split]

    assert (call["input_tokens"], call["cache_write_tokens"]) == (3050, 2000)
    assert (call["cache_write_1h_tokens"], call["cost_usd"]) == (hour, Decimal(cost))


def test_a_total_above_all_its_parts_is_not_priced(calls: dict[str, list[Row]]) -> None:
    (sure,), (doubtful,) = calls["total 110"], calls["total 150"]

    assert (sure["completeness"], doubtful["completeness"]) == ("priced", "estimated")
    assert doubtful["estimate_high_usd"] is None


def test_an_unreadable_cache_count_may_be_all_of_the_input(calls: dict[str, list[Row]]) -> None:
    (call,) = calls["unreadable"]

    assert (call["estimate_low_usd"], call["estimate_high_usd"]) == (Decimal("0.03015"), None)


def test_invented_counts_bound_nothing(calls: dict[str, list[Row]]) -> None:
    (call,) = calls["invented"]

    assert (call["completeness"], call["estimate_low_usd"], call["estimate_high_usd"]) == ("estimated", 0, None)


def test_more_audio_than_input_is_not_priced(calls: dict[str, list[Row]]) -> None:
    assert calls["audio exceeds"][0]["completeness"] == "estimated"


def test_audio_without_a_price_of_its_own_costs_at_least_what_text_does(
    calls: dict[str, list[Row]], rolled: dict[str, list[Row]]
) -> None:
    (text,), (audio,), (none,) = calls["audio as text"], calls["audio priced"], calls["no audio"]

    assert (text["completeness"], text["estimate_low_usd"], text["estimate_high_usd"]) == (
        "estimated",
        Decimal("0.0035"),
        None,
    )
    assert (audio["completeness"], none["completeness"]) == ("priced", "priced")
    assert rolled["audio as text"] == [{"low": Decimal("0.0035"), "open": 1}]


@pytest.mark.parametrize("name", [*NOT_BILLED, 429])
def test_what_the_provider_turned_away_costs_nothing(calls: dict[str, list[Row]], name: str | int) -> None:
    assert calls[f"failed {name}"][0]["completeness"] == "failed_not_billed"


@pytest.mark.parametrize("name", [*MAYBE_BILLED, *STATUSES])
def test_a_gateways_timeout_and_an_applications_error_may_be_billed(
    calls: dict[str, list[Row]], name: str | int
) -> None:
    assert all(call["completeness"] == "failed_maybe_billed" for call in calls[f"failed {name}"])


def test_requests_of_one_instant_without_a_number_are_told_apart_by_their_counts(calls: dict[str, list[Row]]) -> None:
    assert sorted(call["input_tokens"] for call in calls["claude-code"]) == [1015, 5106]
