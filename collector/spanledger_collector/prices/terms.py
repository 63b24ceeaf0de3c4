"""What contracts and regions change about a price: discounts and commitments (of a contract), uplifts (of a region).

At any time the most specific term counts for a meter: a model before a pattern, a pattern before a provider, a meter before all; of equal
ones the newest. Prices are rounded once, when the book is compiled.
"""

import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Final

from spanledger_collector.exceptions import PriceError
from spanledger_collector.prices.meters import FEES, METERS, Prices
from spanledger_collector.prices.overrides import Override
from spanledger_collector.prices.segments import (
    END,
    START,
    Candidate,
    Key,
    Segment,
    joined,
    on_quarter_hour,
    repriced,
)

__all__ = ["KINDS", "Term", "Timelines", "Uplift", "checked_term", "regional", "uplifted", "with_terms"]

KINDS: Final = ("discount", "commitment")
_REGIONAL: Final = "regional"
_WHOLE: Final = Decimal(100)
_PATTERN: Final = frozenset("*?[")

Timelines = dict[str, list[Segment]]
"""Segments of one model in order of time, per context."""


@dataclass(frozen=True)
class Term:
    """A discount in percent off what everybody pays (below 0: on top), or a commitment: paid in advance, nothing per call."""

    contract: str
    percent: Decimal
    kind: str = "discount"
    provider: str = ""
    model: str = ""
    meter: str = ""
    valid_from: datetime = START
    valid_to: datetime = END
    note: str = ""
    created_by: str = ""
    created_at: datetime = START

    def fits(self, provider: str, model: str) -> bool:
        """Tell whether it speaks of a model."""
        return self.provider in ("", provider) and _fits(self.model, model)

    def covers(self, at: datetime) -> bool:
        """Tell whether it is valid at a time."""
        return self.valid_from <= at < self.valid_to

    @property
    def rank(self) -> tuple[bool, int, bool, bool, datetime]:
        """The highest counts."""
        is_exact = bool(self.model) and not _PATTERN & set(self.model)
        return is_exact, len(self.model), bool(self.provider), bool(self.meter), self.created_at


@dataclass(frozen=True)
class Uplift:
    """What a kind of region puts on the prices per token of the models that fit."""

    provider: str
    region: str
    model: str
    percent: Decimal
    valid_from: datetime = START

    def fits(self, provider: str, model: str) -> bool:
        """Tell whether it speaks of a model."""
        return self.provider == provider and _fits(self.model, model)


def checked_term(term: Term) -> Term:
    """Return the term, its times in UTC; PriceError when it cannot be right."""
    if not term.contract.strip():
        raise PriceError("A discount needs the name of its contract.")
    if term.kind not in KINDS:
        raise PriceError(f"There is no kind of term {term.kind!r}; there are {' and '.join(KINDS)}.")
    if not term.percent.is_finite() or not -_WHOLE * 10 <= term.percent <= _WHOLE:
        raise PriceError(
            f"Contract {term.contract}: {term.percent} % off is no discount. Give at most 100; below 0 it is put on top, down to -1000."
        )
    if term.meter and term.meter not in METERS:
        raise PriceError(
            f"Contract {term.contract}: there is no meter {term.meter!r}. The meters are: {', '.join(METERS)}."
        )
    who = f"Contract {term.contract}"
    valid_from, valid_to = (on_quarter_hour(who, at) for at in (term.valid_from, term.valid_to))
    if not START <= valid_from < valid_to <= END:
        raise PriceError(f"{who}: {valid_from:%Y-%m-%d} to {valid_to:%Y-%m-%d} is no time at all.")
    return replace(term, valid_from=valid_from, valid_to=valid_to)


def with_terms(general: Timelines, terms: Sequence[Term], name: tuple[str, str, str]) -> Timelines:
    """Return the timelines that a contract pays, in all contexts: what everybody pays, changed by its terms."""
    return {context: _changed(timeline, terms, Key(*name, context)) for context, timeline in general.items()}


def uplifted(listed: Timelines, uplifts: Iterable[Uplift]) -> Timelines:
    """Return the list's timelines with one more for each context and region that costs more, where the list has none of its own."""
    result = dict(listed)
    for region, terms in _by_region(uplifts).items():
        for context, timeline in listed.items():
            there = _there(context, region)
            if timeline and "region=" not in context and there not in listed:
                result[there] = _changed(timeline, terms, timeline[0].key._replace(context=there))
    return result


def regional(overrides: Iterable[Override], uplifts: Iterable[Uplift], listed: Collection[str]) -> Iterator[Override]:
    """Yield what regions make of prices that the owner set for any, where the list has no regional price (``listed``: its contexts)."""
    by_region = _by_region(uplifts)
    for one in overrides:
        for region, terms in by_region.items():
            there = _there(one.context, region)
            if "region=" in one.context or there in listed:
                continue
            inside = {term.valid_from for term in terms if one.covers(term.valid_from)}
            for start, end in itertools.pairwise(sorted({one.valid_from, one.valid_to} | inside)):
                winners = _winners(term for term in terms if term.covers(start))
                prices = {meter: _price(price, winners.get(meter)) for meter, price in one.prices.items()}
                yield replace(one, context=there, prices=prices, valid_from=start, valid_to=end)


def _by_region(uplifts: Iterable[Uplift]) -> dict[str, list[Term]]:
    """Return the uplifts as terms for each meter that counts tokens, by their region; of equal ones the one that begins last counts."""
    found: dict[str, list[Term]] = {}
    for one in uplifts:
        found.setdefault(one.region, []).extend(
            Term("", -one.percent, _REGIONAL, one.provider, one.model, meter, one.valid_from, created_at=one.valid_from)
            for meter in METERS
            if meter not in FEES
        )
    return found


def _there(context: str, region: str) -> str:
    return f"{context},region={region}".lstrip(",")


def _changed(timeline: list[Segment], terms: Sequence[Term], key: Key) -> list[Segment]:
    spans = []
    for one in timeline:
        inside = {
            edge for term in terms for edge in (term.valid_from, term.valid_to) if one.valid_from < edge < one.valid_to
        }
        for start, end in itertools.pairwise(sorted({one.valid_from, one.valid_to} | inside)):
            spans.append(_span(one, [term for term in terms if term.covers(start)], key, (start, end)))
    return joined(spans)


def _span(below: Segment, terms: list[Term], key: Key, span: tuple[datetime, datetime]) -> Segment:
    winners = _winners(terms)
    kinds = {term.kind for term in winners.values()}
    if not winners or all(term.percent == 0 and term.kind != "commitment" for term in winners.values()):
        return Segment(key, *span, below.candidates, below.source)

    def change(prices: Prices) -> Prices:
        return Prices(*(_price(price, winners.get(meter)) for meter, price in zip(METERS, prices, strict=True)))

    source = kinds.pop() if kinds in ({"commitment"}, {_REGIONAL}) else "contract"
    candidates: tuple[Candidate, ...] = repriced(below.candidates, change)
    return Segment(key, *span, candidates, source)


def _winners(terms: Iterable[Term]) -> dict[str, Term]:
    """Return the term that counts for each meter."""
    known = list(terms)
    return {
        meter: max(found, key=lambda term: term.rank)
        for meter in METERS
        if (found := [term for term in known if term.meter in ("", meter)])
    }


def _price(price: Decimal, term: Term | None) -> Decimal:
    if term is None:
        return price
    return Decimal(0) if term.kind == "commitment" else price * (_WHOLE - term.percent) / _WHOLE


def _fits(pattern: str, model: str) -> bool:
    return not pattern or pattern == model or fnmatchcase(model, pattern)
