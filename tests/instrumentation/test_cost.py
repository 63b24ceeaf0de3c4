"""The price path equals the genai-prices library, and says nothing where the library knows nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from genai_prices import Usage, calc_price
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import TimeOfDateConstraint
from hypothesis import given, settings
from hypothesis import strategies as st

from spanledger.cost import PriceList
from spanledger.usage import CallUsage

if TYPE_CHECKING:
    from decimal import Decimal

AT_NS = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()) * 1_000_000_000
CALL = CallUsage(provider="openai", model="gpt-5-mini", start_time_ns=AT_NS, input_tokens=1000, output_tokens=100)
MODELS = [(provider.id, model.id) for provider in get_snapshot().providers for model in provider.models]
PRICES = PriceList()


def library_usd(call: CallUsage, context: dict[str, str] | None = None) -> Decimal | None:
    counts = {
        "input_tokens": call.input_tokens,
        "output_tokens": call.output_tokens,
        "cache_read_tokens": call.cache_read_tokens,
        "cache_write_tokens": call.cache_write_tokens,
        "cache_write_1h_tokens": call.cache_write_1h_tokens,
        "output_reasoning_tokens": call.reasoning_tokens,
    }
    at = datetime.fromtimestamp(call.start_time_ns // 1_000_000_000, UTC)
    try:
        return calc_price(
            Usage(**{key: value for key, value in counts.items() if value or "cache" not in key}),
            call.model,
            provider_id=call.provider,
            genai_request_timestamp=at,
            price_context=context,
        ).total_price
    except (LookupError, ValueError):
        return None


@st.composite
def calls(draw: st.DrawFn) -> CallUsage:
    provider, model = draw(st.sampled_from(MODELS))
    edges = st.sampled_from([0, 1, 128_000, 128_001, 200_000, 200_001, 272_000, 272_001, 1_000_000])
    total = draw(st.one_of(edges, st.integers(0, 400_000)))
    read = draw(st.integers(0, total))
    write = draw(st.integers(0, total - read))
    output = draw(st.integers(0, 50_000))
    # Three moments only, so that most draws meet rates that another draw has left in the cache.
    day = draw(st.sampled_from([0, 40, 300]))
    return CallUsage(
        provider=provider,
        model=model,
        start_time_ns=AT_NS - day * 86_400 * 1_000_000_000,
        input_tokens=total,
        output_tokens=output,
        cache_read_tokens=read,
        cache_write_tokens=write,
        cache_write_1h_tokens=draw(st.integers(0, write)),
        reasoning_tokens=draw(st.integers(0, output)),
    )


@settings(max_examples=1000, deadline=None)
@given(calls())
def test_any_usage_of_any_model_costs_what_the_library_says(call: CallUsage) -> None:
    assert PRICES.cost_usd(call) == library_usd(call)


@pytest.mark.parametrize("minute", ["00:29:59", "00:30:00", "16:29:59", "16:30:00"])
def test_a_price_by_time_of_day_changes_on_the_second(minute: str) -> None:
    at = datetime.fromisoformat(f"2025-06-01T{minute}+00:00")
    call = replace(CALL, provider="deepseek", model="deepseek-chat", start_time_ns=int(at.timestamp()) * 10**9)

    assert PRICES.cost_usd(call) == library_usd(call) is not None


def test_every_time_of_day_in_the_list_falls_on_a_quarter_hour() -> None:
    constraints = [
        price.constraint
        for provider in get_snapshot().providers
        for model in provider.models
        if isinstance(model.prices, list)
        for price in model.prices
        if isinstance(price.constraint, TimeOfDateConstraint)
    ]

    assert constraints
    for constraint in constraints:
        for edge in (constraint.start_time, constraint.end_time):
            assert (edge.minute % 15, edge.second, edge.microsecond) == (0, 0, 0)


@pytest.mark.parametrize("tier", ["flex", "priority"])
def test_a_tier_has_its_own_price(tier: str) -> None:
    call = replace(CALL, model="gpt-5.1", service_tier=tier)

    assert PRICES.cost_usd(call) == library_usd(call, {"service_tier": tier})
    assert PRICES.cost_usd(call) != PRICES.cost_usd(replace(call, service_tier="default"))


def test_the_batch_tier_of_anthropic_has_the_batch_price() -> None:
    call = replace(CALL, provider="anthropic", model="claude-haiku-4-5", service_tier="batch")

    assert PRICES.cost_usd(call) == library_usd(call, {"processing": "batch"})
    assert PRICES.cost_usd(call) != PRICES.cost_usd(replace(call, service_tier="standard"))


def test_the_host_tells_the_vendor_where_the_client_cannot() -> None:
    call = replace(CALL, model="deepseek-chat", server_address="api.deepseek.com")

    assert PRICES.cost_usd(call) == library_usd(replace(call, provider="deepseek"))


@pytest.mark.parametrize(
    "unknown",
    [
        replace(CALL, model="acme-internal-7b"),
        replace(CALL, provider="acme"),
        replace(CALL, service_tier="scale"),
        replace(CALL, provider="anthropic", model="claude-haiku-4-5", service_tier="priority"),
        replace(CALL, input_tokens=10, cache_read_tokens=11),
        replace(CALL, cache_write_tokens=1, cache_write_1h_tokens=2),
        replace(CALL, output_tokens=1, reasoning_tokens=2),
        replace(CALL, input_tokens=-1),
    ],
    ids=["model", "provider", "tier", "other tier", "cache", "cache lifetime", "reasoning", "negative"],
)
def test_what_the_list_does_not_know_has_no_cost_rather_than_zero(unknown: CallUsage) -> None:
    assert PRICES.cost_usd(unknown) is None
