"""Every number at which an alert fires; the queries name them in braces, Grafana's rules and the embedded watcher read the same ones."""

from typing import Final

__all__ = ["THRESHOLDS"]

THRESHOLDS: Final[dict[str, float]] = {
    # Spend that needs no history to be judged: a ledger that is new, a feature that is new. Far above what a team spends in an hour
    # without knowing it, far below the loop that ran over a weekend for 40,000 USD (660 USD an hour).
    "spend_usd_per_hour": 100,
    # One user or session: a person who reads the answers spends cents an hour.
    "actor_usd_per_hour": 25,
    # One call: a million tokens of input at the price of the dearest models in common use.
    "call_usd": 10,
    # Part of the calls of the last hour whose cost is not known, and how many times that of the week before it must be: a ledger with
    # streams that never tell their usage is used to it.
    "unknown_share": 0.10,
    "unknown_growth": 2,
    # With fewer calls than this in the hour a share is chance.
    "unknown_calls_min": 30,
    # A service is silent when it is so for this long, and for so many times its longest pause of the day before its last call.
    "silent_minutes": 15,
    "silent_pauses": 3,
    # A service with calls in fewer minutes than this has no rhythm that could be missed.
    "silent_active_minutes": 30,
    # price_book_status calls a list stale at the same age.
    "price_list_days": 30,
    # Tokens of one model without a price in a day: less is somebody's try.
    "unpriced_tokens": 100_000,
    # Numbered spans of one process that never came, in an hour; one or two may be a kill in the middle of an export.
    "lost_spans": 5,
    # Spans and requests kept aside in the last quarter of an hour.
    "quarantined": 20,
    # Sums and verdicts settle within seconds; after ten minutes nobody looks at the right numbers.
    "lag_seconds": 600,
    # Part of the store's disk that is free; merges need room for a copy of what they merge.
    "disk_free_share": 0.05,
    # Requests that the collector could not take in a minute: senders try again, one may be a restart.
    "refused_requests": 5,
}
