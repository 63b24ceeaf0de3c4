"""A task and its outcome meet in the ledger by the task's id."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest
from opentelemetry import trace

import spanledger
from spanledger.scopes import current_tags

if TYPE_CHECKING:
    from tests.instrumentation.conftest import Metered


def test_an_outcome_is_a_log_event_that_names_its_task_and_trace(metered: Metered) -> None:
    tracer = trace.get_tracer("application")
    with tracer.start_as_current_span("request"), spanledger.task("resolve_ticket", team="support") as task:
        tracer.start_span("step").end()
        spanledger.outcome("resolved")

    spans = {span.name: span for span in metered.collect()}
    (event,) = metered.ledger.logs
    assert spans["step"].attributes["spanledger.task"] == "resolve_ticket"
    assert spans["step"].attributes["spanledger.task.id"] == task.id
    assert spans["step"].attributes["spanledger.team"] == "support"
    assert event.event_name == "spanledger.outcome"
    assert event.trace_id == spans["step"].trace_id
    assert event.attributes == {
        "spanledger.task.id": task.id,
        "spanledger.task": "resolve_ticket",
        "spanledger.outcome": "resolved",
    }


def test_an_outcome_that_is_known_later_names_its_task_by_id(metered: Metered) -> None:
    with spanledger.task("resolve_ticket") as first:
        pass
    with spanledger.task("another"):
        spanledger.outcome("reopened", task_id=first.id)

    metered.collect()
    (event,) = metered.ledger.logs
    assert event.attributes == {"spanledger.task.id": first.id, "spanledger.outcome": "reopened"}


def test_an_outcome_outside_a_task_is_dropped_and_told_once(metered: Metered, caplog: pytest.LogCaptureFixture) -> None:
    spanledger.outcome("resolved")
    spanledger.outcome("resolved")

    metered.collect()
    assert metered.ledger.logs == []
    assert len([record for record in caplog.records if "no spanledger.task(...) is active" in record.message]) == 1


def test_each_call_of_a_decorated_function_is_a_task_of_its_own() -> None:
    @spanledger.task("resolve_ticket")
    def work() -> str:
        return current_tags()["spanledger.task.id"]

    assert work() != work()


@pytest.mark.parametrize("name", ["", "  ", 5, None])
def test_a_task_needs_a_name_and_an_outcome_a_word(name: object) -> None:
    with pytest.raises(TypeError, match="name of the task"):
        spanledger.task(cast("Any", name))
    with pytest.raises(TypeError, match="a word such as"):
        spanledger.outcome(cast("Any", name))


def test_a_task_within_a_task_is_its_own_and_each_has_its_outcome(metered: Metered) -> None:
    with spanledger.task("resolve_ticket") as outer:
        with spanledger.task("look_up") as inner:
            trace.get_tracer("application").start_span("inside").end()
            spanledger.outcome("found")
        spanledger.outcome("resolved")

    (span,) = metered.collect()
    assert (span.attributes["spanledger.task"], span.attributes["spanledger.task.id"]) == ("look_up", inner.id)
    assert [event.attributes for event in metered.ledger.logs] == [
        {"spanledger.task.id": inner.id, "spanledger.task": "look_up", "spanledger.outcome": "found"},
        {"spanledger.task.id": outer.id, "spanledger.task": "resolve_ticket", "spanledger.outcome": "resolved"},
    ]


def test_a_task_may_have_the_id_of_the_ticket_that_it_is_about(metered: Metered) -> None:
    for name in ("triage", "answer"):
        with spanledger.task(name, task_id=4711) as task:
            assert (task.id, current_tags()["spanledger.task.id"]) == ("4711", "4711")
    spanledger.outcome("resolved", task_id=4711)

    metered.collect()
    assert metered.ledger.logs[0].attributes == {"spanledger.task.id": "4711", "spanledger.outcome": "resolved"}


def test_another_name_of_a_task_does_not_keep_the_id_of_the_one_around_it() -> None:
    with spanledger.task("resolve_ticket") as task:
        with spanledger.tags(task="something else"):
            other = dict(current_tags())
        with spanledger.tags(task="resolve_ticket"):
            same = dict(current_tags())

    assert other == {"spanledger.task": "something else"}
    assert same == {"spanledger.task": "resolve_ticket", "spanledger.task.id": task.id}


def test_an_asynchronous_task_keeps_its_id_to_its_end() -> None:
    @spanledger.task("resolve_ticket")
    async def work() -> set[str]:
        before = current_tags()["spanledger.task.id"]
        await asyncio.sleep(0)
        return {before, current_tags()["spanledger.task.id"]}

    async def two() -> list[set[str]]:
        return list(await asyncio.gather(work(), work()))

    first, second = asyncio.run(two())
    assert (len(first), len(second), len(first | second)) == (1, 1, 2)
