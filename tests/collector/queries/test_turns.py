"""Readers take a few questions at a time, and let only so many wait."""

import asyncio
from dataclasses import replace

import pytest

from spanledger_collector.queries import engine
from spanledger_collector.queries.errors import RefusedError
from spanledger_collector.queries.settings import READERS, WAITING_MAX
from tests.ledger import Ledger

MOST = READERS + WAITING_MAX


def test_who_waits_for_a_turn_is_counted_among_those_who_wait(ledger: Ledger) -> None:
    """The panels of a page take turns; that must not be a way round the limit."""
    readers = engine.Readers(ledger.database)

    async def ask() -> None:
        never = asyncio.Semaphore(0)
        waiting = [asyncio.create_task(readers.answer(engine.Question("select 1"), never)) for _ in range(MOST)]
        await asyncio.sleep(0)
        try:
            with pytest.raises(RefusedError, match="queries wait"):
                await readers.answer(engine.Question("select 1"))
        finally:
            for each in waiting:
                each.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        assert (await readers.answer(engine.Question("select 1"))).body == b"1\n"

    try:
        asyncio.run(ask())
    finally:
        readers.close()


def test_words_of_our_own_are_judged_for_a_reader_of_one_tenant_all_the_same(ledger: Ledger) -> None:
    readers = engine.Readers(ledger.database)
    ours = engine.Question("select count() from otel_traces", is_ours=True)

    async def ask() -> None:
        assert (await readers.answer(ours)).body == b"0\n"
        with pytest.raises(RefusedError, match="otel_traces is not for a reader of one tenant"):
            await readers.answer(replace(ours, tenant="acme"))

    try:
        asyncio.run(ask())
    finally:
        readers.close()
