"""Candidates say what the windows they were made of say."""

import itertools
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from spanledger_collector.prices.meters import METERS, Prices
from spanledger_collector.prices.segments import Candidate, Window, candidates_of, repriced


def vector(price: int) -> Prices:
    return Prices(*[Decimal(price)] * len(METERS))


@st.composite
def windows(draw: st.DrawFn) -> list[Window]:
    edges = sorted({0, 1440, *(15 * quarter for quarter in draw(st.lists(st.integers(1, 95), max_size=4)))})
    tiers = st.dictionaries(st.sampled_from([10, 20, 30]), st.integers(0, 2), max_size=3)
    return [
        Window(
            start,
            end,
            tuple(
                (above, vector(price)) for above, price in sorted({0: draw(st.integers(0, 2)), **draw(tiers)}.items())
            ),
        )
        for start, end in itertools.pairwise(edges)
    ]


def price_of(candidates: tuple[Candidate, ...], minute: int, tokens: int) -> Prices:
    """Pick as the SQL function does: the last that matches."""
    return [
        one.prices
        for one in candidates
        if (one.above_tokens == 0 or tokens > one.above_tokens) and one.from_minute <= minute < one.to_minute
    ][-1]


@given(windows(), st.integers(0, 1439), st.integers(0, 40))
def test_the_last_candidate_that_matches_has_the_price_of_the_window(
    given_windows: list[Window], minute: int, tokens: int
) -> None:
    window = next(one for one in given_windows if one.from_minute <= minute < one.to_minute)
    expected = [prices for above, prices in window.tiers if above == 0 or tokens > above][-1]

    assert price_of(candidates_of(given_windows), minute, tokens) == expected


@given(windows())
def test_repricing_by_nothing_changes_nothing(given_windows: list[Window]) -> None:
    candidates = candidates_of(given_windows)

    assert repriced(candidates, lambda prices: prices) == candidates


@given(windows())
def test_repricing_everything_alike_leaves_one_candidate(given_windows: list[Window]) -> None:
    assert repriced(candidates_of(given_windows), lambda _: vector(9)) == (Candidate(0, 0, 1440, vector(9)),)
