"""Overrides over lists: the newest valid one wins, exactly within its time, and numbers of rates never move."""

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from spanledger_collector.prices.compile import Agreed, Book, Change, RateKey, changes, compiled, overridden
from spanledger_collector.prices.meters import METERS, Prices
from spanledger_collector.prices.overrides import Override, applied
from spanledger_collector.prices.segments import END, START, Candidate, Key, Segment

MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)


def vector(price: str) -> Prices:
    return Prices(*[Decimal(price)] * len(METERS))


def at(quarters: int) -> datetime:
    return MIDNIGHT + timedelta(minutes=15 * quarters)


def segment(price: str, start: datetime = START, end: datetime = END, context: str = "") -> Segment:
    return Segment(Key("", "p", "m", context), start, end, (Candidate(0, 0, 1440, vector(price)),))


def override(
    price: str | None,
    start: datetime = START,
    end: datetime = END,
    *,
    rank: int = 0,
    contract: str = "",
    context: str = "",
) -> Override:
    prices = {} if price is None else dict(zip(METERS, vector(price), strict=True))
    return Override("p", "m", prices, start, end, contract, context, created_at=at(rank))


def story(segments: list[Segment]) -> list[tuple[str, str, datetime, datetime, str, str]]:
    return [
        (
            one.key.contract,
            one.key.context,
            one.valid_from,
            one.valid_to,
            f"{one.candidates[0].prices.input_usd_per_token.normalize():f}",
            one.source,
        )
        for one in segments
    ]


def test_an_override_in_the_middle_cuts_the_list_price_in_three() -> None:
    assert story(overridden([segment("1")], Agreed((override("2", at(0), at(4)),)))) == [
        ("", "", START, at(0), "1", "genai-prices"),
        ("", "", at(0), at(4), "2", "override"),
        ("", "", at(4), END, "1", "genai-prices"),
    ]


def test_a_newer_override_beats_an_older_one_where_both_are_valid() -> None:
    older, newer = override("2", at(0), at(8), rank=1), override("3", at(4), at(12), rank=2)

    assert (
        story(overridden([segment("1")], Agreed((newer, older))))[1:3]
        == [("", "", at(0), at(4), "2", "override"), ("", "", at(4), at(12), "3", "override")]
    )  # fmt: skip


def test_an_override_without_prices_withdraws_an_older_one() -> None:
    assert story(overridden([segment("1")], Agreed((override("2", rank=1), override(None, at(0), at(4), rank=2)))))[1] == (
        "", "", at(0), at(4), "1", "genai-prices",
    )  # fmt: skip


def test_an_override_of_the_standard_price_leaves_the_batch_price_alone() -> None:
    listed = [segment("1"), segment("0.5", context="processing=batch")]

    assert story(overridden(listed, Agreed((override("2"),)))) == [
        ("", "", START, END, "2", "override"),
        ("", "processing=batch", START, END, "0.5", "genai-prices"),
    ]


def test_a_contract_has_all_contexts_of_its_model_and_everybody_else_keeps_theirs() -> None:
    listed = [segment("1"), segment("0.5", context="processing=batch")]

    assert story(overridden(listed, Agreed((override("0.9", contract="acme"),)))) == [
        ("", "", START, END, "1", "genai-prices"),
        ("", "processing=batch", START, END, "0.5", "genai-prices"),
        ("acme", "", START, END, "0.9", "override"),
        ("acme", "processing=batch", START, END, "0.5", "genai-prices"),
    ]


def test_a_contract_stands_on_what_everybody_pays() -> None:
    both = [override("0.8"), override("0.7", at(0), at(4), contract="acme")]

    assert [row[4] for row in story(overridden([segment("1")], Agreed(tuple(both)))) if row[0] == "acme"] == [
        "0.8",
        "0.7",
        "0.8",
    ]


def test_a_model_that_no_list_has_is_priced_within_the_override_only() -> None:
    assert story(overridden([], Agreed((override("2", at(0), at(4)),)))) == [("", "", at(0), at(4), "2", "override")]


def test_given_meters_lead_their_children_and_leave_the_others_to_the_list() -> None:
    one = Override("p", "m", {"output_usd_per_token": Decimal("0.5"), "cache_read_usd_per_token": Decimal("0.25")})
    prices = applied(one, vector("1"))

    assert prices == vector("1")._replace(
        output_usd_per_token=Decimal("0.5"),
        output_reasoning_usd_per_token=Decimal("0.5"),
        output_audio_usd_per_token=Decimal("0.5"),
        output_image_usd_per_token=Decimal("0.5"),
        cache_read_usd_per_token=Decimal("0.25"),
        cache_read_audio_usd_per_token=Decimal("0.25"),
    )


