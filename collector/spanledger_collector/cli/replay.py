"""`spanledger replay`: OTLP files into the ledger."""

import contextlib
import time
import urllib.error
import urllib.request
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from clickhouse_connect.driver.client import Client
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from spanledger_collector.cli.access import ClickHouseUrl, Json, Store, opened, reading, store_path
from spanledger_collector.cli.show import as_json, money
from spanledger_collector.cli.statements import statement
from spanledger_collector.database import serving_of
from spanledger_collector.exceptions import InputError, StoreError
from spanledger_collector.otlp_files import read_requests
from spanledger_collector.receiver.commit import Committer
from spanledger_collector.receiver.door import Door, OtlpRequest, check
from spanledger_collector.refresh import settle

__all__ = ["replay"]

_CONTENT_TYPES: Final = {"protobuf": "application/x-protobuf", "json": "application/json"}
_UNDER_WAY_MAX: Final = 8
_SECONDS_PER_REQUEST: Final = 120
_TRIES: Final = 5
_SETTLE_SECONDS: Final = 120.0

Send = Callable[[OtlpRequest], "Future[None]"]


@dataclass
class Replayed:
    """What became of the files."""

    requests: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)


def replay(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="OTLP files: .pb, .binpb (protobuf), .json, .jsonl; also compressed with gzip.", show_default=False
        ),
    ],
    json: Json = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Put recorded OTLP files into the ledger. What is there already is not counted again, so a replay can be repeated."""
    serving = None if clickhouse else serving_of(store_path(store))
    if serving and serving.otlp_http_url:
        with _over_http(serving.otlp_http_url) as send:
            replayed = _replay(files, send)
        with reading(store, clickhouse) as client:
            _wait_until_settled(client)
            summary = _summary(client, replayed)
    else:
        with opened(store, clickhouse, "spanledger replay") as database:
            with _into(database.target.kind == "embedded", lambda: Door(database)) as send:
                replayed = _replay(files, send)
            with contextlib.closing(database.client()) as client:
                if database.target.kind == "embedded":
                    settle(client)
                summary = _summary(client, replayed)
    typer.echo(as_json(summary) if json else _sentence(summary))
    if replayed.complaints:
        raise InputError("\n".join(replayed.complaints))


def _replay(files: Sequence[Path], send: Send) -> Replayed:
    replayed = Replayed()
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        for file in files:
            task = progress.add_task(file.name, total=file.stat().st_size if file.is_file() else None)
            try:
                requests = read_requests(file, on_progress=partial(_advance, progress, task))
                _send_all(file, requests, send, replayed)
            except InputError as error:
                replayed.complaints.append(str(error))
    return replayed


def _advance(progress: Progress, task: TaskID, done: int) -> None:
    progress.update(task, completed=done)


def _send_all(file: Path, requests: Iterator[OtlpRequest], send: Send, replayed: Replayed) -> None:
    """Send a file's requests with a few under way; a refused one is noted and costs the others nothing."""
    under_way: deque[Future[None]] = deque()

    def finish(until: int) -> None:
        while len(under_way) > until:
            try:
                under_way.popleft().result()
            except InputError as error:
                replayed.requests["refused"] += 1
                replayed.complaints.append(f"{file}: {error}")

    try:
        for request in requests:
            replayed.requests[request.signal] += 1
            if request.signal == "metrics":
                continue  # money comes from spans and logs
            finish(_UNDER_WAY_MAX - 1)
            under_way.append(send(request))
    finally:
        finish(0)


@contextlib.contextmanager
def _into(embedded: bool, door: Callable[[], Door]) -> Iterator[Send]:
    if embedded:
        with contextlib.closing(Committer(door, lambda: None)) as committer:
            yield lambda request: _submitted(committer, request)
        return
    with ThreadPoolExecutor(1) as pool, contextlib.closing(door()) as own:
        yield lambda request: pool.submit(lambda: own.insert([request]))


def _submitted(committer: Committer, request: OtlpRequest) -> "Future[None]":
    try:
        return committer.submit(request)
    except InputError as error:
        refused: Future[None] = Future()
        refused.set_exception(error)
        return refused


@contextlib.contextmanager
def _over_http(url: str) -> Iterator[Send]:
    with ThreadPoolExecutor(2) as pool:
        yield lambda request: pool.submit(_post, url, request)


def _post(url: str, request: OtlpRequest) -> None:
    """Post a request to a collector; as an exporter does, try again while it says that it cannot now."""
    check(request)
    headers = {"Content-Type": _CONTENT_TYPES[request.encoding]}
    call = urllib.request.Request(f"{url}/v1/{request.signal}", request.body, headers)  # noqa: S310 - a URL on loopback, our own
    for left in reversed(range(_TRIES)):
        try:
            urllib.request.urlopen(call, timeout=_SECONDS_PER_REQUEST).close()  # noqa: S310
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise InputError(
                    f"The collector refused a request: {error.read().decode(errors='replace')[2:]}"
                ) from error
            if not left:
                raise StoreError(
                    f"The collector at {url} takes nothing now; replay again later, nothing is counted twice."
                ) from error
            time.sleep(1)
        except OSError as error:
            raise StoreError(
                f"The collector at {url} does not answer: {error}. Replay again; nothing is counted twice."
            ) from error
        else:
            return


def _wait_until_settled(client: Client) -> None:
    end = time.monotonic() + _SETTLE_SECONDS
    while client.query("select 1 from rollup_lag limit 1").result_rows and time.monotonic() < end:
        time.sleep(0.5)


def _summary(client: Client, replayed: Replayed) -> dict[str, Any]:
    result = client.query(statement("ledger_totals"))
    totals = dict(zip(result.column_names, result.result_rows[0], strict=True))
    return {"requests": dict(replayed.requests), "complaints": replayed.complaints, "ledger": totals}


def _sentence(summary: dict[str, Any]) -> str:
    requests, ledger = summary["requests"], summary["ledger"]
    read = ", ".join(f"{count:,} of {signal}" for signal, count in requests.items()) or "nothing"
    lines = [
        f"Requests read: {read}.",
        f"The ledger holds {ledger['calls']:,} billed calls, {money(ledger['known_usd'])} USD known, {ledger['unknown_calls']:,} calls of unknown cost.",
    ]
    if requests.get("metrics"):
        lines.append("Metrics are not kept: money comes from spans and logs.")
    if ledger["quarantined_spans"]:
        lines.append(
            f"{ledger['quarantined_spans']:,} spans are kept aside as impossible: select reason, count() from quarantined_spans group by reason."
        )
    return "\n".join(lines)
