"""What happens to a tenant: eight kinds of incidents, and changes that must wake nobody."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from tests.bench.anomalies.tenants import BUCKETS, DAY, Floats, Tenant, read_tenants, traffic

__all__ = ["BENIGN", "INCIDENTS", "PERMANENT", "Run", "make_runs"]

INCIDENTS: Final = (
    "retry_loop", "context_leak", "prompt_bloat", "model_switch", "cache_collapse", "abusive_tenant", "slow_creep", "lost_traffic",
)  # fmt: skip
BENIGN: Final = ("clean", "growth", "holiday", "launch", "nightly_batch")
PERMANENT: Final = ("prompt_bloat", "model_switch", "cache_collapse")
_WEEK: Final = 7 * DAY
_TIERS: Final = (6, 60, 600)
_TIME: Final = np.arange(BUCKETS)
_LOOP: Final = 20  # how often a call in a loop is made
_PER_MILLION: Final = {"m-large": (3.0, 15.0), "m-mid": (0.8, 4.0), "m-small": (0.15, 0.6)}


@dataclass
class Run:
    """One series of two weeks. The second is tested; from ``start`` to ``end`` an incident or a benign change goes on."""

    tenant: int
    series: int
    repetition: int
    model: str
    calls: Floats
    input: Floats
    output: Floats
    cached: Floats  # share of the input
    repeats: Floats  # calls that repeat a prompt of their session
    chars: Floats  # of the system prompt, a call
    prompt: Floats  # which system prompt
    scenario: str = "clean"
    start: int = -1
    end: int = BUCKETS
    price: Floats = field(default_factory=lambda: np.ones(BUCKETS))

    def usd(self) -> tuple[Floats, Floats, Floats]:
        """Return what uncached input, cached input and output cost."""
        of_input, of_output = _PER_MILLION[self.model]
        cached = np.round(self.input * self.cached)
        return (
            self.price * (self.input - cached) * of_input / 1e6,
            self.price * cached * 0.1 * of_input / 1e6,
            self.price * self.output * of_output / 1e6,
        )

    def added(self, calls: Floats, size: float = 1.0) -> None:
        """Add calls of the first week's mean size, or a multiple of it."""
        week = slice(0, _WEEK)
        total = max(self.calls[week].sum(), 1)
        self.input = self.input + calls * size * self.input[week].sum() / total
        self.output = self.output + calls * size * self.output[week].sum() / total
        self.calls = self.calls + calls

    def scaled(self, calls: Floats) -> None:
        """Take other calls of the same size."""
        ratio = np.divide(calls, self.calls, out=np.zeros(BUCKETS), where=self.calls > 0)
        self.calls, self.input, self.output = calls, self.input * ratio, self.output * ratio
        self.repeats = np.round(self.repeats * ratio)

    @property
    def hourly_mean(self) -> float:
        """Calls in ten minutes of the first week."""
        return float(self.calls[:_WEEK].mean())


def make_runs(seed: int, tenants: list[Tenant] | None = None, repetitions: int = 2) -> list[Run]:
    """Return every tenant, as it is and thinned, in every scenario."""
    dice = np.random.default_rng(seed)
    return [
        run
        for number, plain in enumerate(_series(dice, tenants or read_tenants()))
        for scenario in (*INCIDENTS, *BENIGN)
        for repetition in range(repetitions)
        if (run := _staged(replace(plain, series=number, repetition=repetition, scenario=scenario), dice))
    ]


def _series(dice: np.random.Generator, tenants: list[Tenant]) -> Iterator[Run]:
    for tenant in tenants:
        for per_hour in (0, _TIERS[tenant.number % 3]):
            if found := traffic(tenant, per_hour, dice):
                yield _plain(tenant, *found, dice)


def _plain(tenant: Tenant, calls: Floats, tokens_in: Floats, tokens_out: Floats, dice: np.random.Generator) -> Run:
    share = dice.uniform(0.3, 0.9)
    # one tenant in five sends some prompts all the time; a share of repeats that is as noisy as the cache's
    often = 0.3 if dice.random() < 0.2 else min(0.03 * dice.lognormal(0, 0.7), 0.3)
    repeats = dice.binomial(calls.astype(np.int64), dice.beta(often * 60, (1 - often) * 60, BUCKETS))
    # two deployments with another system prompt of about the same size
    deployed = np.sort(dice.integers(0, BUCKETS, 2))
    version = (deployed[0] <= _TIME).astype(np.int64) + (deployed[1] <= _TIME)
    size = 4 * tokens_in.sum() / max(calls.sum(), 1) * dice.uniform(0.2, 0.7)
    chars = size * np.cumprod([1, *dice.uniform(0.95, 1.05, 2)])[version]
    cached = dice.beta(share * 60, (1 - share) * 60, BUCKETS)  # noise as in Mooncake's traces
    return Run(
        tenant.number, 0, 0, tenant.model, calls, tokens_in, tokens_out, cached, repeats.astype(np.float64), chars, 1.0 + version
    )  # fmt: skip


