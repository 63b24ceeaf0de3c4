"""Reads what the demo reports from the ledger, through the views that everybody reads."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from importlib.resources import files
from typing import Any

from clickhouse_connect.driver.client import Client

from spanledger_collector.demo.proof import LedgerRow

__all__ = ["Spend", "read_ledger_rows", "read_rollup_totals", "read_spend", "read_verdicts"]


@dataclass(frozen=True)
class Spend:
    """What one value of a dimension cost: `known_usd` is exact, and a lower bound while calls are unknown."""

    dimension: str
    name: str
    calls: int
    input_tokens: int
    output_tokens: int
    known_usd: Decimal
    unknown_calls: int

    @property
    def cost_usd(self) -> Decimal | None:
        """The cost; None while any call in it is unknown."""
        return None if self.unknown_calls else self.known_usd


def read_spend(client: Client) -> list[Spend]:
    """Return the spend by team, feature, model, user and agent step, dearest first."""
    return [
        Spend(
            row["dimension"],
            row["name"],
            int(row["call_count"]),
            int(row["input_count"]),
            int(row["output_count"]),
            Decimal(row["sum_usd"]),
            int(row["unknown_count"]),
        )
        for row in select(client, "spend")
    ]


def read_ledger_rows(client: Client, environment: str) -> list[LedgerRow]:
    """Return the ledger's side of the proof for one run."""
    meters = ("input", "cache_read", "cache_write", "cache_write_1h", "output", "reasoning")
    rows = []
    for row in select(client, "ledger_bill", environment=environment):
        a, b, c, d, e, f = (int(row[f"{meter}_count"]) for meter in meters)
        tokens = (a, b, c, d, e, f)
        state, calls = row["state"], int(row["call_count"])
        rows.append(LedgerRow(row["team"], row["model_name"], state, calls, tokens, row["sum_usd"]))
    return rows


def read_rollup_totals(client: Client) -> tuple[Decimal, Decimal]:
    """Return the known money of the store by its calls and by its rollup."""
    (row,) = select(client, "rollup_totals")
    return Decimal(row["calls_usd"]), Decimal(row["rollup_usd"])


def read_verdicts(client: Client, service: str, since: datetime) -> dict[str, int]:
    """Return the number of spans of one run per verdict."""
    rows = select(client, "verdicts", service=service, since=since.isoformat())
    return {row["verdict"]: int(row["span_count"]) for row in rows}


def select(client: Client, query: str, **parameters: str) -> list[dict[str, Any]]:
    """Return the rows of a query of the folder `queries`, as dicts."""
    sql = files("spanledger_collector.demo").joinpath("queries", f"{query}.sql").read_text("utf-8")
    return list(client.query(sql, parameters=parameters).named_results())
