"""Writes for who may: the owner of the store any statement, a writer rows of the landing tables.

The owner shows the token that `spanledger up` wrote beside the store (serving.json, mode 0600): that is how commands write to a ledger
that another process serves. A writer has a password from the file of users; it is what the OpenTelemetry Collector's clickhouse
exporter logs in as. For everybody else each statement passes the gate and is read only.
"""

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from spanledger_collector.database import Database
from spanledger_collector.exceptions import SpanledgerError
from spanledger_collector.queries.engine import Answer, Question
from spanledger_collector.queries.errors import RefusedError, of_engine
from spanledger_collector.queries.formats import native_header
from spanledger_collector.queries.insertion import Insertion, read_insertion
from spanledger_collector.queries.users import User

__all__ = ["LANDING", "WRITTEN_BYTES_MAX", "Writer"]

WRITTEN_BYTES_MAX: Final = 256_000_000
"""Largest body of a request that writes, unpacked."""
LANDING: Final = frozenset({"otel_traces", "otel_logs"})
"""Tables that a writer may insert into: those of the OpenTelemetry Collector's clickhouse exporter."""

_FORMAT: Final = re.compile(r"\s+format\s+(\w+)\s*;?\s*\Z", re.IGNORECASE)
_ANSWERS: Final = re.compile(r"\s*(--[^\n]*\n\s*)*(select|with|show|describe|desc|exists|explain)\b", re.IGNORECASE)
# A batch of late data may touch many days; each is a partition.
_INSERT_SETTINGS: Final = {"max_partitions_per_insert_block": 0}


class Writer:
    """One thread with a connection of its own, for one statement after the other.

    ``admit`` raises when nothing can be taken now; ``on_commit`` hears of what a writer landed.
    """

    def __init__(self, database: Database, on_commit: Callable[[], None], admit: Callable[[], None]) -> None:
        self._database = database
        self._on_commit, self._admit = on_commit, admit
        self._pool = ThreadPoolExecutor(1, "write")
        self._connection: Client | None = None

    async def insert(self, user: User, statement: str, data: bytes, database: str) -> Answer:
        """Insert data as a statement says; RefusedError if this user may not, or the engine refuses."""
        return await self._run(partial(self._insert, user, statement, data, database))

    async def execute(self, question: Question) -> Answer:
        """Run any statement, for the owner; RefusedError if it fails."""
        return await self._run(partial(self._execute, question))

    def close(self) -> None:
        """Wait for the statement under way, then close the connection."""
        self._pool.shutdown(cancel_futures=True)
        if self._connection:
            self._connection.close()

    async def _run(self, step: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._guarded, step)

    def _guarded(self, step: Callable[[], Answer]) -> Answer:
        try:
            return step()
        except DatabaseError as error:
            raise of_engine(error) from error

    def _client(self) -> Client:
        self._connection = self._connection or self._database.client()
        return self._connection

    def _insert(self, user: User, statement: str, data: bytes, database: str) -> Answer:
        client = self._client()
        into = read_insertion(client, statement)
        if user.role != "owner":
            self._judge(into, database)
            self._room()
        table = f"{into.database}.{into.table}" if into.database else into.table
        summary = client.raw_insert(table, list(into.columns) or None, data, settings=_INSERT_SETTINGS, fmt=into.format)
        self._on_commit()
        return Answer(b"", "TabSeparated", str(client.server_tz), int(summary.written_rows))

    def _room(self) -> None:
        try:
            self._admit()
        except SpanledgerError as error:
            raise RefusedError(243, "NOT_ENOUGH_SPACE", str(error)) from error

    def _judge(self, into: Insertion, database: str) -> None:
        ledger = self._database.target.database
        named = into.database or (ledger if database in ("", "default") else database)
        if named != ledger or into.table not in LANDING:
            raise RefusedError(
                497,
                "ACCESS_DENIED",
                f"A writer may insert into {ledger}.otel_traces and {ledger}.otel_logs, not into {named}.{into.table}.",
            )

    def _execute(self, question: Question) -> Answer:
        client = self._client()
        parameters = dict(question.parameters)
        timezone = str(client.server_tz)
        if not _ANSWERS.match(question.text):
            client.raw_query(question.text, parameters)
            return Answer(b"", "TabSeparated", timezone)
        clause = _FORMAT.search(question.text)
        form = clause[1] if clause else question.format
        text = question.text[: clause.start()] if clause else question.text
        body = client.raw_query(text, parameters, fmt=form)
        if not body and form == "Native":
            described = client.raw_query(text, parameters, fmt="JSONCompactEachRowWithNamesAndTypes")
            body = native_header(described) if described else body
        return Answer(body, form, timezone)
