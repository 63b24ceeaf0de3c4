"""Anomalies: what costs more than it should, since when, why, and which calls to look at."""

from typing import Final

from spanledger_collector.panels.fields import CALLS, KNOWN_USD, UNKNOWN, named, trace
from spanledger_collector.panels.model import Choice, Dashboard, Field, Kind, Link, Panel, Row, Unit
from spanledger_collector.panels.thresholds import CRITICAL, WARNINGS
from spanledger_collector.panels.words import DRIVERS, SEVERITIES

__all__ = ["ANOMALIES"]

_NONE: Final = "There has been no incident. The watcher looks each minute."
_INCIDENT: Final = Field("incident_id", "Incident", Unit.TEXT, link=Link("anomalies", "incident"))
_SEVERITY: Final = named("Severity", name="severity", words=SEVERITIES)
_KIND: Final = named("Kind", name="kind")
_CAUSE: Final = named("What happened", name="cause")
_BEGAN: Final = Field("started_at", "Began", Unit.TIME)
_IMPACT: Final = Field("impact", "Too much", Unit.USD, signed=True)
_PER_HOUR: Final = Field("impact_per_hour", "By the hour", Unit.USD, signed=True)
_EXPECTED: Final = Field("expected", "Expected", Unit.USD)
_ACTUAL: Final = Field("actual", "Was", Unit.USD)
_PEOPLE: Final = named("People say", name="feedback")

_OPEN: Final = Panel(
    "open",
    "Going on now",
    "Incidents that are open, by severity. Critical ones page somebody; infos are shown and never page. By the hour: "
    "of the dearest one, because incidents can overlap.",
    Kind.STAT,
    (
        Field("critical", "Critical", Unit.COUNT, CRITICAL, zero="none"),
        Field("warnings", "Warnings", Unit.COUNT, WARNINGS, zero="none"),
        Field("infos", "Infos", Unit.COUNT, zero="none"),
        Field("dearest_usd_per_hour", "The dearest, by the hour", Unit.USD),
    ),
    _NONE,
    fixed="now",
)
_FOUND: Final = Panel(
    "found",
    "Incidents by kind",
    "Incidents by the time at which they began and their kind: retry loop (the same again and again), context leak "
    "(prompts that grow), prompt bloat (a longer prompt), model switch, wrong price, cache collapse, abuse (one user "
    "or tenant), batch job, growth, lost traffic, huge call; a spike is none of these.",
    Kind.TIME_SERIES,
    (Field("incidents", "Incidents", Unit.COUNT),),
    "No incident began in this time range.",
    split=True,
    stacked=True,
)
_SPEND: Final = Panel(
    "overview/spend",
    "Known cost by team, with incidents",
    "Known cost over time of the eight dearest teams. Marks are incidents, deployments and price changes.",
    Kind.TIME_SERIES,
    (KNOWN_USD,),
    "No calls in this time range with these filters.",
    split=True,
    stacked=True,
)
_GOING_ON: Final = Panel(
    "going_on",
    "Open incidents",
    "What goes on now, the dearest by the hour first. Too much: known cost since it began, less what was expected. An "
    "incident leads to its cause, below. `spanledger anomalies feedback` says whether it was real or expected.",
    Kind.TABLE,
    (_INCIDENT, _SEVERITY, _KIND, _CAUSE, _BEGAN, _IMPACT, _PER_HOUR, _PEOPLE),
    "Nothing costs more than it should.",
    fixed="now",
)
_IMPACT_PANEL: Final = Panel(
    "impact",
    "One incident",
    "What the incident that is written above (Incident) cost; where none is, the open one that costs most by the "
    "hour, else the latest.",
    Kind.STAT,
    (_IMPACT, _PER_HOUR, _EXPECTED, _ACTUAL, CALLS),
    _NONE,
    fixed="all times",
)
_FACTS: Final = Panel(
    "facts",
    "Who, what, since when, why",
    "What is known of that incident. Best explained by: the value of one tag that most of the change is in; above 100 "
    "% where others fell meanwhile.",
    Kind.TABLE,
    (named("What", name="what"), named("Answer", name="answer")),
    _NONE,
    fixed="all times",
)
_EFFECTS: Final = Panel(
    "effects",
    "What moved",
    "The incident's impact by driver: more calls, more tokens per call, dearer models in the mix, less from the "
    "cache, another price. They sum to it exactly.",
    Kind.TABLE,
    (named("Driver", words=DRIVERS), Field("effect", "Part of the impact", Unit.USD, signed=True, bar=True)),
    "There is nothing to take apart.",
    fixed="all times",
)
_TRACES: Final = Panel(
    "traces",
    "Calls to look at",
    "Up to five example traces of that incident, the dearest first. A trace leads to its spans.",
    Kind.TABLE,
    (
        trace(),
        Field("first_at", "Start", Unit.TIME),
        CALLS,
        KNOWN_USD,
        UNKNOWN,
        Field("tokens_in", "Tokens in", Unit.TOKENS),
        Field("tokens_out", "Tokens out", Unit.TOKENS),
        named("Model", name="of_model"),
    ),
    "There are no example calls.",
    fixed="all times",
)
_ALL: Final = Panel(
    "all",
    "Incidents of the time range",
    "Incidents that touch the time range, over or not, the latest first. Was: known cost since it began, a lower "
    "bound where costs are unknown.",
    Kind.TABLE,
    (
        _INCIDENT,
        named("State", name="status"),
        _SEVERITY,
        _KIND,
        _CAUSE,
        _BEGAN,
        Field("resolved_at", "Over", Unit.TIME),
        _EXPECTED,
        _ACTUAL,
        _IMPACT,
        _PEOPLE,
    ),
    "No incident touches this time range.",
)

ANOMALIES: Final = Dashboard(
    "anomalies",
    "Anomalies",
    "What costs more than it should: since when, how much, why, and which calls to look at.",
    (
        Row("Now", 6, ((_OPEN, 6), (_GOING_ON, 18))),
        Row("One incident", 9, ((_IMPACT_PANEL, 6), (_FACTS, 10), (_EFFECTS, 8))),
        Row("", 6, ((_TRACES, 24),)),
        Row("Over time", 9, ((_SPEND, 16), (_FOUND, 8))),
        Row("All", 9, ((_ALL, 24),)),
    ),
    "now-7d",
    (Choice("incident", "Incident"),),
)
