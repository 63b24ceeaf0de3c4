"""A decorated generator is tagged while its body runs, wherever it is consumed, and its consumer is not."""

from __future__ import annotations

import asyncio
import gc
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

import spanledger
from spanledger.scopes import current_tags

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

SEARCH = {"spanledger.team": "search"}


@spanledger.tags(team="search")
def numbers(count: int) -> Generator[dict[str, str], str, str]:
    said = ""
    for _ in range(count):
        said += (yield dict(current_tags())) or "-"
    return said


@spanledger.tags(team="search")
async def later_numbers(count: int) -> AsyncGenerator[dict[str, str], str]:
    for _ in range(count):
        await asyncio.sleep(0)
        yield dict(current_tags())
        await asyncio.sleep(0)


def test_the_body_of_a_generator_is_tagged_and_its_consumer_is_not() -> None:
    with spanledger.tags(feature="consumer"):
        seen = [(inside, dict(current_tags())) for inside in numbers(2)]

    assert seen == [({**SEARCH, "spanledger.feature": "consumer"}, {"spanledger.feature": "consumer"})] * 2
    assert current_tags() == {}


def test_a_stream_that_is_consumed_elsewhere_keeps_the_tags_of_its_call() -> None:
    with spanledger.tags(tenant="acme"):
        stream = numbers(3)
    with ThreadPoolExecutor(1) as pool:
        seen = [next(stream), pool.submit(next, stream).result()]

    assert seen == [{**SEARCH, "spanledger.tenant": "acme"}] * 2


def test_a_generator_takes_values_errors_and_the_end_as_without_tags() -> None:
    stream = numbers(2)
    next(stream)
    stream.send("a")
    with pytest.raises(StopIteration) as ended:
        stream.send("b")
    broken = numbers(1)
    next(broken)
    with pytest.raises(LookupError):
        broken.throw(LookupError("gone"))
    closed = numbers(1)
    next(closed)
    closed.close()

    assert ended.value.value == "ab"
    assert list(closed) == []


def test_a_scope_held_open_across_a_yield_stays_inside(caplog: pytest.LogCaptureFixture) -> None:
    @spanledger.tags(team="search")
    def steps() -> Generator[None, None, None]:
        with spanledger.tags(feature="first"):
            yield

    left_early = steps()
    next(left_early)
    while_suspended = dict(current_tags())
    del left_early
    gc.collect()

    assert (while_suspended, dict(current_tags())) == ({}, {})
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_the_body_of_an_async_generator_is_tagged_and_its_consumer_is_not() -> None:
    async def consume() -> list[tuple[dict[str, str], dict[str, str]]]:
        with spanledger.tags(tenant="acme"):
            stream = later_numbers(2)
        return [(inside, dict(current_tags())) async for inside in stream]

    assert asyncio.run(consume()) == [({**SEARCH, "spanledger.tenant": "acme"}, {})] * 2


def test_an_async_generator_hears_errors_cancellation_and_its_end() -> None:
    heard: list[str] = []

    @spanledger.tags(team="search")
    async def listen() -> AsyncGenerator[int, None]:
        try:
            yield 1
            await asyncio.sleep(60)
        except BaseException as error:
            heard.append(f"{type(error).__name__} {current_tags()['spanledger.team']}")
            raise

    async def play() -> None:
        thrown = listen()
        await anext(thrown)
        with pytest.raises(LookupError):
            await thrown.athrow(LookupError("gone"))
        closed = listen()
        await anext(closed)
        await closed.aclose()
        waiting = listen()
        await anext(waiting)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await anext(waiting)

    asyncio.run(play())

    assert heard == ["LookupError search", "GeneratorExit search", "CancelledError search"]


def test_a_decorated_generator_is_a_task_of_its_own_each_time() -> None:
    @spanledger.task("summarise")
    def stream() -> Generator[str, None, None]:
        yield current_tags()["spanledger.task.id"]
        yield current_tags()["spanledger.task.id"]

    first, second = list(stream()), list(stream())

    assert first[0] == first[1]
    assert first[0] != second[0]
