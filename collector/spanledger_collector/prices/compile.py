"""Compiles the price list and the owner's overrides into the rows of a price book.

The law: a price at an instant is the newest override valid then, on top of the list; in a region that costs more, with its uplift,
unless an override or the list speaks of that region; and for a contract, the newest override of that contract valid then (in such a
region, with the uplift), else what everybody pays, changed by its terms.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Final, NamedTuple

from spanledger_collector.prices.assignments import Assignment, Rule, rules
from spanledger_collector.prices.currencies import CurrencyRate, in_usd
from spanledger_collector.prices.meters import Prices, rounded
from spanledger_collector.prices.overrides import Override, applied
from spanledger_collector.prices.segments import (
    DAY_MINUTES,
    Candidate,
    Key,
    Segment,
    Window,
    candidates_of,
    joined,
    repriced,
)
from spanledger_collector.prices.terms import Term, Timelines, Uplift, regional, uplifted, with_terms

__all__ = ["Agreed", "Book", "Change", "RateKey", "SegmentRow", "changes", "compiled", "overridden"]

_DIGITS: Final = 100


@dataclass(frozen=True)
class Agreed:
    """All that the owner said about prices, and what regions cost more."""

    overrides: tuple[Override, ...] = ()
    terms: tuple[Term, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    uplifts: tuple[Uplift, ...] = ()
    currency_rates: tuple[CurrencyRate, ...] = ()


class RateKey(NamedTuple):
    """What makes a rate: equal keys are the same rate in every book."""

    provider: str
    model: str
    source: str
    prices: Prices


class SegmentRow(NamedTuple):
    """A row of ``rate_segments`` without its book."""

    contract: str
    provider: str
    model: str
    context: str
    valid_from: datetime
    valid_to: datetime
    above_tokens: tuple[int, ...]
    from_minute: tuple[int, ...]
    to_minute: tuple[int, ...]
    rate_ids: tuple[int, ...]

    @property
    def key(self) -> Key:
        """What the row is looked up by."""
        return Key(*self[:4])


@dataclass(frozen=True)
class Book:
    """A compiled price book: its segments and rules, and the rates that no earlier book had."""

    segments: tuple[SegmentRow, ...]
    new_rates: Mapping[RateKey, int]
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class Change:
    """A span of one key in which two books disagree."""

    key: Key
    valid_from: datetime
    valid_to: datetime


def compiled(listed: Iterable[Segment], agreed: Agreed, known_rates: Mapping[RateKey, int]) -> Book:
    """Return the book; a known rate keeps its number, a new one gets the highest plus one, so no number is reused."""
    numbers = dict(known_rates)
    last = max(numbers.values(), default=0)
    fresh: dict[RateKey, int] = {}
    rows: list[SegmentRow] = []
    with localcontext(prec=_DIGITS):  # so that nothing is rounded before `rounded` does
        segments = overridden(listed, agreed)
    for one in segments:
        ids = []
        for candidate in one.candidates:
            exact = Prices(*map(rounded, candidate.prices))
            rate = RateKey(one.key.provider, one.key.model, one.source, exact)
            if rate not in numbers:
                last += 1
                numbers[rate] = fresh[rate] = last
            ids.append(numbers[rate])
        rows.append(_row(one, ids))
    return Book(tuple(rows), fresh, rules(agreed.assignments))


def overridden(listed: Iterable[Segment], agreed: Agreed) -> list[Segment]:
    """Return the segments in force, sorted by key and time; those of one key never overlap."""
    models: dict[tuple[str, str], list[Segment]] = {}
    for one in listed:
        models.setdefault((one.key.provider, one.key.model), []).append(one)
    by_model: dict[tuple[str, str], list[Override]] = {}
    for override in in_usd(agreed.overrides, agreed.currency_rates):
        by_model.setdefault((override.provider, override.model), []).append(override)
    for name in {**models, **by_model}:
        terms = [term for term in agreed.terms if term.fits(*name)]
        uplifts = [uplift for uplift in agreed.uplifts if uplift.fits(*name)]
        uplifts += _plain_regions(name, by_model.get(name, []), uplifts)
        if name in by_model or terms or uplifts:
            models[name] = list(_agreed(name, models.get(name, []), by_model.get(name, []), terms, uplifts))
    return sorted((one for segments in models.values() for one in segments), key=lambda one: (one.key, one.valid_from))


def changes(old: Iterable[SegmentRow], new: Iterable[SegmentRow]) -> tuple[Change, ...]:
    """Return where two books disagree; spans in which they agree are cut away."""
    before, after = _by_key(old), _by_key(new)
    return tuple(
        change
        for key in sorted({*before, *after})
        for change in _differences(key, before.get(key, []), after.get(key, []))
    )


def _plain_regions(name: tuple[str, str], overrides: list[Override], uplifts: list[Uplift]) -> Iterator[Uplift]:
    """Yield regions that an override speaks of and that put nothing on a price: whom it does not concern pays what all pay anywhere."""
    named = {one.context.partition("region=")[2] for one in overrides}
    yield from (
        Uplift(name[0], region, name[1], Decimal(0)) for region in named - {one.region for one in uplifts} - {""}
    )


def _agreed(
    name: tuple[str, str], listed: list[Segment], overrides: list[Override], terms: list[Term], uplifts: list[Uplift]
) -> Iterator[Segment]:
    """Yield all segments of a model; a contract gets all contexts, so that one lookup with its name finds them."""
    base: Timelines = {}
    for one in listed:
        base.setdefault(one.key.context, []).append(one)
    ranked = sorted(overrides, key=lambda one: one.created_at)

    def own(contract: str) -> list[Override]:
        of_contract = [one for one in ranked if one.contract == contract]
        return [
            *regional(of_contract, uplifts, base),
            *of_contract,
        ]  # what is said of a region beats what follows for it

    general = _painted(uplifted(base, uplifts), own(""), ("", *name))
    for timeline in general.values():
        yield from timeline
    contracts = dict.fromkeys([*(one.contract for one in overrides), *(term.contract for term in terms)])
    for contract in filter(None, contracts):
        key = (contract, *name)
        changed = with_terms(general, [term for term in terms if term.contract == contract], key)
        for timeline in _painted(changed, own(contract), key).values():
            yield from timeline


def _painted(base: Timelines, overrides: list[Override], name: tuple[str, str, str]) -> Timelines:
    """Return the model's timelines, per context, with the overrides laid over them: of two that are valid, the last in order."""
    contexts = dict.fromkeys([*base, *(one.context for one in overrides)])
    return {
        context: _timeline(
            base.get(context, []),
            _standard(base, context),
            [one for one in overrides if one.context == context],
            Key(*name, context),
        )
        for context in contexts
    }


