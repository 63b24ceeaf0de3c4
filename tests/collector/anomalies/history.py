"""Gives a ledger a past: the ten minutes of some series, as many calls had left them."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from tests.ledger import Ledger

__all__ = ["BUCKETS_A_DAY", "DAYS", "NOW", "NOW_SECONDS", "cell", "history"]

BUCKETS_A_DAY: Final = 144
DAYS: Final = 10
# The last second of an hour: what is normal is then as old as it gets.
NOW_SECONDS: Final = int(time.time()) // 3600 * 3600 - 1
NOW: Final = datetime.fromtimestamp(NOW_SECONDS, UTC)
_END: Final = NOW_SECONDS + 1
_PRICES: Final = {"uncached": Decimal("0.000002"), "cache_read": Decimal("0.0000002"), "output": Decimal("0.000008")}

Cell = dict[str, Any]


def cell(
    calls: int = 20, *, size: int = 1000, answer: int = 100, cached: float = 0.5, price: Decimal | int = 1, **more: Any
) -> Cell:
    """Return the figures of ten minutes: calls and answers of one size, a cached share of their input, a multiple of the price."""
    tokens = {
        "cache_read": round(calls * size * cached),
        "uncached": calls * size - round(calls * size * cached),
        "output": calls * answer,
    }
    usd = {name: count * _PRICES[name] * price for name, count in tokens.items()}
    total = sum(usd.values(), Decimal(0))
    return {
        "part": "cell",
        "tenant": "acme",
        "team": "support",
        "feature": "chat",
        "provider": "openai",
        "model": "gpt-5",
        "calls": calls,
        "priced_calls": calls,
        "attempts": calls,
        **{f"{name}_tokens": count for name, count in tokens.items()},
        **{f"{name}_usd": amount for name, amount in usd.items()},
        "known_usd": total,
        "largest_usd": total / max(calls, 1),
        **more,
    }


def history(ledger: Ledger, of: Callable[[int], Mapping[str, Any] | None], days: int = DAYS) -> None:
    """Insert what ``of`` says of each ten minutes; 0 is the one that goes on, 1 the one before, and so on."""
    rows = [
        {"bucket": datetime.fromtimestamp(_END - 600 * (ago + 1), UTC), **found}
        for ago in range(days * BUCKETS_A_DAY)
        if (found := of(ago)) is not None
    ]
    names = list(dict.fromkeys(name for row in rows for name in row))
    run_at = datetime.now(UTC)
    values = [[*(row.get(name, 0) for name in names), run_at] for row in rows]
    ledger.client.insert("spend_buckets", values, column_names=[*names, "run_at"])
