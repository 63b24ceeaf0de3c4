"""Data quality: what the sums do not hold, and why. Unpriced, untold, untagged, kept aside, disagreed."""

from typing import Final

from spanledger_collector.panels.fields import CALLS, INPUT, KNOWN_BAR, NOTHING_BOOKED, OUTPUT, UNKNOWN, named
from spanledger_collector.panels.model import Dashboard, Field, Kind, Panel, Row, Unit
from spanledger_collector.panels.overview import HOW_KNOWN, UNKNOWN_OVER_TIME
from spanledger_collector.panels.thresholds import (
    KNOWN,
    LIST_AGE_DAYS,
    NONE_IS_WELL,
    SILENT_SECONDS,
    UNKNOWN_CALLS,
    UNTAGGED_SHARE,
)

__all__ = ["QUALITY"]

_KNOWN: Final = Field("known_share", "Known", Unit.SHARE, KNOWN)

_GAPS: Final = Panel(
    "gaps",
    "What is missing",
    "Of the calls in the time range: how many have a known cost, a model without a price, no usage told, no team or "
    "no feature.",
    Kind.STAT,
    (
        _KNOWN,
        Field("unpriced_calls", "Model without a price", Unit.COUNT, UNKNOWN_CALLS, zero="none"),
        Field("no_usage_calls", "Usage never told", Unit.COUNT, UNKNOWN_CALLS, zero="none"),
        Field("untagged_calls", "Without team or feature", Unit.COUNT, UNKNOWN_CALLS, zero="none"),
        Field("untagged_share", "Part of the calls without", Unit.SHARE, UNTAGGED_SHARE),
    ),
    NOTHING_BOOKED,
)
_PRICE_BOOK: Final = Panel(
    "price_book",
    "Price book",
    "Days since this ledger first used its version of the price list, models of the last 30 days without a price, and "
    "the owner's own prices.",
    Kind.STAT,
    (
        Field("list_age_days", "Age of the price list", Unit.DAYS, LIST_AGE_DAYS, zero="today"),
        Field("unpriced_models", "Models without a price", Unit.COUNT, UNKNOWN_CALLS, zero="none"),
        Field("overrides", "Own prices", Unit.COUNT, zero="none"),
    ),
    "There is no price book: `spanledger prices update` makes one.",
    fixed="now",
)
_KNOWN_OVER_TIME: Final = Panel(
    "known_over_time",
    "Calls whose cost is known",
    "Part of the calls whose cost is known, over time. A step down is a new model without a price, or a client that "
    "stopped telling its usage.",
    Kind.TIME_SERIES,
    (_KNOWN,),
    NOTHING_BOOKED,
)
_UNPRICED: Final = Panel(
    "unpriced",
    "Models without a price",
    "Their tokens are known, their cost is not, and it is not taken for 0. `spanledger prices set` gives a price, and "
    "history is priced again.",
    Kind.TABLE,
    (
        named("Provider", name="of_provider"),
        named("Model", name="of_model"),
        CALLS,
        INPUT,
        OUTPUT,
        Field("last_at", "Last", Unit.TIME),
    ),
    "Every model in this time range has a price.",
)
_UNTAGGED: Final = Panel(
    "untagged",
    "Spend that lacks a tag",
    "Money that nobody can be asked about, by service and missing tag. A call that lacks two tags is in two rows.",
    Kind.TABLE,
    (named("Service", name="of_service"), named("Missing tag", name="missing"), KNOWN_BAR, CALLS, UNKNOWN),
    "Every call in this time range names its team, feature and tenant.",
)
_SERVICES: Final = Panel(
    "services",
    "Services in doubt",
    "Services of the last seven days that name themselves nowhere, send spans but no LLM call, or are silent for an "
    "hour.",
    Kind.TABLE,
    (
        named("Service", name="of_service"),
        named("Doubt", name="doubt"),
        Field("last_span_at", "Last span", Unit.TIME),
        Field("silent_seconds", "Silent for", Unit.SECONDS, SILENT_SECONDS),
        Field("spans", "Spans", Unit.COUNT),
        Field("genai_spans", "LLM spans", Unit.COUNT),
    ),
    "All services name themselves, send LLM calls, and were heard of within the hour.",
    fixed="last 7 days",
)
_VERDICTS: Final = Panel(
    "verdicts",
    "Duplicates that were left out",
    "LLM spans by their emitter (the instrumentation or gateway that wrote them) and what became of them. One span "
    "bills each call. The others cost nothing: duplicates are the same call seen again (by a gateway, a second "
    "instrumentation, a replay), covered ones have their usage on the span above them, wrappers (agents, workflows) "
    "contain calls; pending ones are not judged yet. Filters have no effect here.",
    Kind.TABLE,
    (
        named("Emitter", name="of_emitter"),
        Field("spans", "Spans", Unit.COUNT),
        Field("billed", "Billed", Unit.COUNT),
        Field("duplicates", "Duplicates", Unit.COUNT),
        Field("covered", "Covered", Unit.COUNT),
        Field("wrappers", "Wrappers", Unit.COUNT),
        Field("pending", "Pending", Unit.COUNT),
    ),
    "No LLM spans in this time range.",
)
_DISAGREEMENTS: Final = Panel(
    "disagreements",
    "Where emitters compute another cost",
    "Calls whose emitter wrote a cost on the span that differs from the ledger's by more than a thousandth. The "
    "ledger's counts; the other is kept to compare. Filters have no effect here.",
    Kind.TABLE,
    (
        named("Emitter", name="of_emitter"),
        named("Model", name="of_model"),
        named("Likely cause", name="cause"),
        CALLS,
        Field("reported_usd", "Emitter says", Unit.USD),
        Field("ledger_usd", "Ledger says", Unit.USD),
        Field("difference_usd", "Difference", Unit.USD, signed=True),
    ),
    "No emitter computes another cost than the ledger.",
)
_QUARANTINE: Final = Panel(
    "quarantine",
    "Kept aside",
    "Spans and requests that cannot be true or cannot be read, by reason; they are in no sum. `spanledger quarantine "
    "list` shows each, `spanledger quarantine retry` tries again.",
    Kind.TABLE,
    (
        named("What", name="kind"),
        named("Reason", name="reason"),
        Field("pieces", "Pieces", Unit.COUNT, NONE_IS_WELL),
        Field("last_at", "Last", Unit.TIME),
    ),
    "Nothing was kept aside in this time range.",
)

QUALITY: Final = Dashboard(
    "quality",
    "Data quality",
    "What the sums do not hold, and why.",
    (
        Row("At a glance", 5, ((_GAPS, 15), (_PRICE_BOOK, 9))),
        Row("Over time", 8, ((_KNOWN_OVER_TIME, 12), (UNKNOWN_OVER_TIME, 12))),
        Row("Unknown cost", 8, ((HOW_KNOWN, 14), (_UNPRICED, 10))),
        Row("Tags and services", 8, ((_UNTAGGED, 12), (_SERVICES, 12))),
        Row("Counted once, and compared", 8, ((_VERDICTS, 12), (_DISAGREEMENTS, 12))),
        Row("Kept aside", 7, ((_QUARANTINE, 24),)),
    ),
    "now-7d",
)
