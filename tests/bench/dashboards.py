"""Measures the query of each panel, over the last 7 and 30 days, as Grafana and the built-in page ask it."""

import statistics
from collections import defaultdict
from typing import Final

from clickhouse_connect.driver.client import Client
from rich.table import Table

from spanledger_collector.panels.check import run_queries

__all__ = ["bench_dashboards"]

_ROUNDS: Final = 5
_SHOWN: Final = 10


def bench_dashboards(table: Table, client: Client) -> None:
    """Add the quickest and slowest of all panels, by the median of their runs, after one run that does not count."""
    for days in (7, 30):
        times: dict[str, list[float]] = defaultdict(list)
        for number in range(_ROUNDS + 1):
            for ran in run_queries(client, days * 86_400):
                assert not ran.fault, ran
                if number:
                    times[ran.name].append(ran.milliseconds)
        medians = {name: statistics.median(each) for name, each in times.items()}
        p95 = statistics.quantiles(medians.values(), n=20)[-1]
        what = f"the {len(medians)} queries of the dashboards over {days} days"
        table.add_row(what, f"{statistics.median(medians.values()):.0f} ms", f"95 of 100 at most {p95:.0f} ms")
        for name, median in sorted(medians.items(), key=lambda each: -each[1])[:_SHOWN]:
            table.add_row(f"  {name}", f"{median:.0f} ms", f"at most {max(times[name]):.0f} ms")
