"""`spanledger doctor`: a canary through the whole chain, and a diagnosis in words."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import typer

from spanledger_collector.cli.access import ClickHouseUrl, Json, Store, reading, server_of, store_path, writing
from spanledger_collector.cli.show import as_json, console, working
from spanledger_collector.database import Serving
from spanledger_collector.exceptions import SpanledgerError
from spanledger_collector.operations.canary import fly
from spanledger_collector.operations.diagnosis import Finding, environment, ledger, listening
from spanledger_collector.operations.diagnosis import store as of_store
from spanledger_collector.operations.disk import FREE_BYTES_MIN
from spanledger_collector.target import Target

__all__ = ["doctor"]

_STYLES = {"ok": "green", "warn": "yellow", "fail": "red"}


def doctor(json: Json = False, store: Store = None, clickhouse: ClickHouseUrl = None) -> None:
    """Look at every part between services and ledger, and send a span through the running collector that never bills.

    Exit code 1 when a part is broken; what is only to be looked at is no failure.
    """
    path = store_path(store)
    serving = server_of(store, clickhouse)
    findings = []
    for finding in _findings(path, serving, store, clickhouse):
        findings.append(finding)
        if not json:
            console().print(f"{finding.state:<5}", style=_STYLES[finding.state], end="")
            console().print(f"{finding.part:<11}{finding.sentence}", soft_wrap=True)
    if json:
        typer.echo(as_json([vars(finding) for finding in findings]))
    if any(finding.state == "fail" for finding in findings):
        raise typer.Exit(1)


def _findings(path: Path, serving: Serving | None, store: Path | None, clickhouse: str | None) -> Iterator[Finding]:
    if not clickhouse:
        yield from listening(path, serving)
        if path.is_dir():
            told = serving.free_bytes_min if serving else None
            yield from of_store(path, FREE_BYTES_MIN if told is None else told)
    yield environment(serving)
    try:
        with reading(store, clickhouse) as client:
            yield from ledger(client, Target(kind="server" if clickhouse else "embedded"))
        if serving:
            yield _canary(serving, store)
    except SpanledgerError as error:
        yield Finding("ledger", "fail", str(error))


def _canary(serving: Serving, store: Path | None) -> Finding:
    started = time.monotonic()
    try:
        with (
            working("Waiting for the canary"),
            writing(store, None, "doctor") as database,
            contextlib.closing(database.client()) as owner,
        ):
            seconds = fly(serving.otlp_http_url, serving.token, owner)
    except SpanledgerError as error:
        return Finding("canary", "fail", f"{error} ({time.monotonic() - started:.1f} s)")
    return Finding(
        "canary", "ok", f"A span sent by OTLP was stored, read and judged after {seconds:.1f} s, and is removed again."
    )
