"""What the extraction of genai-prices promises, besides being exact."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

import pytest
from genai_prices.types import (
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)

from spanledger_collector.exceptions import PriceError
from spanledger_collector.prices.extract import USAGE_KEYS, PriceList, extract
from spanledger_collector.prices.meters import METERS, PARENTS
from spanledger_collector.prices.segments import END, START, Key, Segment, context_of


def dollars(**prices_per_mtok: str) -> ModelPrice:
    return ModelPrice(**{f"{name}_mtok": Decimal(price) for name, price in prices_per_mtok.items()})


def provider(
    prices: ModelPrice | list[ConditionalPrice], variants: list[PriceVariant] | None = None, model: str = "m"
) -> Provider:
    info = ModelInfo(id=model, match=ClauseEquals(equals=model), prices=prices, price_variants=variants)
    return Provider(id="p", name="P", api_pattern="p", models=[info])


def spans(segments: Iterable[Segment]) -> list[tuple[str, str, str, list[tuple[int, int, int, str]]]]:
    return [
        (
            one.key.context,
            f"{one.valid_from:%Y-%m-%d}",
            f"{one.valid_to:%Y-%m-%d}",
            [
                (c.above_tokens, c.from_minute, c.to_minute, f"{c.prices.input_usd_per_token.normalize():f}")
                for c in one.candidates
            ],
        )
        for one in segments
    ]


def test_segments_of_one_key_never_overlap_and_standard_prices_cover_all_time(listed: PriceList) -> None:
    timelines: dict[Key, list[Segment]] = {}
    for one in listed.segments:
        timelines.setdefault(one.key, []).append(one)

    for key, timeline in timelines.items():
        edges = [edge for one in timeline for edge in (one.valid_from, one.valid_to)]
        assert edges == sorted(edges), key
        if not key.context:
            assert (edges[0], edges[-1]) == (START, END), key
            assert edges[1:-1:2] == edges[2:-1:2], key


def test_every_boundary_is_on_a_quarter_of_an_hour(listed: PriceList) -> None:
    instants = {edge.timestamp() for one in listed.segments for edge in (one.valid_from, one.valid_to)}
    minutes = {m for one in listed.segments for c in one.candidates for m in (c.from_minute, c.to_minute)}

    assert {instant % 900 for instant in instants} == {0}
    assert {minute % 15 for minute in minutes} == {0}


def test_the_whole_list_is_there(listed: PriceList) -> None:
    models = {(one.key.provider, one.key.model) for one in listed.segments}

    assert len(models) > 2_400
    assert not models & set(listed.unpriced_models)


def test_a_model_listed_without_prices_is_unpriced_not_free(listed: PriceList) -> None:
    assert ("github-copilot", "gpt-4o") in listed.unpriced_models


def test_a_model_priced_by_the_hour_is_unpriced_not_free(listed: PriceList) -> None:
    assert ("groq", "whisper-large-v3") in listed.unpriced_models


def test_a_model_whose_name_says_free_is_free(listed: PriceList) -> None:
    free = next(one for one in listed.segments if one.key.model.endswith(":free"))

    assert set(free.candidates[0].prices) == {0}


def test_models_of_another_provider_are_sold_at_its_standard_prices_only(listed: PriceList) -> None:
    contexts = {one.key.context for one in listed.segments if one.key[1:3] == ("azure", "gpt-5")}

    assert contexts == {""}


def test_a_change_of_date_and_a_time_of_day_and_a_tier_become_segments_and_candidates() -> None:
    prices = [
        ConditionalPrice(prices=dollars(input="1", output="1")),
        ConditionalPrice(
            StartDateConstraint(dt.date(2026, 1, 1)),
            prices=ModelPrice(input_mtok=TieredPrices(Decimal(2), [Tier(1000, Decimal(4))]), output_mtok=Decimal(1)),
        ),
        ConditionalPrice(
            TimeOfDateConstraint(dt.time(23, 30, tzinfo=dt.UTC), dt.time(1, 0, tzinfo=dt.UTC)),
            prices=dollars(input="0.5", output="1"),
        ),
    ]

    assert spans(extract([provider(prices)]).segments) == [
        (
            "",
            "1970-01-01",
            "2026-01-01",
            [(0, 0, 60, "0.0000005"), (0, 60, 1410, "0.000001"), (0, 1410, 1440, "0.0000005")],
        ),
        (
            "",
            "2026-01-01",
            "2106-01-01",
            [
                (0, 0, 60, "0.0000005"),
                (0, 60, 1410, "0.000002"),
                (0, 1410, 1440, "0.0000005"),
                (1000, 60, 1410, "0.000004"),
            ],
        ),
    ]


def test_a_context_has_a_price_from_the_day_its_variant_starts() -> None:
    variant = PriceVariant({"processing": "batch"}, dollars(input="0.5"), StartDateConstraint(dt.date(2026, 1, 1)))
    found = extract([provider(dollars(input="1", output="1"), [variant])])

    assert spans(found.segments) == [
        ("", "1970-01-01", "2106-01-01", [(0, 0, 1440, "0.000001")]),
        ("processing=batch", "2026-01-01", "2106-01-01", [(0, 0, 1440, "0.0000005")]),
    ]


def test_a_tier_that_changes_nothing_is_left_out() -> None:
    price = ModelPrice(input_mtok=TieredPrices(Decimal(1), [Tier(1000, Decimal("1.0"))]))

    assert spans(extract([provider(price)]).segments)[0][3] == [(0, 0, 1440, "0.000001")]


def test_a_meter_without_a_price_costs_what_its_parent_costs() -> None:
    [segment] = extract([provider(dollars(input="3", cache_read="0.3", cache_write="4", output="15"))]).segments
    prices = segment.candidates[0].prices

    assert prices.cache_write_1h_usd_per_token == prices.cache_write_5m_usd_per_token == Decimal("0.000004")
    assert prices.cache_read_audio_usd_per_token == prices.cache_read_usd_per_token == Decimal("0.0000003")
    assert prices.input_image_usd_per_token == prices.input_usd_per_token == Decimal("0.000003")
    assert prices.output_reasoning_usd_per_token == prices.output_usd_per_token == Decimal("0.000015")
    assert prices.request_usd == prices.web_search_usd == 0


def test_a_price_change_between_quarters_of_an_hour_is_refused() -> None:
    night = TimeOfDateConstraint(dt.time(0, 20), dt.time(8))
    prices = [
        ConditionalPrice(prices=dollars(input="1")),
        ConditionalPrice(night, prices=dollars(input="2")),
    ]

    with pytest.raises(PriceError, match="Model m changes its price at 00:20:00, not on a quarter of an hour"):
        extract([provider(prices)])


def test_an_unknown_kind_of_condition_is_refused() -> None:
    weekend: StartDateConstraint = "weekend"  # type: ignore[assignment]  # a later version of the library

    with pytest.raises(PriceError, match="condition of kind str, unknown here"):
        extract([provider([ConditionalPrice(weekend, prices=dollars(input="1"))])])


def test_every_meter_but_the_request_fee_has_its_usage() -> None:
    assert {*USAGE_KEYS, "request_usd"} == set(METERS)


def test_a_parent_meter_stands_before_its_children() -> None:
    assert all(METERS.index(parent) < METERS.index(child) for child, parent in PARENTS.items())


def test_a_context_is_written_sorted() -> None:
    assert context_of({"service_tier": "flex", "processing": "batch"}) == "processing=batch,service_tier=flex"
    assert context_of({}) == ""
