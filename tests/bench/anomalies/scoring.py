"""Scores what fired: alerts in episodes, incidents found while the same series without them is quiet, false alerts a series and week."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tests.bench.anomalies.scenarios import INCIDENTS, PERMANENT, Run
from tests.bench.anomalies.tenants import BUCKETS

__all__ = ["Bools", "Score", "Scorer"]

Bools = NDArray[np.bool_]

_TEST: Final = BUCKETS // 2
_GAP: Final = 36  # alerts less than 6 hours apart are one
_ENOUGH: Final = 10  # calls
_TWO_DAYS: Final = 288  # in which a change for good must be found
_RESAMPLES: Final = 1000


@dataclass(frozen=True)
class Score:
    """Of some runs: false alerts a series and week, recall, precision, F1; by incident recall, median delay (hours), shares found soon.

    Soon is an hour by the clock, an hour of ten minutes that had calls, and an hour by the clock of the runs that have ten calls in it: a
    series that is silent shows nothing.
    """

    false_alerts: float
    recall: float
    precision: float
    f1: float
    by_class: Mapping[str, tuple[float, float, float, float, float]]


class Scorer:
    """Scores matrices of runs and points of the second week."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._scenario = np.array([run.scenario for run in runs])
        self._tenant = np.array([run.tenant for run in runs])
        self.is_incident: Bools = np.isin(self._scenario, INCIDENTS)
        start = np.array([run.start for run in runs])
        end = np.array([min(run.end + 6, BUCKETS) for run in runs])
        until = np.where(np.isin(self._scenario, PERMANENT), np.minimum(start + _TWO_DAYS, BUCKETS), end)
        self._begin = np.maximum(start, _TEST)
        called = np.cumsum([np.concatenate([[False], run.calls > 0]) for run in runs], axis=1)
        self._called_before = np.take_along_axis(called, self._begin[:, None], axis=1)
        self._called = called[:, _TEST + 1 :]
        first = [run.calls[begin : begin + 6].sum() for run, begin in zip(runs, self._begin, strict=True)]
        self._has_calls: Bools = np.array(first) >= _ENOUGH
        points = np.arange(_TEST, BUCKETS)[None, :]
        since = (points >= self._begin[:, None]) & self.is_incident[:, None]
        self._within, self._after = since & (points < until[:, None]), since
        clean = {(run.series, run.repetition): number for number, run in enumerate(runs) if run.scenario == "clean"}
        self._clean = np.array([clean[run.series, run.repetition] for run in runs])

    def half(self, odd: int) -> Bools:
        """Return the runs of every second tenant."""
        return np.asarray(self._tenant % 2 == odd)

    def found(self, fires: Bools) -> tuple[Bools, NDArray[np.float64], NDArray[np.int64]]:
        """Return of each run whether its incident was found, after how many hours, and its false alerts."""
        count: NDArray[np.int64] = np.cumsum(fires, axis=1)
        before = np.pad(count, ((0, 0), (_GAP + 1, 0)))[:, : count.shape[1]]
        starts: Bools = fires & (count - fires - before == 0)
        goes_on: Bools = np.asarray((count - before) > 0)
        credited = starts & self._within & ~goes_on[self._clean]
        found: Bools = np.asarray(credited.any(axis=1))
        delay = np.where(found, (credited.argmax(axis=1) + _TEST - self._begin + 1) / 6, np.nan)
        return found, delay, (starts & ~self._after).sum(axis=1)

    def score(self, fires: Bools, of: Bools | None = None) -> Score:
        """Return the score of some runs (None: of all)."""
        of = np.ones(len(fires), bool) if of is None else of
        found, delay, false = self.found(fires)
        hits, incidents = int(found[of & self.is_incident].sum()), int((of & self.is_incident).sum())
        recall, precision = hits / max(incidents, 1), hits / max(hits + int(false[of].sum()), 1)
        by_class = {}
        for name in INCIDENTS:
            mine = of & (self._scenario == name)
            hours = delay[mine & found]
            median = float(np.median(hours)) if len(hours) else float("nan")
            soon = [
                float((found & (time <= 1.001))[those].mean())
                for time, those in (
                    (delay, mine),
                    (self._hours_with_calls(delay), mine),
                    (delay, mine & self._has_calls),
                )
            ]
            by_class[name] = (float(found[mine].mean()), median, soon[0], soon[1], soon[2])
        f1 = 2 * precision * recall / max(precision + recall, 1e-9)
        return Score(float(false[of & ~self.is_incident].mean()), recall, precision, f1, by_class)

    def _hours_with_calls(self, delay: NDArray[np.float64]) -> NDArray[np.float64]:
        at = np.nan_to_num(np.round(delay * 6) - 1 + self._begin - _TEST).astype(np.int64)
        return np.asarray((np.take_along_axis(self._called, at[:, None], axis=1) - self._called_before)[:, 0] / 6)

    def intervals(self, fires: Bools, seed: int = 1) -> dict[str, tuple[float, float]]:
        """Return 95 % intervals of F1, recall and false alerts: tenants are drawn again, whole."""
        found, _, false = self.found(fires)
        benign = ~self.is_incident
        sums = np.array(
            [
                [
                    found[mine & self.is_incident].sum(),
                    (mine & self.is_incident).sum(),
                    false[mine].sum(),
                    false[mine & benign].sum(),
                    (mine & benign).sum(),
                ]
                for tenant in np.unique(self._tenant)
                if (mine := self._tenant == tenant).any()
            ],
            dtype=float,
        )
        dice = np.random.default_rng(seed)
        drawn = sums[dice.integers(0, len(sums), (_RESAMPLES, len(sums)))].sum(axis=1).T
        precision, recall = drawn[0] / np.maximum(drawn[0] + drawn[2], 1), drawn[0] / drawn[1]
        figures = {
            "F1": 2 * precision * recall / (precision + recall),
            "recall": recall,
            "false alerts": drawn[3] / drawn[4],
        }
        return {
            name: (float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975)))
            for name, values in figures.items()
        }

    def fitted(
        self,
        fires_of: Callable[[Mapping[str, float]], Bools],
        start: Mapping[str, float],
        grid: Mapping[str, Sequence[float]],
        of: Bools,
        most: float,
    ) -> dict[str, float]:
        """Return thresholds for the best F1 on some runs, found rule by rule.

        False alerts are at most ``most`` in nine of ten draws of these tenants, not in them alone: a few tenants make most of the false
        alerts, and a half that has none of them would allow thresholds that the next tenant does not bear.
        """
        best = dict(start)

        def worth(thresholds: Mapping[str, float]) -> float:
            fires = fires_of(thresholds)
            return self.score(fires, of).f1 - 10 * max(self._false_alerts_at_worst(fires, of) - most, 0)

        for _ in range(2):
            for rule, values in grid.items():
                best = max(({**best, rule: value} for value in values), key=worth)
        return best

    def _false_alerts_at_worst(self, fires: Bools, of: Bools) -> float:
        """Return the false alerts a series and week that nine of ten draws of the tenants stay below."""
        benign = of & ~self.is_incident
        false, tenant = self.found(fires)[2][benign], self._tenant[benign]
        sums = np.array([[false[tenant == one].sum(), (tenant == one).sum()] for one in np.unique(tenant)], dtype=float)
        drawn = sums[np.random.default_rng(1).integers(0, len(sums), (_RESAMPLES, len(sums)))].sum(axis=1)
        return float(np.quantile(drawn[:, 0] / drawn[:, 1], 0.9))
