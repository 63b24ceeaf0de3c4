"""The ClickHouse-compatible HTTP endpoint: read-only SQL on the ledger for Grafana, clickhouse-connect and curl."""

from spanledger_collector.queries.access import LocalOnly
from spanledger_collector.queries.app import build_app
from spanledger_collector.queries.users import User, Users, read_users

__all__ = ["LocalOnly", "User", "Users", "build_app", "read_users"]
