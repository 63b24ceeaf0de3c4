"""Confines a reader to one tenant: the engine filters the tables that name a tenant, below every view; nothing else can be named.

The filter is a setting of the reader's own connection, which no query can change (the gate admits no such setting). It holds for
the tables under a view, in subqueries and after FINAL. What has no column ``tenant`` (landing, election, prices) is hidden.

Nor may a query see what the engine does before it filters: a PREWHERE is evaluated on everybody's rows, and an error in it tells about
them; so do virtual columns, and limits of the rows that are read. The ledger's own functions know everybody's prices.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from spanledger_collector.queries.errors import RefusedError
from spanledger_collector.queries.statements import read_statement
from spanledger_collector.target import quoted

__all__ = ["VIEWS", "Confinement", "confine"]

_DIMENSIONS: Final = ("team", "feature", "tenant", "agent", "task", "model", "user", "session")
VIEWS: Final = frozenset({
    "actor_costs", "calendar", "calls", "completeness", "cost_by_day", "cost_by_month", "costs", "costs_between", "costs_in_steps",
    "daily_costs", "genai_calls", "newest_day", "spans_judged",
    "unpriced_models", "untagged_spend", *(f"cost_by_{dimension}" for dimension in _DIMENSIONS),
})  # fmt: skip
"""Views that read nothing but filtered tables and prices; a test compares each with a ledger that holds one tenant only."""

_SYSTEM: Final = frozenset({"one", "numbers", "zeros", "settings", "functions", "formats", "time_zones", "databases"})
_SYSTEM_NAMES: Final = frozenset({"system", "information_schema", "INFORMATION_SCHEMA"})
# A condition must never be evaluated before the filter, or together with it.
_ORDERED: Final = {"optimize_move_to_prewhere": 0, "query_plan_optimize_prewhere": 0, "query_plan_merge_filters": 0}
_COUNTING: Final = frozenset({"max_rows_to_read", "max_bytes_to_read", "read_overflow_mode"})
_VIRTUAL: Final = re.compile(r"_(part|partition|block|row|sample|table|database|disk|distance)\w*")
_KINDS: Final = frozenset({"ExplainQuery", "ShowProcesslistQuery"})


@dataclass(frozen=True)
class Confinement:
    """What a reader of one tenant may name in one ledger."""

    database: str
    hidden: frozenset[str]

    @classmethod
    def of(cls, client: Client, database: str) -> "Confinement":
        """Ask the engine what there is to hide now."""
        rows = client.query(read_statement("tables"), {"database": database}).result_rows
        return cls(database, frozenset(str(row[0]) for row in rows) - VIEWS)

    def judge(self, kind: str, members: Mapping[str, Any]) -> None:
        """Raise RefusedError for a part of a statement that reaches beyond the tenant."""
        if kind in _KINDS:
            raise _denied("EXPLAIN and SHOW PROCESSLIST are not for a reader of one tenant")
        if members.get("prewhere"):
            raise _denied("PREWHERE is not for a reader of one tenant; WHERE does the same")
        if kind == "SetQuery":
            self.judge_settings(str(change["name"]) for change in members.get("changes", []))
        for name in (str(members.get("name")) if kind == "Function" else "", str(members.get("func_name", ""))):
            if name.lower().startswith(("dict", "joinget", f"{self.database.lower()}_")):
                raise _denied(f"{name} is not for a reader of one tenant")
        if kind in ("Identifier", "TableIdentifier"):
            self.judge_name(list(map(str, members.get("name_parts") or [members.get("name", "")])))

    def judge_settings(self, names: Iterable[str]) -> None:
        """Raise RefusedError for a setting by which one could count the rows of others."""
        if denied := sorted(_COUNTING.intersection(names)):
            raise _denied(f"The setting {denied[0]} is not for a reader of one tenant")

    def judge_name(self, parts: list[str]) -> None:
        """Raise RefusedError for the name of a table that is hidden, wherever it stands."""
        if len(parts) > 1 and parts[0] in _SYSTEM_NAMES and (parts[0] != "system" or parts[1] not in _SYSTEM):
            raise _denied(f"{'.'.join(parts)} is not for a reader of one tenant")
        if _VIRTUAL.fullmatch(parts[-1]):
            raise _denied(f"{parts[-1]} is not for a reader of one tenant")
        own = parts[1:] if len(parts) > 1 and parts[0] == self.database else parts
        if own[0] in self.hidden:
            raise _denied(f"{own[0]} is not for a reader of one tenant; there are {', '.join(sorted(VIEWS))}")

    def judge_parameter(self, value: str) -> None:
        """Raise RefusedError for a name that comes as a parameter."""
        if value in self.hidden | _SYSTEM_NAMES or _VIRTUAL.fullmatch(value):
            raise _denied(f"{value} is not for a reader of one tenant")


def confine(client: Client, database: str, tenant: str) -> None:
    """Make a connection see the rows of one tenant only, for good."""
    tables = [str(row[0]) for row in client.query(read_statement("tenant_tables"), {"database": database}).result_rows]
    for name, value in _ORDERED.items():
        client.set_client_setting(name, value)
    condition = quoted(f"tenant = {quoted(tenant)}")
    filters = ", ".join(f"{quoted(f'{database}.{table}')}: {condition}" for table in tables)
    client.command(f"set additional_table_filters = {{{filters}}}")
    if client.query("select length(getSetting('additional_table_filters'))").result_rows != [(len(tables),)]:
        raise RefusedError(
            1002, "UNKNOWN_EXCEPTION", "The engine did not take the filter of the tenant; nothing is read."
        )


def _denied(message: str) -> RefusedError:
    return RefusedError(497, "ACCESS_DENIED", f"{message}.")
