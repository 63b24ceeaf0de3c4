"""Whose calls fall under which contract: rules, the most specific first; two that could both claim a call are refused."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple

from spanledger_collector.exceptions import PriceError
from spanledger_collector.prices.segments import END, START, on_quarter_hour

__all__ = ["MATCHED", "Assignment", "Rule", "checked_assignment", "rules"]

MATCHED: Final = ("tenant", "provider", "account", "deployment", "environment", "service")
"""What a rule may ask of a call; empty: any."""


@dataclass(frozen=True)
class Assignment:
    """Calls that fit fall under the contract, within its time; an empty contract takes them out of any."""

    contract: str
    tenant: str = ""
    provider: str = ""
    account: str = ""
    deployment: str = ""
    environment: str = ""
    service: str = ""
    valid_from: datetime = START
    valid_to: datetime = END
    note: str = ""
    created_by: str = ""
    created_at: datetime = START

    @property
    def match(self) -> tuple[str, ...]:
        """What it asks of a call, in the order of ``MATCHED``."""
        return tuple(getattr(self, name) for name in MATCHED)

    @property
    def asks(self) -> dict[str, str]:
        """What it asks of a call, without what may be anything."""
        return {name: value for name, value in zip(MATCHED, self.match, strict=True) if value}

    def overlaps(self, other: "Assignment") -> bool:
        """Tell whether both are valid at some time."""
        return self.valid_from < other.valid_to and other.valid_from < self.valid_to


class Rule(NamedTuple):
    """A row of ``contract_rules`` without its book."""

    place: int
    contract: str
    tenant: str
    provider: str
    account: str
    deployment: str
    environment: str
    service: str
    valid_from: datetime
    valid_to: datetime


def rules(assignments: Iterable[Assignment]) -> tuple[Rule, ...]:
    """Return the rules in force, the most specific first: of assignments of the same calls the newest counts, within its time."""
    by_match: dict[tuple[str, ...], list[Assignment]] = {}
    for one in sorted(assignments, key=lambda one: one.created_at):
        by_match.setdefault(one.match, []).append(one)
    spans = sorted(
        (span for same in by_match.values() for span in _spans(same)),
        key=lambda one: (-len(one.asks), one.match, one.valid_from),
    )
    return tuple(
        Rule._make((place, one.contract, *one.match, one.valid_from, one.valid_to))
        for place, one in enumerate(spans, 1)
    )


def checked_assignment(new: Assignment, standing: Sequence[Assignment]) -> Assignment:
    """Return the assignment; PriceError when it says nothing, or when it could claim the calls of another one."""
    if not new.asks:
        raise PriceError(
            f"Contract {new.contract}: say whose calls it is for: {', '.join(MATCHED)}, one of them at least."
        )
    who = f"Contract {new.contract}"
    valid_from, valid_to = (on_quarter_hour(who, at) for at in (new.valid_from, new.valid_to))
    if not START <= valid_from < valid_to <= END:
        raise PriceError(f"{who}: the assignment would be valid at no time.")
    new = replace(new, valid_from=valid_from, valid_to=valid_to)
    in_force = [Assignment(*rule[1:8], rule.valid_from, rule.valid_to) for rule in rules(standing)]
    for other in in_force:
        if _is_ambiguous(new, other, in_force):
            both = " ".join(f"{name}={value}" for name, value in {**other.asks, **new.asks}.items())
            raise PriceError(
                f"Calls with {both} would fall under {new.contract or 'no contract'} and under {other.contract or 'no contract'}: neither "
                f"rule is more specific. First assign those calls ({both}) to one of them."
            )
    return new


def _is_ambiguous(new: Assignment, other: Assignment, in_force: Sequence[Assignment]) -> bool:
    if other.match == new.match or len(other.asks) != len(new.asks) or other.contract == new.contract:
        return False
    if not new.overlaps(other) or any(new.asks.get(name, value) != value for name, value in other.asks.items()):
        return False
    both = {**other.asks, **new.asks}
    start, end = max(new.valid_from, other.valid_from), min(new.valid_to, other.valid_to)
    return not any(
        len(one.asks) > len(new.asks)
        and one.asks.items() <= both.items()
        and one.valid_from <= start
        and end <= one.valid_to
        for one in in_force
    )


def _spans(same: Sequence[Assignment]) -> Iterator[Assignment]:
    edges = sorted({edge for one in same for edge in (one.valid_from, one.valid_to)})
    last: Assignment | None = None
    for start, end in itertools.pairwise(edges):
        winner = next((one for one in reversed(same) if one.valid_from <= start < one.valid_to), None)
        if winner is None:
            continue
        if last and last.valid_to == start and last.contract == winner.contract:
            last = replace(last, valid_to=end)
            continue
        if last:
            yield last
        last = replace(winner, valid_from=start, valid_to=end)
    if last:
        yield last
