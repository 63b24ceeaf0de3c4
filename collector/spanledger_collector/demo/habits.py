"""What the company does every hour when nothing is wrong, and what it does in each incident, for `spanledger demo --incident`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from spanledger_collector.demo.company import CUSTOMERS, Feature, Person
from spanledger_collector.demo.meters import Meters
from spanledger_collector.demo.plan import Call, Job

__all__ = ["HABITS", "INCIDENTS", "QUIET", "Habit", "live_jobs", "quiet_jobs"]

QUIET: Final = "none"


@dataclass(frozen=True)
class Habit:
    """A feature in steady use: who uses it how often, and what one call of it is."""

    feature: Feature
    vendor: str
    api: str
    model: str
    calls_per_hour: int
    people: tuple[Person, ...]
    usual: Callable[[Random], Meters]

    def call(self, dice: Random) -> Call:
        """Return one usual call, with a prompt that no other call has."""
        return Call(self.vendor, self.api, self.model, self.usual(dice), prompt=f"Question {dice.getrandbits(64):016x}")

    def job(self, dice: Random) -> Job:
        """Return one usual call of one of its people, in a session of its own."""
        return Job(self.feature, dice.choice(self.people), session_of(dice), (self.call(dice),))


def people(tenant: str, *names: str) -> tuple[Person, ...]:
    return tuple(Person(f"{name}@{tenant}.example", tenant) for name in names)


def session_of(dice: Random) -> str:
    return f"s-{dice.getrandbits(32):08x}"


def short(dice: Random) -> Meters:
    return Meters(input_tokens=dice.randint(1_000, 1_400), output_tokens=dice.randint(120, 180))


def guided(dice: Random) -> Meters:
    """Return a question about a long guide, which the vendor has cached."""
    return Meters(
        input_tokens=60_000 + dice.randint(300, 500), cache_read_tokens=60_000, output_tokens=dice.randint(100, 140)
    )


def reviewed(dice: Random) -> Meters:
    return Meters(input_tokens=dice.randint(5_000, 7_000), output_tokens=dice.randint(350, 450))


CHAT: Final = Habit(
    Feature("support", "support-chat"),
    "openai",
    "chat",
    "gpt-5.1",
    24,
    people("globex", "ada", "bela", "carl", "dora"),
    short,
)
SUMMARY: Final = Habit(
    Feature("content", "trip-summary"),
    "openai",
    "chat",
    "gpt-5-mini",
    12,
    people("initech", *CUSTOMERS[4:20]),
    guided,
)
REVIEW: Final = Habit(
    Feature("engineering", "code-review"),
    "openai",
    "chat",
    "gpt-5",
    12,
    people("acme", "alex", "blair", "casey"),
    reviewed,
)
HABITS: Final = (CHAT, SUMMARY, REVIEW)


def quiet_jobs(minutes: float, dice: Random) -> list[Job]:
    """Return what the company does in so many minutes."""
    jobs = [
        habit.job(dice)
        for habit in HABITS
        for _ in range(round(habit.calls_per_hour * minutes / 60 * dice.uniform(0.8, 1.2)))
    ]
    dice.shuffle(jobs)
    return jobs


def live_jobs(incident: str, seed: int) -> list[Job]:
    """Return ten minutes of the usual, made at once, and what goes wrong meanwhile."""
    dice = Random(seed)
    jobs = [*quiet_jobs(10, dice), *INCIDENTS[incident](dice)]
    dice.shuffle(jobs)
    return jobs


def nothing(_: Random) -> Iterator[Job]:
    """Nothing goes wrong."""
    yield from ()


def retry_loop(dice: Random) -> Iterator[Job]:
    """One review is asked for again and again, because its answer cannot be parsed."""
    again = replace(REVIEW.call(dice), prompt="Review pull request 4711; answer in JSON.")
    for _ in range(4):
        yield Job(REVIEW.feature, REVIEW.people[0], "pr-4711", (again,) * 60)


def context_leak(dice: Random) -> Iterator[Job]:
    """Each session's history is sent along and never cut: every call carries all that came before."""
    for _ in range(25):
        calls = [
            replace(REVIEW.call(dice), meters=Meters(input_tokens=12_000 + 6_500 * turn, output_tokens=400))
            for turn in range(9)
        ]
        yield Job(REVIEW.feature, dice.choice(REVIEW.people), session_of(dice), tuple(calls))


def as_usual(habit: Habit, calls: int) -> Callable[[Random], Iterator[Job]]:
    """Return more of a habit, without a fault of its own: what goes wrong is elsewhere."""

    def jobs(dice: Random) -> Iterator[Job]:
        yield from (habit.job(dice) for _ in range(calls))

    return jobs


def cache_collapse(dice: Random) -> Iterator[Job]:
    """Nothing that is sent was ever cached: a release puts the time of day in front of the guide."""
    for _ in range(60):
        job = SUMMARY.job(dice)
        calls = tuple(replace(call, meters=replace(call.meters, cache_read_tokens=0)) for call in job.calls)
        yield replace(job, calls=calls)


def leaked_key(dice: Random) -> Iterator[Job]:
    """Somebody else calls in the name of a customer's user: from many sessions, no prompt twice."""
    for _ in range(400):
        yield replace(CHAT.job(dice), person=CHAT.people[1])


INCIDENTS: Final[dict[str, Callable[[Random], Iterator[Job]]]] = {
    QUIET: nothing,
    "retry-loop": retry_loop,
    "context-leak": context_leak,
    "wrong-price": as_usual(CHAT, 60),
    "cache-collapse": cache_collapse,
    "leaked-key": leaked_key,
}
