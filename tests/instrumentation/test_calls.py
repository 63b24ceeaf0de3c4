"""Calls of the real clients arrive as spans with tags, usage and a cost that is exact to the last digit."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import anthropic
import httpx2
import openai
import pytest
from genai_prices import Usage, calc_price
from opentelemetry import trace

import spanledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanledger_collector.demo.vendor import VendorServer
    from tests.instrumentation.conftest import Metered, ReceivedSpan

OPENAI_SCOPE = "opentelemetry.instrumentation.genai.openai"
ANTHROPIC_SCOPE = "opentelemetry.instrumentation.genai.anthropic"
NATIVE_SCOPE = "com.anthropic.sdk.python"
QUESTION: Any = [{"role": "user", "content": "Where is my order?"}]


def openai_client(vendor: VendorServer) -> openai.OpenAI:
    return openai.OpenAI(api_key="k", base_url=f"{vendor.url}/v1", max_retries=1)


def anthropic_client(vendor: VendorServer) -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="k", base_url=vendor.url, max_retries=1)


def chat(vendor: VendorServer, case: str = "plain", **options: Any) -> Any:
    with openai_client(vendor) as client:
        result = client.chat.completions.create(
            model=options.pop("model", "gpt-5-mini"), messages=QUESTION, extra_headers={"x-demo-case": case}, **options
        )
        return list(result) if options.get("stream") else result


def messages(vendor: VendorServer, case: str = "plain", **options: Any) -> Any:
    with anthropic_client(vendor) as client:
        result = client.messages.create(
            model="claude-sonnet-5-5",
            max_tokens=100,
            messages=QUESTION,
            extra_headers={"x-demo-case": case},
            **options,
        )
        return list(cast("Any", result)) if options.get("stream") else result


def respond(vendor: VendorServer) -> None:
    with openai_client(vendor) as client:
        client.responses.create(model="gpt-5-mini", input="Hello", extra_headers={"x-demo-case": "reasoning"})


def embed(vendor: VendorServer) -> None:
    with openai_client(vendor) as client:
        client.embeddings.create(model="text-embedding-3-small", input="Hello")


def chat_async(vendor: VendorServer) -> None:
    async def call() -> None:
        async with openai.AsyncOpenAI(api_key="k", base_url=f"{vendor.url}/v1") as client:
            await client.chat.completions.create(model="gpt-5-mini", messages=QUESTION)

    asyncio.run(call())


def messages_async(vendor: VendorServer) -> None:
    async def call() -> None:
        async with (
            anthropic.AsyncAnthropic(api_key="k", base_url=vendor.url) as client,
            client.messages.stream(model="claude-sonnet-5-5", max_tokens=9, messages=QUESTION) as stream,
        ):
            await stream.until_done()

    asyncio.run(call())


CALLS: dict[str, Callable[[VendorServer], object]] = {
    "openai chat": chat,
    "openai cached": lambda vendor: chat(vendor, "cached"),
    "openai reasoning": lambda vendor: chat(vendor, "reasoning"),
    "openai tool": lambda vendor: chat(vendor, "tool"),
    "openai flex": lambda vendor: chat(vendor, service_tier="flex"),
    "openai stream": lambda vendor: chat(vendor, stream=True, stream_options={"include_usage": True}),
    "openai retried": lambda vendor: chat(vendor, "retry"),
    "openai responses": respond,
    "openai embeddings": embed,
    "openai async": chat_async,
    "anthropic messages": messages,
    "anthropic cached": lambda vendor: messages(vendor, "cached"),
    "anthropic reasoning": lambda vendor: messages(vendor, "reasoning"),
    "anthropic stream": lambda vendor: messages(vendor, "cached", stream=True),
    "anthropic async stream": messages_async,
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_costs_what_the_vendor_bills_to_the_last_digit(
    name: str, metered: Metered, vendor: VendorServer
) -> None:
    with spanledger.tags(team="search", user="bob"):
        CALLS[name](vendor)

    spans = metered.collect()
    (billed,) = vendor.bill
    is_anthropic = name.startswith("anthropic")
    assert [span.scope for span in spans] == ([ANTHROPIC_SCOPE, NATIVE_SCOPE] if is_anthropic else [OPENAI_SCOPE])
    for span in spans:
        assert Decimal(span.attributes["spanledger.cost_usd"]) == billed.amount_usd
        assert span.attributes["gen_ai.usage.cost.amount"] == float(billed.amount_usd)
        assert span.attributes["gen_ai.usage.cost.currency"] == "USD"
        assert span.attributes["gen_ai.usage.cost.source"] == "local"
        assert span.attributes["spanledger.team"] == "search"
        assert span.attributes["user.id"] == "bob"
        assert span.resource["service.name"] == "checkout"
        assert span.resource["deployment.environment.name"] == "test"


def test_cost_is_the_librarys_for_the_reported_usage(metered: Metered, vendor: VendorServer) -> None:
    chat(vendor, "cached")

    (span,) = metered.collect()
    reported = {
        "input_tokens": span.attributes["gen_ai.usage.input_tokens"],
        "output_tokens": span.attributes["gen_ai.usage.output_tokens"],
        "cache_read_tokens": span.attributes["gen_ai.usage.cache_read.input_tokens"],
        "cache_write_tokens": span.attributes["gen_ai.usage.cache_write.input_tokens"],
    }
    expected = calc_price(
        Usage(**reported), "gpt-5-mini", provider_id="openai", genai_request_timestamp=datetime.now(UTC)
    ).total_price
    assert Decimal(span.attributes["spanledger.cost_usd"]) == expected


@pytest.mark.parametrize(("lifetimes", "written_1h"), [(["1h"], 1.0), (["5m"], 0.0), (["5m", "1h"], None)])
def test_without_the_clients_own_span_a_request_tells_for_how_long_it_cached(
    lifetimes: list[str],
    written_1h: float | None,
    metered: Metered,
    vendor: VendorServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY", "false")
    marks: Any = [
        {"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral", "ttl": ttl}} for ttl in lifetimes
    ]

    messages(vendor, "cached", system=marks)

    (span,) = metered.collect()
    written = span.attributes["gen_ai.usage.cache_write.input_tokens"]
    assert span.attributes["spanledger.cache_write.ttls"] == ",".join(lifetimes)
    if written_1h is None:  # at two prices, and how much at which is not told
        assert costs([span]) == []
        return
    used = Usage(
        input_tokens=span.attributes["gen_ai.usage.input_tokens"],
        output_tokens=span.attributes["gen_ai.usage.output_tokens"],
        cache_read_tokens=span.attributes["gen_ai.usage.cache_read.input_tokens"],
        cache_write_tokens=written,
        cache_write_1h_tokens=int(written * written_1h),
    )
    price = calc_price(
        used, "claude-sonnet-5-5", provider_id="anthropic", genai_request_timestamp=datetime.now(UTC)
    ).total_price
    assert written
    assert Decimal(span.attributes["spanledger.cost_usd"]) == price


def costs(spans: list[ReceivedSpan]) -> list[str]:
    return [key for span in spans for key in span.attributes if "cost" in key]


def test_an_unknown_model_and_a_stream_without_usage_have_no_cost_at_all(
    metered: Metered, vendor: VendorServer
) -> None:
    with openai_client(vendor) as client:
        client.with_options(base_url=f"{vendor.url}/compatible/v1").chat.completions.create(
            model="acme-internal-7b", messages=QUESTION
        )
    chat(vendor, stream=True)

    spans = metered.collect()
    assert len(spans) == 2
    assert costs(spans) == []


def test_failed_calls_are_spans_with_an_error_type_and_without_cost(metered: Metered, vendor: VendorServer) -> None:
    with pytest.raises(openai.BadRequestError):
        chat(vendor, "e400")
    with pytest.raises(anthropic.RateLimitError):
        messages(vendor, "e429")

    spans = metered.collect()
    assert [(span.scope, span.is_error) for span in spans] == [
        (OPENAI_SCOPE, True),
        (ANTHROPIC_SCOPE, True),
        (NATIVE_SCOPE, True),
    ]
    assert all(span.attributes["error.type"] for span in spans)
    assert costs(spans) == []


@pytest.mark.parametrize("call", [chat, messages], ids=["openai", "anthropic"])
def test_a_stream_that_breaks_off_has_an_unknown_cost(
    call: Callable[..., Any], metered: Metered, vendor: VendorServer
) -> None:
    with pytest.raises((openai.APIConnectionError, httpx2.RemoteProtocolError)):
        call(vendor, "midstream", stream=True)

    spans = metered.collect()
    assert spans
    assert all(span.is_error for span in spans)
    assert costs(spans) == []


def test_a_stream_that_is_left_early_has_an_unknown_cost(metered: Metered, vendor: VendorServer) -> None:
    with anthropic_client(vendor) as client:
        stream = client.messages.create(model="claude-sonnet-5-5", max_tokens=9, messages=QUESTION, stream=True)
        next(iter(stream))
        stream.close()

    spans = metered.collect()
    assert [span.scope for span in spans] == [ANTHROPIC_SCOPE, NATIVE_SCOPE]
    assert costs(spans) == []


def test_a_second_instrument_changes_nothing(metered: Metered, vendor: VendorServer) -> None:
    assert spanledger.instrument() is metered.handle

    chat(vendor)
    messages(vendor)
    assert [span.scope for span in metered.collect()] == [OPENAI_SCOPE, ANTHROPIC_SCOPE, NATIVE_SCOPE]


def test_genai_spans_know_the_genai_span_around_them_across_plain_ones(metered: Metered, vendor: VendorServer) -> None:
    tracer = trace.get_tracer("application")
    with (
        tracer.start_as_current_span("agent", attributes={"gen_ai.operation.name": "invoke_agent"}),
        tracer.start_as_current_span("plain"),
    ):
        messages(vendor)

    agent, plain, call, native = metered.collect()
    around = "spanledger.parent_genai_span_id"
    assert around not in agent.attributes
    assert around not in plain.attributes
    assert call.attributes[around] == agent.span_id
    assert native.attributes[around] == call.span_id == native.parent_id


def test_genai_spans_are_numbered_without_gaps_and_plain_ones_are_not(metered: Metered, vendor: VendorServer) -> None:
    chat(vendor)
    trace.get_tracer("application").start_span("plain").end()
    messages(vendor)

    first, plain, *others = metered.collect()
    start = first.attributes["spanledger.sequence"]
    assert "spanledger.sequence" not in plain.attributes
    assert [span.attributes["spanledger.sequence"] for span in others] == [start + 1, start + 2]
    assert all(span.attributes["spanledger.sdk.version"] == spanledger.__version__ for span in (first, *others))
    assert first.resource["service.instance.id"]


@pytest.mark.parametrize(("case", "attempts"), [("plain", 1), ("retry", 2)])
def test_the_call_says_how_often_it_went_out(case: str, attempts: int, metered: Metered, vendor: VendorServer) -> None:
    chat(vendor, case)
    messages(vendor, case)

    openai_call, anthropic_call, native = metered.collect()
    assert len(vendor.requests) == 2 * attempts
    assert openai_call.attributes["spanledger.attempts"] == attempts
    # Every span of a call says it, so that it is known whichever of them bills.
    assert native.attributes["spanledger.attempts"] == attempts
    assert anthropic_call.attributes["spanledger.attempts"] == attempts
