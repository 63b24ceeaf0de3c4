"""The ClickHouse-compatible HTTP endpoint: read-only SQL on the ledger for Grafana, clickhouse-connect and curl."""

from spanledger_collector.queries.access import LocalOnly
from spanledger_collector.queries.app import build_app

__all__ = ["LocalOnly", "build_app"]