def _staged(run: Run, dice: np.random.Generator) -> Run | None:
    """Let the run's scenario happen to it; None where it cannot."""
    run.start = int(dice.integers(_WEEK + 36, 11 * DAY + 72))
    stage: dict[str, Callable[[Run, np.random.Generator], bool]] = {
        "retry_loop": _retry_loop, "context_leak": _context_leak, "prompt_bloat": _prompt_bloat, "model_switch": _model_switch,
        "cache_collapse": _cache_collapse, "abusive_tenant": _abusive_tenant, "slow_creep": _slow_creep, "lost_traffic": _lost_traffic,
        "clean": _clean, "growth": _growth, "holiday": _holiday, "launch": _launch, "nightly_batch": _nightly_batch,
    }  # fmt: skip
    return run if stage[run.scenario](run, dice) else None


def _within(run: Run) -> Floats:
    return ((run.start <= _TIME) & (run.end > _TIME)).astype(np.float64)


def _retry_loop(run: Run, dice: np.random.Generator) -> bool:
    share = dice.uniform(0.1, 0.5)
    run.end = min(run.start + int(np.exp(dice.uniform(np.log(6), np.log(48 * 6)))), BUCKETS)
    more = dice.poisson((_LOOP - 1) * share * run.hourly_mean * _within(run)).astype(np.float64)
    run.added(more)
    run.repeats = run.repeats + more
    return True


def _context_leak(run: Run, dice: np.random.Generator) -> bool:
    factor, ramp = dice.uniform(3, 6), int(dice.uniform(12, 24) * 6)
    run.end = min(run.start + 216, BUCKETS)
    grown = np.clip(1 + (factor - 1) * (_TIME - run.start) / ramp, 1, factor)
    run.input = np.where(_within(run) > 0, run.input * grown, run.input)
    return True


def _prompt_bloat(run: Run, _: np.random.Generator) -> bool:
    since = run.start <= _TIME
    run.chars = np.where(since, run.chars + 0.6 * 4 * run.input.sum() / max(run.calls.sum(), 1), run.chars)
    run.input, run.prompt = np.where(since, run.input * 1.6, run.input), np.where(since, run.prompt + 10, run.prompt)
    return True


def _model_switch(run: Run, dice: np.random.Generator) -> bool:
    run.price = np.where(run.start <= _TIME, 1 + 9 * dice.uniform(0.3, 1), 1.0)
    return True


def _cache_collapse(run: Run, _: np.random.Generator) -> bool:
    run.cached = np.where(run.start <= _TIME, 0.0, run.cached)
    return True


def _abusive_tenant(run: Run, dice: np.random.Generator) -> bool:
    factor, size = dice.uniform(2, 8), dice.uniform(1, 3)
    run.end = min(run.start + int(dice.uniform(4, 24) * 6), BUCKETS)
    run.added(dice.poisson(factor * run.hourly_mean * _within(run)).astype(np.float64), size)
    return True


def _slow_creep(run: Run, _: np.random.Generator) -> bool:
    run.start = 5 * DAY
    grown = np.where(run.start <= _TIME, 1.03 ** ((_TIME - run.start) / DAY), 1)
    run.input, run.output = run.input * grown, run.output * grown
    return True


def _lost_traffic(run: Run, dice: np.random.Generator) -> bool:
    hours = np.convolve(run.calls, np.ones(6))[:BUCKETS]
    usual = np.median(hours[:_WEEK].reshape(7, DAY), axis=0)
    starts = [
        at
        for at in range(_WEEK + 36, 12 * DAY)
        if usual[at % DAY] >= max(12, 3 * run.hourly_mean) and hours[at - 1] >= max(8, 1.8 * run.hourly_mean)
    ]
    if not starts:
        return False
    run.start = int(dice.choice(starts))
    run.end = min(run.start + int(dice.uniform(4, 24) * 6), BUCKETS)
    left = dice.binomial(run.calls.astype(np.int64), dice.uniform(0, 0.1)).astype(np.float64)
    run.scaled(np.where(_within(run) > 0, left, run.calls))
    return True


def _clean(run: Run, _: np.random.Generator) -> bool:
    run.start = -1
    return True


def _growth(run: Run, dice: np.random.Generator) -> bool:
    run.start = 5 * DAY
    run.scaled(
        dice.poisson(run.calls * np.where(run.start <= _TIME, 1.03 ** ((_TIME - run.start) / DAY), 1)).astype(
            np.float64
        )
    )
    return True


def _holiday(run: Run, dice: np.random.Generator) -> bool:
    day = int(dice.integers(7, 12))
    run.start, run.end = day * DAY, day * DAY + DAY
    run.scaled(dice.poisson(run.calls * np.where(day == _TIME // DAY, 0.3, 1)).astype(np.float64))
    return True


def _launch(run: Run, dice: np.random.Generator) -> bool:
    run.scaled(dice.poisson(run.calls * np.where(run.start <= _TIME, 1.3, 1)).astype(np.float64))
    return True


def _nightly_batch(run: Run, dice: np.random.Generator) -> bool:
    run.start = -1
    hour = int(dice.integers(0, 24)) * 6
    within = (hour <= _TIME % DAY) & (hour + 6 > _TIME % DAY)
    run.added(np.where(within, dice.poisson(5 * run.hourly_mean, BUCKETS), 0).astype(np.float64))
    return True
