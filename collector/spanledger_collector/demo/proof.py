"""The proof: the vendor's own bill against the ledger, team by team and model by model, to the last digit.

The two sides share no code. The vendor knows a team by its API key and prices each request with the genai-prices
library when it answers; the ledger knows the team by its tags and prices token counts with SQL.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from spanledger_collector.demo.bill import BillEntry
from spanledger_collector.demo.company import team_of_key

__all__ = ["LedgerRow", "Proof", "ProofLine", "Side", "compare", "ledger_sides", "vendor_sides"]

Tokens = tuple[int, int, int, int, int, int]
Key = tuple[str, str]

# States of calls whose usage the client was told; the first two differ only in whether a price is known.
REPORTED: Final = {"priced", "unpriced_model"}
# The vendor does not bill these, so they are on neither side.
NOT_BILLED: Final = {"failed_not_billed", "notional"}


@dataclass(frozen=True)
class Side:
    """What one side knows of one team and model.

    `calls`, `tokens` and `amount_usd` are about calls whose usage was told; `untold_calls` counts the others.
    """

    calls: int = 0
    tokens: Tokens = (0, 0, 0, 0, 0, 0)
    amount_usd: Decimal | None = Decimal(0)
    untold_calls: int = 0

    def __add__(self, other: "Side") -> "Side":
        """Return both together; one unknown amount makes the sum unknown."""
        known = self.amount_usd is not None and other.amount_usd is not None
        return Side(
            self.calls + other.calls,
            add_tokens(self.tokens, other.tokens),
            (self.amount_usd or Decimal(0)) + (other.amount_usd or Decimal(0)) if known else None,
            self.untold_calls + other.untold_calls,
        )


@dataclass(frozen=True)
class ProofLine:
    """One team and model, on both sides."""

    team: str
    model: str
    vendor: Side
    ledger: Side

    @property
    def equal(self) -> bool:
        return self.vendor == self.ledger


@dataclass(frozen=True)
class Proof:
    """All lines, what the vendor billed for calls that no client was told about, and the check of the rollup."""

    lines: tuple[ProofLine, ...]
    untold_usd: Decimal
    calls_usd: Decimal
    rollup_usd: Decimal

    @property
    def equal(self) -> bool:
        """Whether both sides agree in every line, there is anything to agree on, and the rollup adds up."""
        return bool(self.lines) and all(line.equal for line in self.lines) and self.calls_usd == self.rollup_usd

    @property
    def total(self) -> ProofLine:
        """Both sides summed over what has a price; unpriced lines add their calls and tokens."""
        vendor = sum((priced(line.vendor) for line in self.lines), Side())
        ledger = sum((priced(line.ledger) for line in self.lines), Side())
        return ProofLine("total", "", vendor, ledger)


@dataclass(frozen=True)
class LedgerRow:
    """The ledger's calls of one team, model and completeness state."""

    team: str
    model: str
    state: str
    calls: int
    tokens: Tokens
    cost_usd: Decimal | None


def compare(bill: Iterable[BillEntry], rows: Iterable[LedgerRow], *, calls_usd: Decimal, rollup_usd: Decimal) -> Proof:
    """Return the proof of a bill against the rows of the ledger, and of the rollup against the calls."""
    entries = list(bill)
    vendor, ledger = vendor_sides(entries), ledger_sides(rows)
    lines = (
        ProofLine(*key, vendor.get(key, Side()), ledger.get(key, Side()))
        for key in sorted(vendor.keys() | ledger.keys())
    )
    untold = sum((entry.amount_usd or Decimal(0) for entry in entries if not entry.usage_told), Decimal(0))
    return Proof(tuple(lines), untold, calls_usd, rollup_usd)


def vendor_sides(bill: Iterable[BillEntry]) -> dict[Key, Side]:
    """Return the vendor's side per team and model; the API key tells the team."""
    sides: dict[Key, Side] = {}
    for entry in bill:
        key = (team_of_key(entry.api_key), entry.model)
        told = Side(1, entry_tokens(entry), entry.amount_usd) if entry.usage_told else Side(untold_calls=1)
        sides[key] = sides.get(key, Side()) + told
    return sides


def ledger_sides(rows: Iterable[LedgerRow]) -> dict[Key, Side]:
    """Return the ledger's side per team and model."""
    sides: dict[Key, Side] = {}
    for row in rows:
        if row.state in NOT_BILLED:
            continue
        key = (row.team, row.model)
        reported = row.state in REPORTED
        side = Side(row.calls, row.tokens, row.cost_usd) if reported else Side(untold_calls=row.calls)
        sides[key] = sides.get(key, Side()) + side
    return sides


def entry_tokens(entry: BillEntry) -> Tokens:
    meters = entry.meters
    return (
        meters.input_tokens,
        meters.cache_read_tokens,
        meters.cache_write_tokens,
        meters.cache_write_1h_tokens,
        meters.output_tokens,
        meters.reasoning_tokens,
    )


def add_tokens(left: Tokens, right: Tokens) -> Tokens:
    a, b, c, d, e, f = (x + y for x, y in zip(left, right, strict=True))
    return a, b, c, d, e, f


def priced(side: Side) -> Side:
    """Return the side with an unknown amount left out."""
    return side if side.amount_usd is not None else Side(side.calls, side.tokens, Decimal(0), side.untold_calls)
