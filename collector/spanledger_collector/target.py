"""Where the schema goes: embedded chDB, one ClickHouse server, or a cluster; and what differs in the SQL between them."""

import re
from dataclasses import dataclass, replace
from typing import Final, Literal

from spanledger_collector.exceptions import UsageError

__all__ = ["RETENTION", "Target", "quoted"]

RETENTION: Final = {"raw_days": 30, "calls_days": 400, "rollup_years": 5}
"""How long a ledger keeps things that was asked for nothing else."""

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


def quoted(text: str) -> str:
    """Return a ClickHouse string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _whole(number: int, unit: str, since: str) -> str:
    """Return how many days or years back all is there: an expression where less was kept until some time."""
    return f"least({number}, age('{unit}', toDateTime({quoted(since)}, 'UTC'), now('UTC')))" if since else str(number)


@dataclass(frozen=True)
class Target:
    """One database to hold a ledger.

    ``cluster`` names the cluster of the server's configuration (kind ``cluster`` only). ``user`` and ``password`` are what a
    server's dictionaries use to read their own tables. ``zone`` is the reporting time zone (hours, days and months are its own) that a
    new ledger gets; empty: what the ledger has, UTC if it is new. So it is with how long landed spans, calls and sums are kept (0: what
    the ledger has; else 30 days, 400 days, 5 years). ``calls_since`` and ``rollups_since`` (UTC) say since when calls and sums are whole,
    where more is kept than once was.
    """

    kind: Literal["embedded", "server", "cluster"] = "embedded"
    database: str = "spanledger"
    cluster: str = ""
    user: str = ""
    password: str = ""
    zone: str = ""
    raw_days: int = 0
    calls_days: int = 0
    rollup_years: int = 0
    calls_since: str = ""
    rollups_since: str = ""

    def __post_init__(self) -> None:
        if not _IDENTIFIER.fullmatch(self.database):
            raise UsageError(
                f"Database name {self.database!r} is not an identifier: use letters, digits and underscores."
            )
        if "`" in self.user or "\\" in self.user:
            raise UsageError(f"The user {self.user!r} cannot own a ledger: its name has a backquote or a backslash.")
        if (self.kind == "cluster") != bool(self.cluster):
            raise UsageError("A target of kind cluster needs the cluster's name, and only it has one.")

    @property
    def by_age(self) -> "Target":
        """The target for what has to be a number: tables drop rows by their age alone."""
        return replace(self, calls_since="", rollups_since="")

    def engine(self, name: str, arguments: str) -> str:
        """Return a table engine: as it is, or its replicated form on a cluster."""
        return ("Replicated" if self.kind == "cluster" else "") + name + arguments

    def create_database(self) -> str:
        """Return the statement that creates the database; on a cluster it replicates every statement that follows."""
        if self.kind != "cluster":
            return f"create database if not exists {self.database}"
        return (
            f"create database if not exists {self.database} on cluster {quoted(self.cluster)} "
            f"engine = Replicated('/clickhouse/databases/{self.database}', '{{shard}}', '{{replica}}')"
        )

    def placeholders(self) -> dict[str, str]:
        """Return what the SQL files leave open."""
        embedded = self.kind == "embedded"
        maker = f"`{self.user}`" if self.user else "current_user"
        login = f"user {quoted(self.user)} password {quoted(self.password)} " if self.user else ""
        return {
            "db": self.database,
            "on_cluster": f"on cluster {quoted(self.cluster)}" if self.cluster else "",
            "credentials": login,
            # On a server these views read their tables as whoever made them: their readers need no right to anything below.
            "as_its_maker": "" if embedded else f"definer = {maker} sql security definer ",
            "zone": quoted(self.zone or "UTC"),
            # A server keeps a schedule. Embedded, views are refreshed by command only, after each commit: what depends on a view that does
            # not exist never runs by itself, as all would at each opening of a store, whatever it is opened for.
            "every": "1 hour" if embedded else "10 second",
            "by_command": f" depends on {self.database}.command" if embedded else "",
            "and_by_command": f", {self.database}.command" if embedded else "",
            # A server cuts the next slice of the election first, and judges it two seconds later.
            "second_step": "2 second",
            "lifetime": "0" if embedded else "min 20 max 40",
            # Longer than the longest insert: a mark is stamped before the part it belongs to can be seen.
            "margin": "5" if embedded else "60",
            "late_every": "0 second" if embedded else "10 minute",
            "grace": "5 minute",
            "raw_days": str(self.raw_days or RETENTION["raw_days"]),
            "calls_days": _whole(self.calls_days or RETENTION["calls_days"], "day", self.calls_since),
            "rollup_years": _whole(self.rollup_years or RETENTION["rollup_years"], "year", self.rollups_since),
        }
