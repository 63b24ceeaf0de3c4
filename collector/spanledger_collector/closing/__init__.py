"""Closes months: what is booked stays booked, and what is learned later is an adjustment in the first open month.

Closing writes, for each combination of dimensions, the costs as they are now less what was booked about the same month before: about the
month itself that is all of it, about earlier months an adjustment. So the books always sum to the costs, and closing needs no second step.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib.resources import files
from typing import Final

from clickhouse_connect.driver.client import Client

from spanledger_collector.exceptions import UnsettledError, UsageError
from spanledger_collector.zone import stored_zone

__all__ = ["MonthState", "check_closable", "close_month", "month_of", "states"]

_MONTH: Final = re.compile(r"(\d{4})-(\d{2})")


@dataclass(frozen=True)
class MonthState:
    """How the cost of some calls of a month is known. ``high_usd`` is None where nothing bounds it."""

    completeness: str
    unknown: bool
    calls: int
    known_usd: Decimal
    low_usd: Decimal
    high_usd: Decimal | None


def month_of(text: str) -> date:
    """Return the first day of a month written as 2026-10; UsageError when it is none."""
    match = _MONTH.fullmatch(text.strip())
    try:
        return date(int(match[1]), int(match[2]), 1) if match else _no_month(text)
    except ValueError:
        return _no_month(text)


def check_closable(client: Client, month: date) -> None:
    """Raise UsageError when a month must not be closed now, UnsettledError when the ledger is not settled; say what to do."""
    zone = stored_zone(client)
    asked = client.query(_statement("closable"), {"month": month, "zone": zone})
    over_on, is_over, is_closed, first_open, waiting, behind = asked.result_rows[0]
    if is_closed:
        raise UsageError(
            f"{month:%Y-%m} is closed already. What is learned about it is posted as an adjustment in {first_open:%Y-%m}."
        )
    if not is_over:
        raise UsageError(f"{month:%Y-%m} is not over: it can be closed from {over_on:%Y-%m-%d} on ({zone}).")
    if month > first_open:
        raise UsageError(f"Months are closed in order: close {first_open:%Y-%m} first.")
    if month < first_open:
        raise UsageError(
            f"Nothing of {month:%Y-%m} can be booked any more: {first_open:%Y-%m} is the first open month."
        )
    if waiting or behind:
        raise UnsettledError(
            f"The ledger is not settled: {waiting} traces wait for the election, {behind} hours are to be summed again. "
            "Try again in a minute; `spanledger up` catches up by itself."
        )


def states(client: Client, month: date) -> list[MonthState]:
    """Return how the cost of a month is known, by state."""
    rows = client.query(_statement("month_states"), {"month": month, "zone": stored_zone(client)}).result_rows
    return [MonthState(str(row[0]), bool(row[1]), int(row[2]), *row[3:]) for row in rows]


def close_month(client: Client, month: date, *, closed_by: str, note: str = "") -> None:
    """Book a month and the adjustments of earlier ones, in one insert; raises as check_closable does.

    Of several that close it at one time the first books it, and the others nothing.
    """
    check_closable(client, month)
    said = {"month": month, "closed_by": closed_by, "note": note, "token": f"close {month:%Y-%m}"}
    client.command(_statement("book_month"), said)


def _no_month(text: str) -> date:
    raise UsageError(f"{text!r} is no month; write it as 2026-10.")


def _statement(name: str) -> str:
    return files(__name__).joinpath(f"{name}.sql").read_text("utf-8")