def test_an_override_of_some_meters_keeps_the_tiers_of_the_others() -> None:
    tiered = Segment(
        Key("", "p", "m", ""), START, END, (Candidate(0, 0, 1440, vector("1")), Candidate(200, 0, 1440, vector("2")))
    )
    [found] = overridden([tiered], Agreed((Override("p", "m", {"input_usd_per_token": Decimal(3)}),)))

    assert [
        (c.above_tokens, c.prices.input_usd_per_token, c.prices.output_usd_per_token) for c in found.candidates
    ] == [(0, Decimal(3), Decimal(1)), (200, Decimal(3), Decimal(2))]


def test_a_price_is_rounded_half_even_to_what_the_database_holds() -> None:
    half = "0.0000000000000000000000005"  # half of the last digit
    book = compiled([segment(half), segment("0.0000000000000000000000015", context="x=y")], Agreed(), {})

    assert [rate.prices.input_usd_per_token for rate in book.new_rates] == [Decimal(0), Decimal("2e-24")]


def test_equal_prices_share_a_rate_and_known_rates_keep_their_numbers() -> None:
    first = compiled([segment("1"), segment("1", context="x=y"), segment("2", context="x=z")], Agreed(), {})
    known = dict(first.new_rates)
    second = compiled([segment("3"), segment("1.00", context="x=y")], Agreed(), known)

    assert sorted(known.values()) == [1, 2]
    assert second.new_rates == {RateKey("p", "m", "genai-prices", vector("3")): 3}
    assert [row.rate_ids for row in second.segments] == [(3,), (1,)]


def test_a_price_that_was_gone_and_came_back_has_its_old_number() -> None:
    known = {RateKey("p", "m", "genai-prices", vector("1")): 5, RateKey("p", "m", "genai-prices", vector("2")): 6}

    assert [row.rate_ids for row in compiled([segment("1")], Agreed(), known).segments] == [(5,)]


def test_the_same_price_from_the_owner_is_another_rate() -> None:
    book = compiled([segment("1")], Agreed((override("1", at(0)),)), {})

    assert [rate.source for rate in book.new_rates] == ["genai-prices", "override"]


def test_changes_are_the_spans_in_which_two_books_disagree() -> None:
    before = compiled([segment("1")], Agreed(), {})
    after = compiled([segment("1")], Agreed((override("2", at(0), at(4)),)), before.new_rates)

    assert changes(before.segments, after.segments) == (Change(Key("", "p", "m", ""), at(0), at(4)),)
    assert changes(after.segments, after.segments) == ()


QUARTERS = st.integers(0, 12)
SPANS = st.tuples(QUARTERS, QUARTERS).filter(lambda span: span[0] != span[1]).map(sorted)
OVERRIDES = st.lists(
    st.builds(
        lambda span, price, rank, contract, context: override(
            price, at(span[0]), at(span[1]), rank=rank, contract=contract, context=context
        ),
        SPANS,
        st.sampled_from(["2", "3", "4", None]),
        st.integers(0, 99),
        st.sampled_from(["", "acme"]),
        st.sampled_from(["", "x=y"]),
    ),
    unique_by=lambda one: one.created_at,
    max_size=6,
)
LISTED = [segment("1", at(5)), segment("0", START, at(5)), segment("0.5", at(3), at(9), context="x=y")]


def listed_price(context: str, moment: datetime) -> Prices | None:
    found = [s for s in LISTED if s.key.context == context and s.valid_from <= moment < s.valid_to]
    return found[0].candidates[0].prices if found else None


def price_by_law(overrides: list[Override], contract: str, context: str, moment: datetime) -> Prices | None:
    """Say the law again, an instant at a time."""
    result = listed_price(context, moment)
    for level in dict.fromkeys(["", contract]):
        fitting = [o for o in overrides if (o.contract, o.context) == (level, context) and o.covers(moment)]
        newest = max(fitting, key=lambda one: one.created_at, default=None)
        if newest and newest.prices:
            result = applied(newest)
    return result


def found_price(book: Book, contract: str, context: str, moment: datetime) -> Prices | None:
    names = {number: rate.prices for rate, number in book.new_rates.items()}
    key = Key(contract, "p", "m", context)
    rows = [row for row in book.segments if row.key == key and row.valid_from <= moment < row.valid_to]
    assert len(rows) <= 1
    return names[rows[0].rate_ids[0]] if rows else None


@given(OVERRIDES, st.sampled_from(["", "x=y"]), st.integers(-1, 13))
def test_at_every_instant_the_newest_valid_override_sets_the_price(
    overrides: list[Override], context: str, quarter: int
) -> None:
    book = compiled(LISTED, Agreed(tuple(overrides)), {})
    contracts = {one.contract for one in overrides} | {""}

    for contract in contracts:
        assert found_price(book, contract, context, at(quarter)) == price_by_law(
            overrides, contract, context, at(quarter)
        )


@given(OVERRIDES)
def test_segments_of_one_key_never_overlap_whatever_is_overridden(overrides: list[Override]) -> None:
    rows = compiled(LISTED, Agreed(tuple(overrides)), {}).segments

    for one, following in itertools.pairwise(rows):
        assert one.key < following.key or (one.key == following.key and one.valid_to <= following.valid_from)
    assert all(row.valid_from < row.valid_to for row in rows)
