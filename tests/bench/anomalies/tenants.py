"""The real tenants: 14 days in ten minutes, from ServeGen, and what their calls' tokens look like."""

import csv
import gzip
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["BUCKETS", "DAY", "DAYS", "Floats", "Tenant", "read_tenants", "traffic"]

Floats = NDArray[np.float64]

DAY: Final = 144
DAYS: Final = 14
BUCKETS: Final = DAYS * DAY
_DATA: Final = Path(__file__).with_name("servegen_tenants.csv.gz")
_ONE_BY_ONE: Final = 30  # calls of ten minutes whose tokens are drawn one by one; more are drawn as their sum


@dataclass(frozen=True)
class Tenant:
    """One tenant of a cloud's API: calls, burstiness, and tokens of a call (mean and deviation) per ten minutes."""

    number: int
    model: str
    calls: Floats
    cv: Floats
    input: tuple[Floats, Floats]
    output: tuple[Floats, Floats]


def read_tenants(path: Path = _DATA) -> list[Tenant]:
    """Return the tenants of a file with the columns model, client, t_s, calls, cv, in_mean, in_sd, out_mean, out_sd."""
    rows: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file):
            rows[row["model"], row["client"]].append(row)
    return [_tenant(number, model, found) for number, ((model, _), found) in enumerate(rows.items())]


def _tenant(number: int, model: str, rows: list[dict[str, str]]) -> Tenant:
    slots = np.array([int(row["t_s"]) // 600 for row in rows])
    columns: dict[str, Floats] = {}
    for name in ("calls", "cv", "in_mean", "in_sd", "out_mean", "out_sd"):
        values = np.array([float(row[name]) for row in rows])
        if name == "calls":
            columns[name] = np.zeros(BUCKETS)
            columns[name][slots] = values
        else:  # where nothing was called, what was true before
            columns[name] = values[np.clip(np.searchsorted(slots, np.arange(BUCKETS), side="right") - 1, 0, None)]
    return Tenant(
        number, model, columns["calls"], columns["cv"], (columns["in_mean"], columns["in_sd"]), (columns["out_mean"], columns["out_sd"])
    )  # fmt: skip


def traffic(tenant: Tenant, per_hour: int, dice: np.random.Generator) -> tuple[Floats, Floats, Floats] | None:
    """Return calls, input and output tokens; thinned to so many calls an hour (0: as it is), None where there are not as many."""
    mean = tenant.calls[: BUCKETS // 2].mean() * 6
    if per_hour and mean < 1.2 * per_hour:
        return None
    calls = tenant.calls if not per_hour else _thinned(tenant.calls * (per_hour / mean), tenant.cv, dice)
    return calls, _tokens(calls, *tenant.input, dice), _tokens(calls, *tenant.output, dice)


def _thinned(rate: Floats, cv: Floats, dice: np.random.Generator) -> Floats:
    """Return counts with that mean and, as a renewal process has in the long run, the square of cv as their dispersion."""
    dispersion = np.clip(cv**2, 1.001, 30)
    bursty = dice.negative_binomial(np.maximum(rate / (dispersion - 1), 1e-6), 1 / dispersion)
    return np.where(dispersion > 1.01, bursty, dice.poisson(rate)).astype(np.float64)


def _tokens(calls: Floats, mean: Floats, deviation: Floats, dice: np.random.Generator) -> Floats:
    spread = np.sqrt(np.log1p((deviation / np.maximum(mean, 1)) ** 2))
    each = dice.lognormal(
        (np.log(np.maximum(mean, 1)) - spread**2 / 2)[:, None], spread[:, None], (len(calls), _ONE_BY_ONE)
    )
    few = (each * (np.arange(_ONE_BY_ONE) < calls[:, None])).sum(axis=1)
    many = np.maximum(calls * mean + dice.normal(size=len(calls)) * deviation * np.sqrt(calls), calls)
    tokens: Any = np.round(np.where(calls <= _ONE_BY_ONE, few, many))
    return np.where(calls > 0, tokens, 0.0)
