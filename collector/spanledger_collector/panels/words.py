"""What values are called where people read them: the ledger's own words stand in SQL, these in panels, with a colour where one helps."""

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["DRIVERS", "ROLLUPS", "SEVERITIES", "STATES", "VERDICTS", "Word"]


@dataclass(frozen=True)
class Word:
    """A value of a column, and what people read in its place."""

    value: str
    text: str
    color: Literal["", "green", "yellow", "red"] = ""


# Column completeness: how the cost of a call is known.
STATES: Final = (
    Word("priced", "exact"),
    Word("failed_not_billed", "failed, not billed"),
    Word("notional", "flat subscription"),
    Word("estimated", "only estimated", "yellow"),
    Word("unpriced_model", "model without a price", "yellow"),
    Word("no_usage", "usage never told", "yellow"),
    Word("failed_maybe_billed", "failed, maybe billed", "yellow"),
)
# Column verdict: what became of an LLM span.
VERDICTS: Final = (
    Word("bills", "billed"),
    Word("duplicate", "duplicate"),
    Word("covered", "covered by the span above"),
    Word("wrapper", "wrapper around calls"),
    Word("pending", "not judged yet"),
)
SEVERITIES: Final = (
    Word("critical", "critical", "red"),
    Word("warning", "warning", "yellow"),
    Word("info", "info"),
)
# Keys of the column effects: what moved a cost.
DRIVERS: Final = (
    Word("volume", "number of calls"),
    Word("tokens_per_call", "tokens per call"),
    Word("mix", "which models are called"),
    Word("cache", "input from the cache"),
    Word("unit_price", "price of a token"),
)
ROLLUPS: Final = (
    Word("cost_minutes", "cost by minute"),
    Word("cost_hours", "cost by hour"),
    Word("cost_days", "cost by day"),
    Word("actor_minutes", "users and sessions by minute"),
    Word("actor_hours", "users and sessions by hour"),
)
