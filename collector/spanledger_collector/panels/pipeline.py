"""Pipeline: whether the figures can be believed now. What comes in, what waits, who is silent, what the store  holds."""

from typing import Final

from spanledger_collector.panels.fields import named
from spanledger_collector.panels.model import Dashboard, Field, Kind, Panel, Row, Unit
from spanledger_collector.panels.thresholds import (
    LAG_SECONDS,
    LIST_AGE_DAYS,
    NONE_IS_WELL,
    QUARANTINED,
    SILENT_SECONDS,
    WAITING_TRACES,
)
from spanledger_collector.panels.words import ROLLUPS, VERDICTS

__all__ = ["PIPELINE"]

_RATE: Final = Field("spans_per_second", "Spans per second", Unit.PER_SECOND)
_SILENT: Final = Field("silent_seconds", "Silent for", Unit.SECONDS, SILENT_SECONDS)

_STATUS: Final = Panel(
    "status",
    "The ledger now",
    "Spans that landed (30 days, repeated deliveries counted again), how long ago the latest began, how long calls "
    "wait to be judged and summed, and what was kept aside.",
    Kind.STAT,
    (
        Field("lag_seconds", "Sums are behind by", Unit.SECONDS, LAG_SECONDS, zero="nothing"),
        Field("waiting_traces", "Traces to be judged", Unit.COUNT, WAITING_TRACES, zero="none"),
        Field("silent_seconds", "Latest span began before", Unit.SECONDS, SILENT_SECONDS),
        Field("landed_spans", "Spans in the landing table", Unit.COUNT),
        Field("quarantined_spans", "Spans kept aside", Unit.COUNT, QUARANTINED, zero="none"),
        Field("price_list_age_days", "Age of the price list", Unit.DAYS, LIST_AGE_DAYS, zero="today"),
    ),
    "The ledger did not answer.",
    fixed="now",
)
_LANDED: Final = Panel(
    "landed",
    "Spans that landed",
    "Spans of any kind for each second, by the start that they name, repeated deliveries counted again; the landing "
    "table keeps 30 days.",
    Kind.TIME_SERIES,
    (_RATE,),
    "No spans landed in this time range.",
    stacked=True,
    step=60,
)
_JUDGED: Final = Panel(
    "judged",
    "LLM spans by verdict",
    "LLM spans for each second by what became of them. One span bills each call; a duplicate is the same call seen "
    "again, a covered one has its usage on the span above it, a wrapper contains calls. Many that are not judged yet: "
    "the election, which decides, is behind.",
    Kind.TIME_SERIES,
    (_RATE,),
    "No LLM spans in this time range.",
    stacked=True,
    step=60,
    split=True,
    words=VERDICTS,
)
_QUARANTINED: Final = Panel(
    "quarantined",
    "Kept aside",
    "Spans and requests that cannot be true or cannot be read, over time; they are in no sum. Data quality has the "
    "reasons.",
    Kind.TIME_SERIES,
    (Field("pieces", "Pieces", Unit.COUNT),),
    "Nothing was kept aside in this time range.",
    stacked=True,
    step=60,
    split=True,
)
_ROLLUPS: Final = Panel(
    "rollups",
    "Sums that are behind",
    "Rollups some of whose minutes or hours changed after they were made. Seconds are normal under load; minutes are "
    "not.",
    Kind.TABLE,
    (
        named("Sums of", name="rollup_table", words=ROLLUPS),
        Field("buckets", "Minutes or hours to make again", Unit.COUNT),
        Field("behind_since", "Since", Unit.TIME),
        Field("behind_seconds", "For", Unit.SECONDS, LAG_SECONDS),
    ),
    "All sums are up to date.",
    fixed="now",
)
_QUEUE: Final = Panel(
    "queue",
    "Waiting for the election",
    "Traces whose spans arrived and are not judged yet, and for how long the oldest waits. Their calls are in the "
    "sums provisionally.",
    Kind.STAT,
    (
        Field("traces", "Traces", Unit.COUNT, WAITING_TRACES, zero="none"),
        Field("behind_seconds", "Oldest waits for", Unit.SECONDS, LAG_SECONDS, zero="nothing"),
    ),
    "The ledger did not answer.",
    fixed="now",
)
_CHECK: Final = Panel(
    "check",
    "Sums against single calls",
    "Hours of the last six whose rollups do not add up to their calls. While calls arrive, the current hour may "
    "differ for seconds; an older one must not.",
    Kind.TABLE,
    (
        Field("hour", "Hour", Unit.TIME),
        Field("calls_in_rollup", "Calls in the sums", Unit.COUNT),
        Field("calls_in_ledger", "Calls in the ledger", Unit.COUNT),
        Field("calls_difference", "Difference", Unit.COUNT, NONE_IS_WELL, signed=True),
        Field("usd_difference", "Difference", Unit.USD, signed=True),
    ),
    "The sums of the last six hours add up to their calls, to the last digit.",
    fixed="last 6 hours",
)
_SERVICES: Final = Panel(
    "services",
    "Services",
    "Services of the last seven days, the one silent for longest first. Negative: its clock is ahead.",
    Kind.TABLE,
    (
        named("Service", name="of_service"),
        Field("last_span_at", "Last span", Unit.TIME),
        _SILENT,
        Field("spans", "Spans", Unit.COUNT),
        Field("genai_spans", "LLM spans", Unit.COUNT),
    ),
    "No service sent anything in the last seven days. Point one here: OTEL_EXPORTER_OTLP_ENDPOINT.",
    fixed="last 7 days",
)
_STORE: Final = Panel(
    "store",
    "What the tables take",
    "Rows, bytes on the disk and parts of the largest tables. Hundreds of parts: merges cannot keep up with small "
    "inserts.",
    Kind.TABLE,
    (
        named("Table", name="of_table"),
        Field("rows", "Rows", Unit.TOKENS),
        Field("bytes", "On the disk", Unit.BYTES, bar=True),
        Field("parts", "Parts", Unit.COUNT),
    ),
    "The store is empty.",
    fixed="now",
)

PIPELINE: Final = Dashboard(
    "pipeline",
    "Pipeline",
    "Whether the figures can be believed now: what comes in, what waits, who is silent.",
    (
        Row("Now", 5, ((_STATUS, 18), (_QUEUE, 6))),
        Row("What comes in", 8, ((_LANDED, 8), (_JUDGED, 8), (_QUARANTINED, 8))),
        Row("Whether it adds up", 7, ((_CHECK, 12), (_ROLLUPS, 12))),
        Row("Who sends, and what is kept", 9, ((_SERVICES, 13), (_STORE, 11))),
    ),
    "now-24h",
)
