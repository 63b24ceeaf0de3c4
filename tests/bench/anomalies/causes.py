"""Whether what is said of a change is right: its driver, and where it is."""
# ruff: noqa: T201 - it prints what it measured

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import numpy as np
from clickhouse_connect.driver.client import Client

from spanledger_collector.anomalies.analysis import Window, change, explain
from spanledger_collector.anomalies.causes import driver_of
from spanledger_collector.anomalies.places import Place
from tests.bench.anomalies.scenarios import Run
from tests.bench.anomalies.tenants import Tenant

__all__ = ["dimensions", "drivers"]

# the rule that finds it, the right driver, and how many ten minutes after its start
_OF_RATIO: Final = {
    "context_leak": ("tokens_24h", "tokens_per_call", 144),
    "prompt_bloat": ("tokens_24h", "tokens_per_call", 144),
    "model_switch": ("price", "unit_price", 36),
    "cache_collapse": ("cache", "cache", 36),
    "slow_creep": ("creep", "tokens_per_call", 144),
}
_DRIVER_SAMPLE: Final = 60
_CUBES: Final = 200
_FEATURES, _SERVICES = 5, 3
_TENANTS: Final = 12
_DOMINANT: Final = 0.75
_DAY: Final = 144


def drivers(client: Client, runs: Sequence[Run], start: int) -> None:
    """Print how often the driver of an incident in a ratio is the right one, and what the sum of drivers is off before it is rounded."""
    right: dict[str, list[bool]] = {}
    worst = 0.0
    for scenario, (rule, truth, after) in _OF_RATIO.items():
        mine = [number for number, run in enumerate(runs) if run.scenario == scenario][
            :: max(1, 2 * len(runs) // 13 // 2 // _DRIVER_SAMPLE)
        ]
        for number in mine[:_DRIVER_SAMPLE]:
            began = runs[number].start if scenario != "slow_creep" else 12 * _DAY
            since = datetime.fromtimestamp(start + 600 * began, UTC)
            window = Window(since, since + timedelta(minutes=10 * min(after, runs[number].end - began)))
            found = change(client, Place(tenant=str(number)), window, by_ratio=True)
            if found.calls and found.impact_usd > 0:
                right.setdefault(scenario, []).append(driver_of(rule, found) == truth)
                worst = max(worst, found.relative_error)
    every = [hit for hits in right.values() for hit in hits]
    texts = ", ".join(f"{name} {np.mean(hits):.2f}" for name, hits in right.items())
    print(f"\ndriver of a ratio's incident is right: {np.mean(every):.3f} of {len(every)} ({texts})")
    print(f"sum of the drivers, relative error before it is made exact: at most {worst:.1e}")


def dimensions(client: Client, tenants: Sequence[Tenant], seed: int) -> None:
    """Print how often the place of a change is right, in cubes of real tenants, features, services and models.

    Right is a cell with exactly the calls that changed, whatever its name: a tenant has one model, and so tenant and model is the tenant.
    """
    dice = np.random.default_rng(seed)
    hits: dict[int, list[bool]] = {1: [], 2: []}
    by_name: list[bool] = []
    while sum(map(len, hits.values())) < _CUBES:
        rows, truth, share = _cube(tenants, dice)
        if share < _DOMINANT:
            continue
        client.command("truncate table spend_buckets")
        names = [
            "bucket",
            "part",
            "tenant",
            "team",
            "feature",
            "service",
            "provider",
            "model",
            "calls",
            "priced_calls",
            "known_usd",
            "run_at",
        ]
        client.insert("spend_buckets", rows, column_names=names)
        since = _NOW - timedelta(minutes=10)
        found = explain(client, Place(), Window(since, _NOW), by_ratio=False)
        said = set(found[0].cause) if found else set()
        hits[len(truth)].append(_inside(rows, said) == _inside(rows, truth))
        by_name.append(said == truth)
    every = hits[1] + hits[2]
    print(
        f"place of a change that is three quarters of all change or more: {np.mean(every):.3f} of {len(every)} found exactly "
        f"(one dimension {np.mean(hits[1]):.2f} of {len(hits[1])}, two {np.mean(hits[2]):.2f} of {len(hits[2])}; "
        f"by the same name {np.mean(by_name):.3f})"
    )


def _inside(rows: Sequence[Sequence[Any]], cause: set[str]) -> set[int]:
    return {
        number
        for number, row in enumerate(rows)
        if cause <= {f"tenant={row[2]}", f"feature={row[3]}/{row[4]}", f"service={row[5]}", f"model={row[7]}"}
    }


_NOW: Final = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def _cube(tenants: Sequence[Tenant], dice: np.random.Generator) -> tuple[list[list[Any]], set[str], float]:
    """Return an hour and the same of seven days before, a cause in it, and the cause's share of all that changed."""
    at = int(dice.integers(8, 13)) * 24 + int(dice.integers(8, 22))
    cells: list[tuple[dict[str, str], list[float]]] = []
    for number, picked in enumerate(dice.choice(len(tenants), _TENANTS, replace=False)):
        tenant = tenants[picked]
        hourly = tenant.calls.reshape(-1, 6).sum(axis=1)
        hourly = hourly / max(hourly[:168].mean(), 1e-9) * dice.lognormal(6, 1)
        for feature in range(_FEATURES):
            for service in range(_SERVICES):
                if (part := dice.gamma(0.7)) > 0.15:
                    values = [hourly[at - 24 * day] * part / 20 for day in range(8)]
                    values[0] = float(dice.poisson(values[0]) * dice.lognormal(0, 0.1))
                    names = {
                        "tenant": f"t{number}",
                        "feature": f"x/f{feature}",
                        "service": f"s{service}",
                        "model": tenant.model,
                    }
                    cells.append((names, values))
    truth, multiple = _cause(cells, dice)
    before = dict.fromkeys({names["tenant"] for names, _ in cells}, 0.0)
    more = 0.0
    for names, values in cells:
        if truth <= {f"{key}={value}" for key, value in names.items()}:
            more += values[0] * (multiple - 1)
            values[0] *= multiple
        before[names["tenant"]] += values[0] - float(np.mean(values[1:]))
    share = more / max(sum(map(abs, before.values())), 1e-9)
    return [row for names, values in cells for row in _rows(names, values)], truth, share


def _cause(cells: Sequence[tuple[dict[str, str], list[float]]], dice: np.random.Generator) -> tuple[set[str], float]:
    whole = sum(values[0] for _, values in cells)
    while True:
        names, _ = cells[int(dice.integers(len(cells)))]
        keys = dice.choice(sorted(names), int(dice.integers(1, 3)), replace=False)
        truth = {f"{key}={names[key]}" for key in keys}
        inside = [values[0] for others, values in cells if truth <= {f"{key}={value}" for key, value in others.items()}]
        share = sum(inside) / max(whole, 1e-9)
        if 0.01 < share < 0.5 and len(inside) >= 3:
            return truth, float(dice.uniform(3, 10) if share < 0.1 else dice.uniform(2, 4))


def _rows(names: dict[str, str], values: Sequence[float]) -> list[list[Any]]:
    return [
        [
            _NOW - timedelta(minutes=10, days=day),
            "cell",
            names["tenant"],
            "x",
            names["feature"].partition("/")[2],
            names["service"],
            "",
            names["model"],
            max(round(value), 1),
            max(round(value), 1),
            Decimal(f"{value * 0.003:.9f}"),
            datetime.now(UTC),
        ]
        for day, value in enumerate(values)
    ]
