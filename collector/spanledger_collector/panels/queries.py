"""The SQL of panels: files of ``dashboards/queries``, and what the ClickHouse data source of Grafana makes of their macros."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from spanledger_collector.assets import assets
from spanledger_collector.exceptions import UsageError
from spanledger_collector.target import quoted

__all__ = ["ALL", "FILTERS", "UNTAGGED", "Window", "expand", "interval_seconds", "read_query", "without_idle_filters"]

ALL: Final = "*"
"""Value of a variable that selects everything."""
UNTAGGED: Final = "(untagged)"
"""Stands for a tag that is not there, in variables and in answers."""
FILTERS: Final = ("tenant", "team", "feature", "model", "environment")
"""Variables that every dashboard has, in their order."""

_FRAGMENT: Final = re.compile(r"\{((?:actor_|anomaly_)?filters|chosen_incident)\}")
# A filter's condition, with what stands in two levels of brackets.
_FILTER: Final = re.compile(r"\('\*' in \(\$\{(\w+):singlequote\}\) or (?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)")
_VARIABLE: Final = re.compile(r"\$\{(\w+):singlequote\}")
# As in pkg/macros/macros.go of grafana-clickhouse-datasource 4.20; those that only its frontend expands are not used.
_MACROS: Final = {
    "timeFilter": "{0} >= toDateTime({start}) AND {0} <= toDateTime({end})",
    "timeInterval": "toStartOfInterval(toDateTime({0}), INTERVAL {step} second)",
    "fromTime": "toDateTime({start})",
    "toTime": "toDateTime({end})",
    "interval_s": "{step}",
}
_MACRO: Final = re.compile(r"\$__(\w+?)\b(?:\(([^()]*)\))?")
# From these steps on, in seconds, the page's are those of the ledger's calendar, longest first.
_CALENDAR: Final = ((2_592_000, "month"), (604_800, "week"), (86_400, "day"))
_IN_CALENDAR: Final = "toDateTime(toStartOfInterval(toDateTime({0}), INTERVAL 1 {unit}, {zone}), {zone})"
_IN_DAY: Final = (
    "toStartOfDay(toDateTime({0}), {zone}) + "
    "toIntervalSecond(intDiv(toUnixTimestamp({0}) - toUnixTimestamp(toStartOfDay(toDateTime({0}), {zone})), {step}) * {step})"
)
_ZONE: Final = "(select zone from calendar)"
# Steps of Grafana's time axis, in seconds: above each limit the next step.
_STEPS: Final = (60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 604800, 2592000)


@dataclass(frozen=True)
class Window:
    """A time range, seconds since 1970, both ends in it, and the step of its time axis in seconds.

    ``by_calendar``: steps of a day and more are days, weeks from Monday and months of the reporting time zone, shorter ones begin at its
    midnights, as in ``costs_in_steps``.
    """

    start: int
    end: int
    step: int = 3600
    by_calendar: bool = False


@cache
def read_query(name: str) -> str:
    """Return the SQL of a query such as ``overview/today``, with Grafana's macros and variables in it.

    What follows a hyphen takes the place of ``{tag}``: ``attribution/by-team`` is the file ``attribution/by.sql`` with team.
    """
    file, _, tag = name.partition("-")
    return _FRAGMENT.sub(lambda match: _without_comments(_file(match[1])), _file(file)).replace("{tag}", tag).strip()


def expand(sql: str, window: Window, variables: Mapping[str, Sequence[str]]) -> str:
    """Return the SQL with values in the place of macros and variables; a variable without values selects all.

    Raises UsageError for a macro that the data source's backend does not know.
    """
    unit = next((unit for least, unit in _CALENDAR if window.step >= least), "")

    def macro(match: re.Match[str]) -> str:
        if match[1] not in _MACROS:
            raise UsageError(f"Macro $__{match[1]} is not one that the data source expands in its backend.")
        if match[1] == "timeInterval" and window.by_calendar and match[2] is not None:
            return (_IN_CALENDAR if unit else _IN_DAY).format(match[2], unit=unit, zone=_ZONE, step=window.step)
        text = _MACROS[match[1]].format(match[2], start=window.start, end=window.end, step=window.step)
        return text if match[2] is not None or match[1] in ("fromTime", "toTime", "interval_s") else match[0]

    def variable(match: re.Match[str]) -> str:
        return ",".join(map(quoted, variables.get(match[1]) or [ALL]))

    # Values last: a value that looks like a macro stays what it is.
    return _VARIABLE.sub(variable, _MACRO.sub(macro, sql))


def without_idle_filters(sql: str, variables: Mapping[str, Sequence[str]]) -> str:
    """Return the SQL without the conditions of filters that select all: to plan all five takes the engine a quarter of a quick query."""
    return _FILTER.sub(lambda match: match[0] if variables.get(match[1]) else "1", sql)


def interval_seconds(seconds: int, points: int, least: int = 3600) -> int:
    """Return the step of a time axis: the first of Grafana's steps with at most so many points, no shorter than ``least``."""
    return next((step for step in _STEPS if step >= least and seconds / step <= points), _STEPS[-1])


def _file(name: str) -> str:
    return assets("dashboards").joinpath("queries", *f"{name}.sql".split("/")).read_text("utf-8")


def _without_comments(sql: str) -> str:
    return "\n".join(line for line in sql.splitlines() if not line.startswith("--")).strip()
