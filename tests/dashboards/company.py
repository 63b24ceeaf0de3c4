"""A company's calls over some weeks, with everything that a panel shows: tags and their lack, failures, unknown cost, duplicates, tasks."""

import time
from collections.abc import Iterator
from random import Random
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from spanledger_collector.receiver.door import Door, OtlpRequest
from tests.otlp import SpanSpec, chat, key_values, new_id, request

__all__ = ["deliver_a_company", "requests_of_a_company"]

TEAMS = {"support": "chat", "search": "answers", "content": "summaries", "labs": "prototype"}
MODELS = ("gpt-4o-mini", "gpt-5", "gpt-5-mini", "gpt-4.1")
OUTCOMES = ("resolved", "resolved", "resolved", "escalated")


def deliver_a_company(door: Door, **wishes: int) -> None:
    """Deliver what ``requests_of_a_company`` yields: a door takes one signal at a time."""
    requests = list(requests_of_a_company(**wishes))
    for signal in ("traces", "logs"):
        door.insert([each for each in requests if each.signal == signal])


def requests_of_a_company(*, days: int = 20, calls_a_day: int = 60, seed: int = 7) -> Iterator[OtlpRequest]:
    """Yield the requests that an exporter would send, one a day, and the outcomes of tasks."""
    dice, now = Random(seed), time.time() - 600
    for day in range(days, -1, -1):
        start = now - day * 86400
        spans = [span for _ in range(calls_a_day) for span in _job(dice, start - dice.random() * 80_000)]
        yield request(spans, {"deployment.environment.name": "prod" if day % 5 else "staging"})
        yield _outcomes(dice, [span for span in spans if "spanledger.task.id" in span.attributes])


def _job(dice: Random, at: float) -> Iterator[SpanSpec]:
    team = dice.choices(list(TEAMS), (8, 4, 2, 1))[0]
    model = "acme-own-7b" if team == "labs" else dice.choice(MODELS)
    extra: dict[str, Any] = {
        "gen_ai.request.model": model,
        "gen_ai.response.model": model,
        "spanledger.team": team,
        "spanledger.feature": TEAMS[team],
        "spanledger.tenant": dice.choice(("acme", "globex", "initech")),
        "user.id": f"user{int(dice.paretovariate(0.7)) % 60}",
        "session.id": f"session{dice.randrange(400)}",
        "gen_ai.response.time_to_first_chunk": dice.uniform(0.2, 1.5),
        "spanledger.attempts": dice.choice((1, 1, 1, 1, 2)),
        "spanledger.prompt.system.chars": 1200,
        "spanledger.prompt.history.chars": dice.randrange(4000),
        "spanledger.prompt.user.chars": dice.randrange(400),
        "spanledger.prompt.retrieved.chars": dice.randrange(3000),
        "gen_ai.usage.cache_read.input_tokens": 500,
    }
    if team == "support":
        extra |= {"spanledger.task": "resolve_ticket", "spanledger.task.id": f"ticket-{new_id()}"}
        extra |= {"gen_ai.agent.name": "solver", "spanledger.agent.step": dice.choice(("plan", "look_up", "answer"))}
    yield from _call(dice, at, extra)


def _call(dice: Random, at: float, extra: dict[str, Any]) -> Iterator[SpanSpec]:
    kind = dice.random()
    tokens: tuple[int, int] | None = (dice.randrange(800, 9000), dice.randrange(50, 900))
    more: dict[str, Any] = {"seconds": dice.lognormvariate(0.5, 0.6), "extra": extra}
    if kind < 0.05:  # nobody told the usage
        tokens = None
    elif kind < 0.1:
        tokens, more = None, more | {"error": True, "extra": extra | {"error.type": dice.choice(("429", "timeout"))}}
    elif kind < 0.15:  # somebody's script
        more["extra"] = {name: value for name, value in extra.items() if not name.startswith("spanledger.")}
    elif kind < 0.18:  # an emitter that charges cached tokens in full
        more["extra"] = extra | {"gen_ai.usage.cost": 0.5}
    span = chat(at, tokens=tokens, **more)
    yield span
    if 0.2 < kind < 0.3:  # seen by a second instrumentation too
        twin = chat(at + 0.001, tokens=tokens, **more, trace=span.trace, parent=span.span, scope="openinference.x")
        yield twin


def _outcomes(dice: Random, spans: list[SpanSpec]) -> OtlpRequest:
    message = ExportLogsServiceRequest()
    of_resource = message.resource_logs.add()
    of_resource.resource.attributes.extend(key_values({"service.name": "app"}))
    scoped = of_resource.scope_logs.add()
    scoped.scope.name = "spanledger"
    for span in spans:
        if dice.random() < 0.9:
            record = scoped.log_records.add(event_name="spanledger.outcome", time_unix_nano=int(span.end * 1e9))
            record.attributes.extend(key_values({
                "spanledger.task": span.attributes["spanledger.task"],
                "spanledger.task.id": span.attributes["spanledger.task.id"],
                "spanledger.outcome": dice.choice(OUTCOMES),
            }))  # fmt: skip
    return OtlpRequest("logs", "protobuf", message.SerializeToString())
