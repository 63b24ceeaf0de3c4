"""How commands write money and JSON."""

import json
import sys
from decimal import Decimal
from typing import Any, Final

from rich.console import Console

__all__ = ["as_json", "console", "money"]

_PIPE_WIDTH: Final = 160
_CENTS: Final = Decimal("0.01")
_SMALL: Final = Decimal("0.000001")


def console() -> Console:
    """Return standard output for tables: as wide as the terminal, and wide enough for any table in a pipe."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)


def money(amount_usd: Decimal) -> str:
    """Return an amount for people: cents from a dollar on, six decimals below; never 0 for what is not 0."""
    if not amount_usd:
        return "0"
    if abs(amount_usd) >= 1:
        return f"{amount_usd.quantize(_CENTS):,}"
    if abs(amount_usd) >= _SMALL:
        return f"{amount_usd.quantize(_SMALL):f}"
    return f"{amount_usd.normalize():f}"


def as_json(value: Any) -> str:
    """Return JSON with amounts as strings, because a JSON number is a float to most readers."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=_plain)


def _plain(value: object) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
