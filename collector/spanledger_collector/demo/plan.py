"""What the company does with its models: a deterministic plan of jobs, each a few calls."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from spanledger_collector.demo.company import UNTAGGED, Feature, Person, customer, engineer
from spanledger_collector.demo.meters import Meters

__all__ = ["Call", "Job", "plan"]


@dataclass(frozen=True)
class Call:
    """One call of a model, and what the vendor is asked to make of it."""

    vendor: str
    api: str
    model: str
    meters: Meters
    case: str = "plain"
    stream: bool = False
    include_usage: bool = True
    service_tier: str = ""
    step: str = ""
    tool: str = ""
    prompt: str = ""


@dataclass(frozen=True)
class Job:
    """A few calls on behalf of one user."""

    feature: Feature
    person: Person
    session: str
    calls: tuple[Call, ...]
    outcome: str = ""


def plan(calls: int, seed: int) -> list[Job]:
    """Return jobs with exactly that many calls; the same ones for the same seed."""
    dice = Random(seed)
    jobs: list[Job] = []
    missing = calls
    for job in endless(dice):
        if missing <= 0:
            break
        jobs.append(job if len(job.calls) <= missing else replace(job, calls=job.calls[:missing]))
        missing -= len(job.calls)
    return jobs


def endless(dice: Random) -> Iterator[Job]:
    """Yield jobs deck by deck, so that even a short run has some of everything."""
    while True:
        deck = [deal(dice) for deal, count in DECK.items() for _ in range(count)]
        dice.shuffle(deck)
        yield from with_mishaps(deck, dice)


def with_mishaps(deck: list[Job], dice: Random) -> list[Job]:
    """Return the deck with a job struck by each mishap, at its last call: a failure ends a job."""
    struck: set[int] = set()
    for case, can_strike in MISHAPS:
        candidates = [n for n, job in enumerate(deck) if n not in struck and can_strike(job.calls[-1])]
        number = dice.choice(candidates)
        struck.add(number)
        job = deck[number]
        outcome = job.outcome if case == "retry" else ("failed" if job.outcome else "")
        deck[number] = replace(job, calls=(*job.calls[:-1], replace(job.calls[-1], case=case)), outcome=outcome)
    return deck


def support_chat(dice: Random) -> Job:
    """Return a conversation; each turn carries the ones before it, most of them cached by the vendor."""
    history = dice.randint(900, 1_600)
    turns = []
    for turn in range(dice.randint(1, 4)):
        cached = history // 128 * 128 if turn else 0
        meters = Meters(input_tokens=history + 60, cache_read_tokens=cached, output_tokens=dice.randint(60, 260))
        turns.append(Call("openai", "chat", "gpt-5-mini", meters, stream=True))
        history += 60 + meters.output_tokens
    outcome = dice.choices(("resolved", "escalated"), (4, 1))[0]
    feature = Feature("support", "support-chat", task="resolve_ticket")
    return Job(feature, customer(dice), session(dice), tuple(turns), outcome)


def ticket_triage(dice: Random) -> Job:
    meters = Meters(input_tokens=dice.randint(300, 900), output_tokens=dice.randint(5, 20))
    call = Call("openai", "chat", "gpt-6-luna", meters, service_tier="flex")
    return Job(Feature("support", "ticket-triage"), customer(dice), "", (call,))


def help_search(dice: Random) -> Job:
    """Return a search: retrieval, then an answer whose long prefix the vendor has cached, or caches now."""
    find = Meters(input_tokens=dice.randint(8, 40), output_tokens=0)
    prefix = 2_048
    written = dice.random() < 0.2
    answer = Meters(
        input_tokens=prefix + dice.randint(700, 2_500),
        cache_read_tokens=0 if written else prefix,
        cache_write_tokens=prefix if written else 0,
        output_tokens=dice.randint(80, 300),
    )
    calls = (
        Call("openai", "embeddings", "text-embedding-3-small", find),
        Call("openai", "chat", "gpt-6-sol", answer),
    )
    return Job(
        Feature("search", "help-search", task="answer_question"), customer(dice), session(dice), calls, "answered"
    )


def autocomplete(dice: Random) -> Job:
    """Return a stream whose developers forgot to ask for the usage."""
    meters = Meters(input_tokens=dice.randint(40, 120), output_tokens=dice.randint(3, 12))
    call = Call("openai", "chat", "gpt-4.1-mini", meters, stream=True, include_usage=False)
    return Job(Feature("search", "autocomplete"), customer(dice), "", (call,))


def code_review(dice: Random) -> Job:
    """Return the work of an agent: it plans, reads files with a tool, then writes the review."""
    context = dice.randint(2_000, 5_000)
    calls: list[Call] = []
    for step in ("plan", *["read"] * dice.randint(1, 3), "review"):
        fresh = dice.randint(400, 1_800)
        meters = Meters(
            input_tokens=context + fresh,
            cache_read_tokens=context if calls else 0,
            cache_write_tokens=fresh if calls else context,
            output_tokens=dice.randint(150, 900),
            reasoning_tokens=100 if step == "review" else 0,
        )
        case = "tool" if step == "read" else "plain"
        tool = "read_file" if step == "read" else ""
        calls.append(Call("anthropic", "messages", "claude-sonnet-5-5", meters, case=case, step=step, tool=tool))
        context += fresh
    feature = Feature("engineering", "code-review", task="review_pull_request", agent="code-reviewer")
    outcome = dice.choices(("approved", "changes_requested"), (2, 3))[0]
    return Job(feature, engineer(dice), f"pr-{dice.randint(100, 400)}", tuple(calls), outcome)


def commit_message(dice: Random) -> Job:
    meters = Meters(input_tokens=dice.randint(400, 3_000), output_tokens=dice.randint(20, 80))
    call = Call("openai", "chat", "gpt-5-mini", meters)
    return Job(Feature("engineering", "commit-message"), engineer(dice), "", (call,))


def trip_summary(dice: Random) -> Job:
    """Return a summary over a guide that is kept in the cache, for five minutes or for an hour."""
    guide = 4_096
    written = dice.random() < 0.4
    meters = Meters(
        input_tokens=guide + dice.randint(200, 900),
        cache_read_tokens=0 if written else guide,
        cache_write_tokens=guide if written else 0,
        cache_write_1h_tokens=guide // 2 if written and dice.random() < 0.5 else 0,
        output_tokens=dice.randint(120, 400),
    )
    call = Call("anthropic", "messages", "claude-haiku-4-5", meters, stream=True)
    return Job(Feature("content", "trip-summary"), customer(dice), session(dice), (call,))


def contract_check(dice: Random) -> Job:
    """Return the check of a whole contract, on both sides of the size at which the vendor's price jumps."""
    meters = Meters(input_tokens=dice.randint(60_000, 150_000), output_tokens=900, reasoning_tokens=600)
    call = Call("anthropic", "messages", "claude-haiku-5-5", meters, case="reasoning")
    return Job(Feature("content", "contract-check"), engineer(dice), "", (call,))