def _standard(base: Timelines, context: str) -> list[Segment]:
    """Return what a context without a price of its own starts from: the standard price, in the same region if there is one."""
    _, marked, region = context.partition("region=")
    return base.get(marked + region) or base.get("", [])


def _timeline(own: list[Segment], standard: list[Segment], overrides: list[Override], key: Key) -> list[Segment]:
    if not overrides:
        return own
    timed: list[Segment | Override] = [*own, *standard, *overrides]
    edges = sorted({edge for span in timed for edge in (span.valid_from, span.valid_to)})
    spans = []
    for start, end in itertools.pairwise(edges):
        below = _at(own, start)
        winner = next((one for one in reversed(overrides) if one.covers(start)), None)
        if winner and winner.prices:
            spans.append(Segment(key, start, end, _over(winner, below or _at(standard, start)), "override"))
        elif below:
            spans.append(Segment(key, start, end, below.candidates, below.source))
    return joined(spans)


def _at(timeline: list[Segment], at: datetime) -> Segment | None:
    return next((one for one in timeline if one.valid_from <= at < one.valid_to), None)


def _over(override: Override, below: Segment | None) -> tuple[Candidate, ...]:
    if below is None:
        return candidates_of([Window(0, DAY_MINUTES, ((0, applied(override)),))])
    return repriced(below.candidates, lambda prices: applied(override, prices))


def _row(one: Segment, rate_ids: list[int]) -> SegmentRow:
    return SegmentRow(
        *one.key,
        one.valid_from,
        one.valid_to,
        tuple(candidate.above_tokens for candidate in one.candidates),
        tuple(candidate.from_minute for candidate in one.candidates),
        tuple(candidate.to_minute for candidate in one.candidates),
        tuple(rate_ids),
    )


def _by_key(rows: Iterable[SegmentRow]) -> dict[Key, list[SegmentRow]]:
    result: dict[Key, list[SegmentRow]] = {}
    for row in rows:
        result.setdefault(row.key, []).append(row)
    return result


def _differences(key: Key, old: list[SegmentRow], new: list[SegmentRow]) -> Iterator[Change]:
    if old == new:
        return
    edges = sorted({edge for row in (*old, *new) for edge in (row.valid_from, row.valid_to)})
    for start, end in itertools.pairwise(edges):
        before, after = _row_at(old, start), _row_at(new, start)
        if before != after:
            yield Change(key, start, end)


def _row_at(rows: list[SegmentRow], at: datetime) -> tuple[tuple[int, ...], ...]:
    return next((row[6:] for row in rows if row.valid_from <= at < row.valid_to), ((), (), (), ()))
