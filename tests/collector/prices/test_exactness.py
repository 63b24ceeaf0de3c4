"""The ledger's money is the library's money, by == on Decimal, through the real dictionaries and functions."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from clickhouse_connect.driver.client import Client
from genai_prices.data import providers
from genai_prices.types import ModelInfo, Provider

from spanledger_collector.prices.book import install
from spanledger_collector.prices.extract import USAGE_KEYS, PriceList, meter_usage
from spanledger_collector.prices.meters import METERS
from spanledger_collector.prices.segments import END, START, Key, Segment

PRICED_DRAWS = """
select
  spanledger_rate_of('', provider, model, context, at, total_input) as own,
  if(own = 0 and context != '', spanledger_rate_of('', provider, model, '', at, total_input), own) as rate,
  if(rate = 0, null, spanledger_cost_of(rate, q)) as cost_usd
from draws order by number
"""
DRAWS = """
create or replace table draws (
  number UInt32, provider String, model String, context String, at DateTime('UTC'), total_input UInt64,
  q Array(UInt64)
) engine = Memory
"""
Sold = dict[tuple[str, str], tuple[Provider, ModelInfo]]


@dataclass(frozen=True)
class Draw:
    key: Key
    at: datetime
    quantities: dict[str, int]

    @property
    def total_input(self) -> int:
        return sum(n for meter, n in self.quantities.items() if "input_tokens" in USAGE_KEYS[meter])


@pytest.fixture(scope="module")
def sold() -> Sold:
    by_id = {provider.id: provider for provider in providers}
    found: Sold = {}
    for provider in providers:
        for source in (provider, *(by_id[name] for name in provider.fallback_model_providers or ())):
            for model in source.models:
                found.setdefault((provider.id, model.id), (provider, model))
    return found


@pytest.fixture(scope="module")
def priced(client: Client, listed: PriceList) -> Client:
    install(client, note="test", prices=listed)
    return client


def library_cost_usd(draw: Draw, sold: Sold) -> Decimal | None:
    """Return the library's total, or None where it refuses the usage."""
    provider, model = sold[draw.key.provider, draw.key.model]
    context = dict(pair.split("=", 1) for pair in draw.key.context.split(",") if pair)
    usage = meter_usage(draw.quantities)
    try:
        return model.calc_price(
            usage, provider, genai_request_timestamp=draw.at, price_context=context or None
        ).total_price
    except ValueError:
        return None


def ledger_costs_usd(client: Client, draws: list[Draw]) -> list[Decimal | None]:
    client.command(DRAWS)
    rows = [
        [
            number,
            *draw.key[1:],
            draw.at,
            draw.total_input,
            [1 if m == "request_usd" else draw.quantities[m] for m in METERS],
        ]
        for number, draw in enumerate(draws)
    ]
    client.insert("draws", rows)
    return [row[-1] for row in client.query(PRICED_DRAWS).result_rows]


def mismatches(
    client: Client, sold: Sold, draws: Iterator[Draw], wanted: int
) -> list[tuple[Draw, Decimal, Decimal | None]]:
    checked = []
    for draw in draws:
        expected = library_cost_usd(draw, sold)
        if expected is not None:
            checked.append((draw, expected))
        if len(checked) == wanted:
            break
    found = ledger_costs_usd(client, [draw for draw, _ in checked])

    assert len(checked) >= min(wanted, 100)
    return [(draw, expected, cost) for (draw, expected), cost in zip(checked, found, strict=True) if cost != expected]


def some_quantities(dice: random.Random, total_input: int | None = None) -> dict[str, int]:
    quantities = {meter: dice.choice([0, 0, dice.randint(0, 90_000)]) for meter in USAGE_KEYS}
    quantities["web_search_usd"] = dice.randint(0, 3)
    if total_input is not None:
        for meter, keys in USAGE_KEYS.items():
            if "input_tokens" in keys:
                quantities[meter] = 0
        cached = dice.randint(0, total_input)
        quantities |= {"cache_read_usd_per_token": cached, "input_usd_per_token": total_input - cached}
    return quantities


def contexts(listed: PriceList) -> dict[tuple[str, str], list[Key]]:
    found: dict[tuple[str, str], list[Key]] = {}
    for key in dict.fromkeys(segment.key for segment in listed.segments):
        found.setdefault((key.provider, key.model), []).append(key)
    return found


def test_ten_thousand_random_calls_cost_what_the_library_says(priced: Client, sold: Sold, listed: PriceList) -> None:
    dice = random.Random(20_251_122)
    models = list(contexts(listed).values())

    def draws() -> Iterator[Draw]:
        while True:
            at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=dice.randrange(86_400 * 800))
            yield Draw(dice.choice(dice.choice(models)), at, some_quantities(dice))

    assert mismatches(priced, sold, draws(), 10_000) == []


def test_calls_in_every_context_cost_what_the_library_says(priced: Client, sold: Sold, listed: PriceList) -> None:
    dice = random.Random(7)
    special = [key for keys in contexts(listed).values() for key in keys if key.context]

    def draws() -> Iterator[Draw]:
        for key in special:
            for _ in range(4):
                at = datetime(2026, 9, 1, tzinfo=UTC) + timedelta(minutes=dice.randrange(1440 * 150))
                yield Draw(key, at, some_quantities(dice, dice.choice([None, 150_000, 300_000])))

    assert mismatches(priced, sold, draws(), len(special) * 4) == []


def test_calls_on_both_sides_of_every_tier_cost_what_the_library_says(
    priced: Client, sold: Sold, listed: PriceList
) -> None:
    dice = random.Random(8)

    def draws() -> Iterator[Draw]:
        for segment in listed.segments:
            at = max(segment.valid_from, datetime(2025, 1, 1, tzinfo=UTC))
            for above in {one.above_tokens for one in segment.candidates} - {0}:
                for total_input in (above - 1, above, above + 1):
                    yield Draw(segment.key, at, some_quantities(dice, total_input))

    assert mismatches(priced, sold, draws(), 100_000) == []


def test_calls_in_the_seconds_around_every_price_change_cost_what_the_library_says(
    priced: Client, sold: Sold, listed: PriceList
) -> None:
    dice = random.Random(9)

    def instants(segment: Segment) -> Iterator[datetime]:
        yield from (edge for edge in (segment.valid_from, segment.valid_to) if edge not in {START, END})
        day = max(segment.valid_from, datetime(2026, 12, 31, tzinfo=UTC))
        for one in segment.candidates:
            yield from (day + timedelta(minutes=minute) for minute in (one.from_minute, one.to_minute) if minute % 1440)

    def draws() -> Iterator[Draw]:
        for segment in listed.segments:
            for instant in instants(segment):
                for seconds in (-1, 0, 1):
                    yield Draw(segment.key, instant + timedelta(seconds=seconds), some_quantities(dice))

    assert mismatches(priced, sold, draws(), 100_000) == []


def test_a_model_that_the_list_does_not_price_has_no_rate(priced: Client, listed: PriceList) -> None:
    provider, model = listed.unpriced_models[0]
    draw = Draw(Key("", provider, model, ""), datetime(2026, 1, 1, tzinfo=UTC), some_quantities(random.Random(1)))

    assert ledger_costs_usd(priced, [draw]) == [None]
