"""Tags go with messages, and with functions into pools that know nothing of contexts."""

from __future__ import annotations

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.pool import ThreadPool
from typing import Any

import pytest
from opentelemetry import trace

import spanledger
from spanledger.scopes import current_tags

pytestmark = pytest.mark.usefixtures("instrumented")


def tags_and_trace(_: object = None) -> tuple[dict[str, str], int]:
    return dict(current_tags()), trace.get_current_span().get_span_context().trace_id


def test_a_message_brings_tags_task_and_trace_to_the_worker() -> None:
    tracer = trace.get_tracer("application")
    with tracer.start_as_current_span("producer"), spanledger.task("résumé & co", tenant="a=b", user=7) as task:
        headers = spanledger.message_headers()
        sent = tags_and_trace()
    with spanledger.received(headers):
        worked = tags_and_trace()

    assert all(isinstance(text, str) and text.isascii() for text in headers.values())
    assert worked == sent
    assert worked[0]["spanledger.task.id"] == task.id
    assert tags_and_trace() == ({}, 0)


def test_scopes_of_the_worker_win_over_the_message() -> None:
    with spanledger.tags(team="producer", tenant="acme"):
        headers = spanledger.message_headers()
    with spanledger.tags(team="worker"), spanledger.received(headers):
        assert current_tags() == {"spanledger.team": "worker", "spanledger.tenant": "acme"}


@pytest.mark.parametrize(
    "headers",
    [
        None,
        {},
        {"spanledger-tags": "%%%&&&=="},
        {"spanledger-tags": 5, "traceparent": None},
        {"spanledger-tags": "gen_ai.request.model=gpt-0"},
    ],
)
def test_a_message_without_tags_changes_nothing(headers: Any) -> None:
    with spanledger.tags(team="worker"), spanledger.received(headers):
        assert current_tags() == {"spanledger.team": "worker"}


def test_a_broker_may_hand_headers_back_as_bytes_and_in_another_case() -> None:
    with spanledger.received({"Spanledger-Tags": b"spanledger.team=search"}):
        assert current_tags() == {"spanledger.team": "search"}


def test_a_carried_function_runs_with_the_tags_of_where_it_was_carried_from() -> None:
    with ThreadPool(1) as pool:
        with spanledger.tags(team="search"):
            carried = spanledger.carry(tags_and_trace)
        assert pool.apply(carried) == ({"spanledger.team": "search"}, 0)
        assert pool.apply(tags_and_trace) == ({}, 0)


def test_a_carried_function_takes_its_tags_and_trace_through_pickle() -> None:
    with trace.get_tracer("application").start_as_current_span("request"), spanledger.task("resolve", team="search"):
        pickled = pickle.dumps(spanledger.carry(tags_and_trace))
        here = tags_and_trace()

    assert pickle.loads(pickled)() == here  # noqa: S301 - our own bytes


@pytest.mark.e2e
def test_a_process_pool_works_with_the_tags_that_it_is_handed() -> None:
    with (
        ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool,
        spanledger.tags(team="search"),
    ):
        seen = list(pool.map(spanledger.carry(tags_and_trace), range(2)))

    assert seen == [({"spanledger.team": "search"}, 0)] * 2