def catalogue_labels(dice: Random) -> Job:
    """Return part of a nightly batch; nobody waits for it, so it takes the cheap tier."""
    meters = Meters(input_tokens=dice.randint(150, 500), output_tokens=dice.randint(60, 140), reasoning_tokens=48)
    call = Call("openai", "responses", "gpt-5-mini", meters, service_tier="flex")
    return Job(Feature("content", "catalogue-labels"), Person(""), "nightly", (call,))


def board_report(dice: Random) -> Job:
    """Return the opposite: somebody important waits."""
    meters = Meters(input_tokens=dice.randint(3_000, 9_000), output_tokens=1_200, reasoning_tokens=700)
    call = Call("openai", "responses", "gpt-5.1", meters, service_tier="priority", stream=True)
    return Job(Feature("content", "board-report"), engineer(dice), "", (call,))


def translation(dice: Random) -> Job:
    meters = Meters(input_tokens=dice.randint(300, 1_200), cache_read_tokens=256, output_tokens=dice.randint(200, 900))
    call = Call("deepseek", "chat", "deepseek-v4-flash", meters)
    return Job(Feature("labs", "translation"), customer(dice), "", (call,))


def prototype(dice: Random) -> Job:
    """Return a try of the company's own model, for which no list has a price."""
    meters = Meters(input_tokens=dice.randint(200, 800), output_tokens=dice.randint(50, 300))
    call = Call("in-house", "chat", "acme-internal-7b", meters)
    return Job(Feature("labs", "prototype"), engineer(dice), "", (call,))


def forgotten_script(dice: Random) -> Job:
    """Return a call of somebody's script, without any tags."""
    meters = Meters(input_tokens=dice.randint(500, 4_000), output_tokens=dice.randint(100, 500))
    call = Call("openai", "chat", "gpt-4o-mini", meters)
    return Job(Feature(UNTAGGED, ""), Person(""), "", (call,))


def session(dice: Random) -> str:
    return f"s-{dice.getrandbits(32):08x}"


# How many jobs of each kind a deck has: 43 jobs, about 65 calls.
DECK: Final[dict[Callable[[Random], Job], int]] = {
    support_chat: 6,
    ticket_triage: 6,
    help_search: 6,
    autocomplete: 2,
    code_review: 2,
    commit_message: 3,
    trip_summary: 5,
    contract_check: 1,
    catalogue_labels: 5,
    board_report: 1,
    translation: 3,
    prototype: 1,
    forgotten_script: 2,
}

# What goes wrong once a deck, and which calls it can hit.
MISHAPS: Final[tuple[tuple[str, Callable[[Call], bool]], ...]] = (
    ("retry", lambda call: call.case == "plain"),
    ("e429", lambda call: call.vendor == "openai"),
    ("e500", lambda call: call.vendor == "openai"),
    ("e400", lambda call: call.vendor == "anthropic"),
    ("timeout", lambda call: call.vendor == "openai" and not call.stream),
    ("midstream", lambda call: call.vendor == "openai" and call.api == "chat" and call.stream and call.include_usage),
    ("midstream", lambda call: call.vendor == "anthropic" and call.stream),
)
