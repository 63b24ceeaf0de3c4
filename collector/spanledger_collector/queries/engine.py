"""Runs admitted statements on the ledger, a few at a time, each reader thread with a connection of its own."""

import asyncio
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from spanledger_collector.database import Database
from spanledger_collector.queries.errors import RefusedError, of_engine
from spanledger_collector.queries.formats import hello_block, native_header
from spanledger_collector.queries.gate import Gate, Parameter, Statement
from spanledger_collector.queries.progress import Progress, Watch
from spanledger_collector.queries.settings import LIMITS, READERS, WAITING_MAX, WAITING_SECONDS_MAX
from spanledger_collector.queries.tenancy import Confinement, confine
from spanledger_collector.target import quoted

__all__ = ["Answer", "Question", "Readers"]

_HELLO = "SELECT displayName(), version(), revision(), timezone()"


@dataclass(frozen=True)
class Question:
    """A statement with what belongs to it. ``format`` applies where the statement has no FORMAT clause.

    ``is_ours``: it is made of our own words and whole numbers only, so that there is nothing to judge. For a reader of one
    tenant it is judged all the same.
    """

    text: str
    format: str = "TabSeparated"
    database: str = ""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    tenant: str | None = None
    is_ours: bool = False


@dataclass(frozen=True)
class Answer:
    """The result in a ClickHouse format."""

    body: bytes
    format: str
    timezone: str
    rows_written: int = 0
    progress: Progress | None = None


class Readers:
    """A pool of reading threads on one database. ``close`` ends them and their connections."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pool = ThreadPoolExecutor(READERS, "query")
        self._own = threading.local()
        self._clients: list[Client] = []
        self._waiting = 0
        self._gate: Gate | None = None
        self._lock = threading.Lock()

    async def answer(self, question: Question, turn: AbstractAsyncContextManager[None] | None = None) -> Answer:
        """Answer a question in a reader thread; RefusedError if it may not run, fails, or too many wait.

        ``turn`` lets through a few at a time of those who share it; who waits for it waits like all others, and no longer.
        """
        if self._waiting >= WAITING_MAX + READERS:
            raise RefusedError(
                202, "TOO_MANY_SIMULTANEOUS_QUERIES", f"More than {WAITING_MAX} queries wait; try again in a second."
            )
        self._waiting += 1
        asked_at = time.monotonic()
        try:
            async with turn or nullcontext():
                return await asyncio.get_running_loop().run_in_executor(self._pool, self._answer, question, asked_at)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Wait for running queries, then close the connections."""
        self._pool.shutdown(cancel_futures=True)
        with self._lock:
            for client in self._clients:
                client.close()
            self._clients.clear()

    def _answer(self, question: Question, asked_at: float) -> Answer:
        if time.monotonic() - asked_at > WAITING_SECONDS_MAX:
            raise RefusedError(
                202,
                "TOO_MANY_SIMULTANEOUS_QUERIES",
                f"Slow queries kept it waiting for {WAITING_SECONDS_MAX:.0f} seconds; try again.",
            )
        ledger = self._database.target.database
        client = self._client(question.tenant)
        client.database = ledger if question.database in ("", "default") else question.database
        timezone = str(client.server_tz)
        if question.text.strip().rstrip(";") == _HELLO and question.format == "Native":
            return Answer(hello_block(str(client.server_version), timezone), "Native", timezone)
        gate = self._gate_of(client)
        if question.tenant is not None:
            confinement = Confinement.of(client, ledger)
            confinement.judge_settings(question.settings)
            gate = replace(gate, databases=frozenset({ledger, "system"}), confinement=confinement)
        if client.database not in gate.databases or (gate.confinement and client.database != ledger):
            raise RefusedError(
                81, "UNKNOWN_DATABASE", f"Database {client.database} cannot be read here; the ledger is {ledger}."
            )
        try:
            return _run(client, gate, question, timezone, self._own.watches[question.tenant])
        except DatabaseError as error:
            raise of_engine(error) from error

    def _client(self, tenant: str | None) -> Client:
        """Return this thread's connection for a tenant: a filter is set once and never lifted, so it cannot be forgotten."""
        own: dict[str | None, Client] = self._own.__dict__.setdefault("clients", {})
        if tenant not in own:
            client = self._database.client()
            with self._lock:
                self._clients.append(client)
            for name, value in LIMITS.items():
                client.set_client_setting(name, value)
            if tenant is not None:
                confine(client, self._database.target.database, tenant)
            # 2, not 1: the settings of a query may still be set; the gate sees to it that only harmless ones are.
            client.command("set readonly = 2")
            own[tenant] = client
            self._own.__dict__.setdefault("watches", {})[tenant] = Watch.on(client)
        return own[tenant]

    def _gate_of(self, client: Client) -> Gate:
        with self._lock:
            if self._gate is None:
                self._gate = Gate.of(client, self._database.target.database)
            return self._gate


def _run(client: Client, gate: Gate, question: Question, timezone: str, watch: Watch) -> Answer:
    if question.is_ours and not gate.confinement:
        statement = Statement(question.text, "")
    else:
        statement = gate.admit(client, question.text, question.parameters)
    parameters = {name: question.parameters[name] for name in statement.parameters}
    form = statement.format or question.format
    text = statement.text.removesuffix(f" FORMAT {form}")
    clause_is_inside = statement.format and text == statement.text

    def ask(form: str | None) -> bytes:
        if form and question.settings and " SETTINGS " not in text:
            # The driver would ask for their values, set them and set them back: six milliseconds of a core for each query.
            clause = ", ".join(f"{name} = {quoted(value)}" for name, value in question.settings.items())
            return client.raw_query(f"{text}\nFORMAT {form} SETTINGS {clause}", parameters)
        return client.raw_query(text, parameters, dict(question.settings), form)

    with watch.watching(text) as progress:
        body = ask(None if clause_is_inside else form)
    if not body and form == "Native" and not clause_is_inside:
        # Without a block, a client could not tell the names of the columns.
        described = ask("JSONCompactEachRowWithNamesAndTypes")
        body = native_header(described) if described else body
    # How many rows were read would tell a reader of one tenant about the others.
    return Answer(body, form, timezone, progress=None if gate.confinement else progress)
