"""Reads times, meters and amounts of the price commands."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from spanledger_collector.exceptions import UsageError
from spanledger_collector.prices.meters import METER_NAMES

__all__ = ["FROM", "TO", "column_of", "meters", "moment"]

FROM: Final = "1970-01-01"
TO: Final = "2106-01-01"
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2106


def moment(text: str, option: str) -> datetime:
    """Return a time, in UTC where it does not say; UsageError when it is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{option}: {text!r} is no time; write 2026-11-01 or 2026-11-01T16:30.") from error
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise UsageError(f"{option}: {text!r} is outside {_FIRST_YEAR} to {_LAST_YEAR}.")
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def column_of(meter: str, option: str = "--meter") -> str:
    """Return the column of ``rates`` for a meter as people write it; UsageError when there is none."""
    if meter not in METER_NAMES:
        raise UsageError(f"{option}: {meter!r} is no meter. There are: {', '.join(METER_NAMES)}.")
    return METER_NAMES[meter]


def meters(prices: Sequence[str]) -> dict[str, Decimal]:
    """Return amounts per token (or for one) by column, from METER=AMOUNT per million tokens."""
    found: dict[str, Decimal] = {}
    for text in prices:
        meter, _, amount = text.partition("=")
        name = column_of(meter, "--price")
        if name in found:
            raise UsageError(f"--price: {meter} is given twice; give each meter once.")
        try:
            found[name] = Decimal(amount).scaleb(-6 if name.endswith("_per_token") else 0)
        except ArithmeticError as error:
            raise UsageError(
                f"--price: {amount!r} is no amount; write {meter}=1.25 for 1.25 USD per million tokens."
            ) from error
    return found
