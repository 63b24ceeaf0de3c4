"""Attribution: who spends. By team, feature, tenant, user, session, agent and task, down to the calls of a session."""

from typing import Final

from spanledger_collector.panels.fields import (
    BOUND,
    CALLS,
    INPUT,
    KNOWN_BAR,
    KNOWN_USD,
    NOTHING_BOOKED,
    ONLY_TENANTS,
    OUTPUT,
    PER_CALL,
    SHARE,
    UNKNOWN,
    named,
    trace,
)
from spanledger_collector.panels.model import Choice, Dashboard, Field, Kind, Link, Panel, Row, Unit
from spanledger_collector.panels.words import STATES

__all__ = ["ATTRIBUTION"]

_SPENT: Final = (BOUND, KNOWN_BAR, SHARE, UNKNOWN, CALLS, PER_CALL, INPUT, OUTPUT)
_READING: Final = (
    "A ≥ before a cost says that calls of unknown cost are not in it. A name leads to this page for it alone."
)

_TOTALS: Final = Panel(
    "totals",
    "All of it",
    "Sums of the time range with these filters. Cost per call is that of the calls whose cost is known.",
    Kind.STAT,
    (KNOWN_USD, UNKNOWN, CALLS, INPUT, OUTPUT, PER_CALL),
    NOTHING_BOOKED,
)
_OVER_TIME: Final = Panel(
    "over_time",
    "Known cost by the chosen dimension",
    "Known cost over time of the eight dearest values of the dimension chosen above (By), and of all others together.",
    Kind.TIME_SERIES,
    (KNOWN_USD,),
    NOTHING_BOOKED,
    stacked=True,
    split=True,
)


def _by(tag: str) -> Panel:
    return Panel(
        f"by-{tag}",
        f"By {tag}",
        f"Known cost by {tag}, dearest first. {_READING}",
        Kind.TABLE,
        (named(tag.capitalize(), link=Link("attribution", tag)), *_SPENT),
        NOTHING_BOOKED,
    )


_TEAMS, _FEATURES, _TENANTS = _by("team"), _by("feature"), _by("tenant")
_TOP_USERS: Final = Panel(
    "top_users",
    "The dearest tenth of users",
    "What part of all users' known cost the dearest 10 % of them make. Calls without a user are left out. Near 10 %: "
    "all spend alike; above 80 %: a few spend nearly all.",
    Kind.STAT,
    (
        Field("share", "Their part", Unit.SHARE),
        Field("top_usd", "Their known cost", Unit.USD),
        Field("top_users", "Users among them", Unit.COUNT),
        Field("users", "Users in all", Unit.COUNT),
        UNKNOWN,
    ),
    ONLY_TENANTS,
)
_USERS: Final = Panel(
    "users",
    "Dearest users",
    "The 20 dearest users; pseudonyms where the services use a user key. Users and sessions can be narrowed by tenant "
    "only.",
    Kind.TABLE,
    (named("User"), BOUND, KNOWN_BAR, SHARE, UNKNOWN, CALLS, INPUT, OUTPUT),
    ONLY_TENANTS,
)
_SESSIONS: Final = Panel(
    "sessions",
    "Dearest sessions",
    "The 20 dearest conversations. A session leads to its calls, below. Users and sessions can be narrowed by tenant "
    "only.",
    Kind.TABLE,
    (
        named("Session", link=Link("attribution", "session")),
        BOUND,
        KNOWN_BAR,
        UNKNOWN,
        CALLS,
        INPUT,
        OUTPUT,
        Field("first_at", "First call", Unit.TIME),
        Field("last_at", "Last call", Unit.TIME),
    ),
    ONLY_TENANTS,
)
_SESSION_CALLS: Final = Panel(
    "session_calls",
    "Calls of one session",
    "Each call of the session that is written above (Session), in its order; at most 200. An empty cost is unknown. A "
    "trace leads to its spans.",
    Kind.TABLE,
    (
        Field("ts", "Start", Unit.TIME),
        trace(),
        named("Feature", name="of_feature"),
        named("Model", name="of_model"),
        Field("usd", "Cost", Unit.USD),
        INPUT,
        OUTPUT,
        Field("duration_ms", "Duration", Unit.MILLISECONDS),
        named("State of the cost", name="state", words=STATES),
    ),
    "No such calls in this time range: choose a session in the table above, or write one into Session.",
)
_AGENTS: Final = Panel(
    "agents",
    "By agent and step",
    "Known cost of the calls that agents made, by step or node, dearest first. A ≥ says that calls of unknown cost "
    "are not in it.",
    Kind.TABLE,
    (
        named("Agent", name="of_agent"),
        named("Step", name="of_step"),
        BOUND,
        KNOWN_BAR,
        UNKNOWN,
        CALLS,
        PER_CALL,
        INPUT,
        OUTPUT,
    ),
    "No agents made calls in this time range with these filters.",
)
_TASKS: Final = Panel(
    "tasks",
    "By task, and what a finished one costs",
    "Known cost of all calls of a kind of task, those of failed and open ones too, divided by the tasks that ended. "
    "How they ended is in the application's own words (`spanledger.outcome`).",
    Kind.TABLE,
    (
        named("Task"),
        BOUND,
        KNOWN_BAR,
        UNKNOWN,
        CALLS,
        Field("tasks", "Tasks", Unit.COUNT),
        Field("ended_tasks", "Ended", Unit.COUNT),
        Field("usd_per_ended_task", "Cost per ended task", Unit.USD),
        named("How they ended", name="outcomes"),
    ),
    "No calls belong to a task in this time range: `with spanledger.task(...)` names one.",
)

ATTRIBUTION: Final = Dashboard(
    "attribution",
    "Attribution",
    "Who spends: by team, feature, tenant, user, session, agent and task.",
    (
        Row("In all", 5, ((_TOTALS, 24),)),
        Row("Over time", 9, ((_OVER_TIME, 24),)),
        Row("By tag", 9, ((_TEAMS, 24),)),
        Row("", 9, ((_FEATURES, 12), (_TENANTS, 12))),
        Row("Agents and tasks", 9, ((_AGENTS, 12), (_TASKS, 12))),
        Row("Users and sessions", 9, ((_TOP_USERS, 6), (_USERS, 18))),
        Row("", 9, ((_SESSIONS, 24),)),
        Row("", 9, ((_SESSION_CALLS, 24),)),
    ),
    "now-7d",
    (
        Choice("by", "By", ("team", "feature", "tenant", "model", "environment", "service", "agent", "task")),
        Choice("session", "Session"),
    ),
)
