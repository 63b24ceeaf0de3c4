"""Tags go with the work into threads and pools, and end with it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace

import spanledger
from spanledger.scopes import current_tags
from spanledger.threads import carry_into_threads

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("instrumented")

SEARCH = {"spanledger.team": "search"}


def tags_now(_: object = None) -> dict[str, str]:
    return dict(current_tags())


class Worker(threading.Thread):
    """As most libraries write theirs: with a run() of its own."""

    seen: dict[str, str]

    def run(self) -> None:
        self.seen = tags_now()


def test_a_thread_keeps_the_tags_of_who_started_it() -> None:
    seen: list[dict[str, str]] = []
    worker, timer = Worker(), threading.Timer(0, lambda: seen.append(tags_now()))
    with spanledger.tags(team="search"):
        plain = threading.Thread(target=lambda: seen.append(tags_now()))
        for thread in (plain, worker, timer):
            thread.start()
    for thread in (plain, worker, timer):
        thread.join()

    assert [*seen, worker.seen] == [SEARCH] * 3


def test_work_in_a_pool_keeps_the_tags_of_who_submitted_it() -> None:
    with ThreadPoolExecutor(2) as pool, spanledger.tags(team="search"):
        submitted = pool.submit(tags_now)
        mapped = list(pool.map(tags_now, range(3)))

    assert [submitted.result(), *mapped] == [SEARCH] * 4


def test_a_worker_that_one_request_started_carries_nothing_of_it_to_the_next() -> None:
    with ThreadPoolExecutor(1) as pool:
        with spanledger.tags(team="search"):
            first = pool.submit(tags_now)
        second = pool.submit(tags_now)

    assert (first.result(), second.result()) == (SEARCH, {})


def test_an_event_loop_takes_tags_into_threads_and_tasks() -> None:
    async def work() -> dict[str, str]:
        await asyncio.sleep(0)
        return tags_now()

    async def everywhere() -> list[dict[str, str]]:
        with spanledger.tags(team="search"):
            task = asyncio.create_task(work())
            threads = [asyncio.to_thread(tags_now), asyncio.get_running_loop().run_in_executor(None, tags_now)]
            in_threads = await asyncio.gather(*threads)
        return [*in_threads, await task, tags_now()]

    assert asyncio.run(everywhere()) == [SEARCH, SEARCH, SEARCH, {}]


def test_work_in_a_thread_is_part_of_the_trace() -> None:
    with (
        ThreadPoolExecutor(1) as pool,
        trace.get_tracer("application").start_as_current_span("request") as span,
    ):
        inside = pool.submit(lambda: trace.get_current_span().get_span_context()).result()

    assert inside == span.get_span_context()


def test_an_error_in_a_thread_or_pool_arrives_as_it_was() -> None:
    def fail() -> None:
        raise LookupError("gone")

    with ThreadPoolExecutor(1) as pool, spanledger.tags(team="search"), pytest.raises(LookupError, match="gone"):
        pool.submit(fail).result()
    with spanledger.tags(team="search"), ThreadPoolExecutor(1) as pool, pytest.raises(TypeError):
        pool.submit()  # type: ignore[call-arg]


def test_a_thread_is_free_when_it_is_done() -> None:
    with spanledger.tags(team="search"):
        worker = Worker()
        worker.start()
    worker.join()

    assert "run" not in vars(worker)


def test_carrying_twice_wraps_once() -> None:
    before = (threading.Thread.start, ThreadPoolExecutor.submit)
    carry_into_threads(is_on=True)

    assert (threading.Thread.start, ThreadPoolExecutor.submit) == before


def test_threads_are_left_alone_on_request(run_app: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    code = """
import threading, spanledger
start = threading.Thread.start
spanledger.instrument()
print(threading.Thread.start is start)
"""
    off = run_app(code, SPANLEDGER_THREADS="false", OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="*")
    on = run_app(code, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="*")

    assert (off.stdout, on.stdout) == ("True\n", "False\n")
