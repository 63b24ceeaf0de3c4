"""Measures the anomaly rules on real tenants: `python -m tests.bench.anomalies [--data FILE] [--seed N] [--repetitions N] [--only PART]`.

The rules are the ledger's own SQL. Prints the tables of sql/anomalies.md; takes a few minutes.
"""
# ruff: noqa: T201 - it prints what it measured

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC
from pathlib import Path
from typing import Any, Final

import numpy as np
from clickhouse_connect.driver.client import Client

from spanledger_collector.anomalies.signals import PRESETS, compared, confirmed, days_of
from spanledger_collector.database import open_embedded
from spanledger_collector.migrations import migrate
from tests.bench.anomalies.causes import dimensions, drivers
from tests.bench.anomalies.scenarios import INCIDENTS, Run, make_runs
from tests.bench.anomalies.scoring import Bools, Score, Scorer
from tests.bench.anomalies.staging import stage, start_of_runs
from tests.bench.anomalies.tenants import BUCKETS, read_tenants

_SHARDS: Final = 12
_TEST: Final = BUCKETS // 2
_OF_SDK: Final = ("repeats", "session", "prompt")
_MOST: Final = 0.43
_AT_ONCE: Final = ("model_switch", "cache_collapse")  # a ratio changes from one call to the next
_SHOWN: Final = frozenset({"lost_traffic"})  # told as information: nobody is woken
_GRID: Final = {
    "spike": (2, 2.5, 3, 3.5, 4),
    "sustained": (2, 2.5, 3, 3.5, 4, 5),
    "price": (2, 2.25, 2.5, 3),
    "tokens_6h": (1.75, 1.8, 2, 2.5, 3),
    "tokens_24h": (1.35, 1.4, 1.5, 1.75, 2),
    "cache": (0.1, 0.15, 0.2),
    "creep": (18, 20),
    "unit_cost": (1.75, 2, 2.5, 3),
    "repeats": (0.15, 0.2, 0.3),
    "prompt": (1.1, 1.15, 1.25),
}

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


