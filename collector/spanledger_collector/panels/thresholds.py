"""When a value is bad, in one place: each with its reason. Colours are those of Grafana; the built-in page has the same ones by name."""

from dataclasses import dataclass
from typing import Final, Literal

__all__ = [
    "CHANGE",
    "CRITICAL",
    "ERRORS",
    "KNOWN",
    "LAG_SECONDS",
    "LIST_AGE_DAYS",
    "NONE_IS_WELL",
    "QUARANTINED",
    "RETRIES",
    "SILENT_SECONDS",
    "UNKNOWN_CALLS",
    "UNTAGGED_SHARE",
    "WAITING_TRACES",
    "WARNINGS",
    "Steps",
]

_Color = Literal["green", "yellow", "red", "text"]


@dataclass(frozen=True)
class Steps:
    """The colour below the first limit, then limits with the colour from there on."""

    base: _Color
    limits: tuple[tuple[float, _Color], ...]

    def color_of(self, value: float) -> str:
        """Return the colour of a value."""
        return next((color for limit, color in reversed(self.limits) if value >= limit), self.base)


# Alerts and budgets see only what is known: at 5 % unknown calls they are half blind for a team that has them all.
KNOWN: Final = Steps("red", ((0.95, "yellow"), (0.99, "green")))
# One call of unknown cost makes the sum beside it a lower bound: worth a look, no alarm.
UNKNOWN_CALLS: Final = Steps("green", ((1, "yellow"),))
# FinOps Foundation, capability Allocation: at most 20 % unallocated is "walk", at most 10 % is "run".
UNTAGGED_SHARE: Final = Steps("green", ((0.1, "yellow"), (0.2, "red")))
# Against the same part of last month: growth by a half asks for a reason, doubling for a decision.
CHANGE: Final = Steps("green", ((0.5, "yellow"), (1, "red")))
# Providers answer well above 99 % of calls; 5 % failures are seen by users.
ERRORS: Final = Steps("green", ((0.01, "yellow"), (0.05, "red")))
# Each retry may be billed: 5 in 100 are a bad network, 20 a loop.
RETRIES: Final = Steps("green", ((0.05, "yellow"), (0.2, "red")))
# Calls are in the sums within seconds; after a minute something waits, after ten alerts are late.
LAG_SECONDS: Final = Steps("green", ((60, "yellow"), (600, "red")))
# The election judges a thousand spans in less than a second; thousands of traces are a backlog.
WAITING_TRACES: Final = Steps("green", ((1_000, "yellow"), (20_000, "red")))
# A service that sends nothing for an hour may be idle; for a day, it is broken or gone.
SILENT_SECONDS: Final = Steps("green", ((3_600, "yellow"), (86_400, "red")))
# The view price_book_status calls a list stale at 30 days; three months of price changes make it wrong.
LIST_AGE_DAYS: Final = Steps("green", ((30, "yellow"), (90, "red")))
# What is kept aside is in no sum: one span is worth a look, a thousand are a broken emitter.
QUARANTINED: Final = Steps("green", ((1, "yellow"), (1_000, "red")))
# One that goes on is somebody's work now.
CRITICAL: Final = Steps("green", ((1, "red"),))
WARNINGS: Final = Steps("green", ((1, "yellow"),))
# What should not be at all.
NONE_IS_WELL: Final = Steps("green", ((1, "red"),))
