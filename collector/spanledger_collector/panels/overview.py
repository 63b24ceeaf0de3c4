"""Spend overview: for whoever pays. What is spent, where it goes, what changed, how much of it is known."""

from typing import Final

from spanledger_collector.panels.fields import (
    CALLS,
    KNOWN_BAR,
    KNOWN_USD,
    NOTHING_BOOKED,
    UNKNOWN,
    named,
)
from spanledger_collector.panels.model import Dashboard, Field, Kind, Link, Panel, Row, Unit
from spanledger_collector.panels.thresholds import CHANGE, KNOWN
from spanledger_collector.panels.words import STATES

__all__ = ["HOW_KNOWN", "OVERVIEW", "UNKNOWN_OVER_TIME"]

_TODAY: Final = Panel(
    "today",
    "Today",
    "Known cost since midnight of the reporting time zone. While calls of unknown cost are counted beside it, it is a "
    "lower bound.",
    Kind.STAT,
    (KNOWN_USD, UNKNOWN),
    NOTHING_BOOKED,
    fixed="today",
)
_MONTH: Final = Panel(
    "month",
    "This month so far",
    "Known cost since the first of the month, in the reporting time zone. While calls of unknown cost are counted "
    "beside it, it is a lower bound.",
    Kind.STAT,
    (KNOWN_USD, UNKNOWN),
    NOTHING_BOOKED,
    fixed="this month",
)
_FORECAST: Final = Panel(
    "forecast",
    "This month, if it goes on like this",
    "Simple on purpose: the month so far, plus the average of the last 7 days for the time that is left. It knows no "
    "weekends, no growth and no calls of unknown cost.",
    Kind.STAT,
    (Field("forecast_usd", "Expected for the whole month", Unit.USD), UNKNOWN),
    NOTHING_BOOKED,
    fixed="this month",
)
_VERSUS: Final = Panel(
    "versus",
    "Against last month",
    "This month so far against the same part of last month: until the same day and hour. Empty where last month had "
    "no known cost.",
    Kind.STAT,
    (
        Field("change", "Change", Unit.SHARE, CHANGE, signed=True),
        Field("before_usd", "Last month until then", Unit.USD),
        UNKNOWN,
    ),
    "Last month had no known cost to compare with.",
    fixed="this month",
)
_KNOWN: Final = Panel(
    "known",
    "Calls whose cost is known",
    "Part of the calls in the time range whose cost is known exactly. The cost of the others is in no sum; Data "
    "quality says why.",
    Kind.STAT,
    (Field("known_share", "Known", Unit.SHARE, KNOWN), UNKNOWN),
    NOTHING_BOOKED,
)
_SPEND: Final = Panel(
    "spend",
    "Known cost by team",
    "Known cost over time, of the eight dearest teams and of all others together. Calls of unknown cost are not in "
    "it: see the panel beside it.",
    Kind.TIME_SERIES,
    (KNOWN_USD,),
    NOTHING_BOOKED,
    stacked=True,
    split=True,
)
UNKNOWN_OVER_TIME: Final = Panel(
    "overview/unknown",
    "Calls of unknown cost",
    "Calls over time that no sum of money holds, by the reason why. Model without a price: `spanledger prices set` "
    "gives one. Usage never told: the answer had no token counts. Failed, maybe billed: it broke off, and the "
    "provider may have charged for it. Only estimated: cut short, counts guessed by who sent them, or a tier without "
    "a price. Nothing here is what you want.",
    Kind.TIME_SERIES,
    (CALLS,),
    "The cost of every call in this time range is known.",
    stacked=True,
    split=True,
    words=STATES,
)
_MOVERS: Final = Panel(
    "movers",
    "What changed most",
    "The time range against the equally long one before it. One change can show several times: as a team, a feature, "
    "a model, a tenant.",
    Kind.TABLE,
    (
        named("What", name="dimension"),
        named("Name"),
        Field("now_usd", "Now", Unit.USD),
        Field("before_usd", "Before", Unit.USD),
        Field("change_usd", "Change", Unit.USD, signed=True),
        Field("change", "Change in %", Unit.SHARE, CHANGE, signed=True),
        UNKNOWN,
    ),
    "Nothing changed between this time range and the one before it.",
)
_TEAMS: Final = Panel(
    "dearest-team",
    "Dearest teams",
    "Known cost of the time range by team, dearest first; the part without the tag is (untagged). A team leads to its "
    "attribution.",
    Kind.RANKING,
    (named("Team", link=Link("attribution", "team")), KNOWN_USD, UNKNOWN),
    NOTHING_BOOKED,
)
_MODELS: Final = Panel(
    "dearest-model",
    "Dearest models",
    "Known cost of the time range by model, dearest first. A model without a price shows no cost, but its calls.",
    Kind.RANKING,
    (named("Model", link=Link("engineering", "model")), KNOWN_USD, UNKNOWN),
    NOTHING_BOOKED,
)
HOW_KNOWN: Final = Panel(
    "overview/states",
    "How the cost is known",
    "Exact: tokens times the price of the day. Failed, not billed: turned away, costs nothing. Flat subscription: "
    "costs nothing more. All others are in no sum: only estimated (cut short, counts guessed by who sent them, or a "
    "tier without a price), model without a price, usage never told (an answer without token counts), failed, maybe "
    "billed (it broke off). Their cost lies between At least and At most; empty: there is no bound.",
    Kind.TABLE,
    (
        named("State", name="state", words=STATES),
        CALLS,
        Field("calls_share", "Part of the calls", Unit.SHARE),
        Field("tokens", "Tokens", Unit.TOKENS),
        KNOWN_BAR,
        Field("low_usd", "At least", Unit.USD),
        Field("high_usd", "At most", Unit.USD),
        Field("notional_usd", "Would have cost", Unit.USD),
    ),
    NOTHING_BOOKED,
)

OVERVIEW: Final = Dashboard(
    "overview",
    "Spend overview",
    "What LLM calls cost: today, this month, if it goes on like this; where it goes and what changed.",
    (
        Row("At a glance", 5, ((_TODAY, 5), (_MONTH, 5), (_FORECAST, 5), (_VERSUS, 5), (_KNOWN, 4))),
        Row("Over time", 9, ((_SPEND, 16), (UNKNOWN_OVER_TIME, 8))),
        Row("Where it goes", 9, ((_TEAMS, 12), (_MODELS, 12))),
        Row("What changed, and what is known", 9, ((_MOVERS, 12), (HOW_KNOWN, 12))),
    ),
    "now-30d",
)