class Fires:
    """Which points of which runs fire, for any thresholds: what the ledger's SQL and its second check say."""

    def __init__(self, rows: Rows, runs: int, start: int) -> None:
        self._rows, self._runs, self._start = rows, runs, start
        self._kept: dict[tuple[str, float], Bools] = {}

    def __call__(self, thresholds: Mapping[str, float]) -> Bools:
        fires = np.zeros((self._runs, BUCKETS - _TEST), bool)
        for rule, threshold in thresholds.items():
            if rule not in _SHOWN:
                fires |= self._of(rule, threshold)
        return fires

    def _of(self, rule: str, threshold: float) -> Bools:
        if (rule, threshold) not in self._kept:
            rows = [row for row in self._rows.get(rule, ()) if row["value"] > threshold]
            points = range(self._start + (_TEST + 1) * 600, self._start + (BUCKETS + 1) * 600, 600)
            fires = np.zeros((self._runs, BUCKETS - _TEST), bool)
            for row in confirmed(rows, {rule: threshold}, points):
                fires[row["run"], (_seconds(row) - self._start) // 600 - _TEST - 1] = True
            self._kept[rule, threshold] = fires
        return self._kept[rule, threshold]


def _seconds(row: Mapping[str, Any]) -> int:
    return int(row["at"].replace(tzinfo=UTC).timestamp())


def presets(client: Client) -> dict[str, dict[str, float]]:
    """Return the ledger's presets, without their floors of money: each run is a ledger of its own."""
    found: dict[str, dict[str, float]] = {name: {} for name in PRESETS}
    for preset, rule, threshold in client.query(
        "select preset, rule, threshold from anomaly_thresholds final"
    ).result_rows:
        if not rule.startswith("floor"):
            found[preset][rule] = threshold
    return found


def fired(client: Client, start: int, lowest: Mapping[str, float]) -> Rows:
    """Return all rows of the rules in the second week, by rule."""
    points = [start + 600 * number for number in range(_TEST, BUCKETS + 1)]
    rules = {rule: threshold for rule, threshold in lowest.items() if rule not in _SHOWN}
    rows: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for day in days_of(points):
        for shard in range(_SHARDS):
            for row in compared(client, day, rules, shard=(shard, _SHARDS), dimensions=["tenant"], history=True):
                if _seconds(row) in day[1:] or day[0] == points[0]:
                    kept = {
                        "run": int(row["names"][0]),
                        "series": row["series"],
                        "rule": row["rule"],
                        "at": row["at"],
                        "value": row["value"],
                    }
                    rows[row["rule"]].append(kept)
    return rows


def report(scorer: Scorer, fires: Fires, found: Mapping[str, Mapping[str, float]]) -> None:
    """Print the scores of the presets, with and without what only the SDK sends, and of fitted thresholds."""
    lines: list[tuple[str, Score, Bools]] = []
    for sdk in (True, False):
        for name, thresholds in found.items():
            rules = {rule: value for rule, value in thresholds.items() if sdk or rule not in _OF_SDK}
            matrix = fires(rules)
            lines.append((f"{name}{'' if sdk else ', without the SDK'}", scorer.score(matrix), matrix))
    print(
        "| preset | false alerts | recall | precision | F1 | 95 % of F1 | 95 % of false alerts |\n|---|---|---|---|---|---|---|"
    )
    for name, score, matrix in lines:
        spans = scorer.intervals(matrix)
        texts = [f"{spans[key][0]:.2f}-{spans[key][1]:.2f}" for key in ("F1", "false alerts")]
        print(
            f"| {name} | {score.false_alerts:.2f} | {score.recall:.2f} | {score.precision:.2f} | {score.f1:.2f} | {' | '.join(texts)} |"
        )
    print(f"\n| incident | {' | '.join(name for name, *_ in lines)} |\n|---|{'---|' * len(lines)}")
    for incident in INCIDENTS:
        cells = [f"{score.by_class[incident][0]:.2f}, {score.by_class[incident][1]:.1f} h" for _, score, _ in lines]
        print(f"| `{incident}` | {' | '.join(cells)} |")
    print("\nfound within an hour; within an hour that had calls; within an hour, of those that have ten calls in it:")
    for incident in _AT_ONCE:
        cells = [", ".join(f"{share:.2f}" for share in score.by_class[incident][2:]) for _, score, _ in lines]
        print(f"| `{incident}` | {' | '.join(cells)} |")
    for odd in (0, 1):
        best = scorer.fitted(fires, found["balanced"], _GRID, scorer.half(odd), _MOST)
        score = scorer.score(fires(best), scorer.half(1 - odd))
        parts = (f"F1 {score.f1:.2f}", f"recall {score.recall:.2f}", f"false alerts {score.false_alerts:.2f}")
        print(f"\nfitted on half {odd}, tested on the other: {', '.join(parts)}")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, help="other tenants: gzipped CSV with the columns of servegen_tenants.csv.gz"
    )
    parser.add_argument("--seed", type=int, default=20261126)
    parser.add_argument("--repetitions", type=int, default=2, help="runs of each series and scenario")
    parser.add_argument("--only", choices=("rules", "causes"), help="a part alone")
    options = parser.parse_args()
    tenants = read_tenants(options.data) if options.data else read_tenants()
    runs: list[Run] = make_runs(options.seed, tenants, options.repetitions)
    with tempfile.TemporaryDirectory() as folder, closing(open_embedded(Path(folder))) as database:
        with closing(database.bare_client()) as client:
            migrate(client, database.target)
        with closing(database.client()) as client:
            started, start = time.perf_counter(), start_of_runs()
            stage(client, runs, start)
            print(f"{len(tenants)} tenants, {len({run.series for run in runs})} series, {len(runs)} runs\n")
            found = presets(client)
            if options.only != "causes":
                lowest = {
                    rule: min(
                        *_GRID.get(rule, (float("inf"),)), float("inf"), *(preset[rule] for preset in found.values())
                    )
                    for rule in found["balanced"]
                }
                report(Scorer(runs), Fires(fired(client, start, lowest), len(runs), start), found)
            if options.only != "rules":
                drivers(client, runs, start)
                dimensions(client, tenants, options.seed)
            print(f"\n{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
