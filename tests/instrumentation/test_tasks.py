"""A task and its outcome meet in the ledger by the task's id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from opentelemetry import trace

import spanledger
from spanledger.tags import current_tags

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
