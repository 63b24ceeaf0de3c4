"""A ledger under test: telemetry in, rows out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from clickhouse_connect.driver.client import Client

from spanledger_collector.database import Database
from spanledger_collector.receiver.door import Door, OtlpRequest
from spanledger_collector.refresh import judge, settle
from tests.otlp import SpanSpec, request

_KEPT = (
    "attribute_names",
    "operations",
    "usage_rules",
    "provider_hosts",
    "rates",
    "rate_segments",
    "price_books",
    "region_uplifts",
    "anomaly_thresholds",
    "schema_migrations",
    "settings",
)


@dataclass(frozen=True)
class Ledger:
    """A ledger under test: telemetry in, rows out."""

    database: Database
    client: Client
    door: Door

    def deliver(self, *spans: SpanSpec, resource: Mapping[str, Any] | None = None) -> None:
        self.door.insert([request(spans, resource)])

    def deliver_requests(self, *requests: OtlpRequest) -> None:
        self.door.insert(requests)

    def settle(self) -> None:
        settle(self.client)

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        result = self.client.query(sql, parameters)
        return [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]

    def row(self, sql: str, **parameters: Any) -> dict[str, Any]:
        rows = self.rows(sql, **parameters)
        assert len(rows) == 1, rows
        return rows[0]

    def booked(self, *spans: SpanSpec) -> list[dict[str, Any]]:
        """Deliver spans, hold the election, and return the billed calls in order of time; rollups are left as they were."""
        if spans:
            self.deliver(*spans)
        judge(self.client)
        self.client.command("system reload dictionary outcome_dict")
        return self.rows("select * from calls order by ts, span_id")

    def settled(self, *spans: SpanSpec) -> list[dict[str, Any]]:
        """Deliver spans, bring everything up to date, and return the billed calls in order of time."""
        calls = self.booked(*spans)
        self.settle()
        return calls

    def empty(self) -> None:
        self.empty_but()

    def empty_but(self, *kept: str) -> None:
        tables = self.rows(
            "select name from system.tables where database = currentDatabase() and engine like '%MergeTree' and name not like '.%'"
        )
        for table in tables:
            if table["name"] not in {*_KEPT, *kept}:
                self.client.command(f"truncate table {table['name']}")
        self.client.command("system reload dictionary alias_dict")
        self.client.command("system reload dictionary outcome_dict")


def source(view: str) -> str:
    """Return how a view stands after FROM: one that takes a time range gets all of time, a chart's steps are days."""
    range_ = "since = '1970-01-02 00:00:00', until = '2106-01-01 00:00:00'"
    if view == "costs_in_steps":
        return f"{view}({range_}, step = 86400)"
    return f"{view}({range_})" if view == "costs_between" else view


def only(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the one row there is."""
    found = list(rows)
    assert len(found) == 1, found
    return found[0]
