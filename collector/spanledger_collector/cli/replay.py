"""`spanledger replay`: OTLP files into the ledger."""

import contextlib
import itertools
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from clickhouse_connect.driver.client import Client
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from spanledger_collector.cli.access import ClickHouseUrl, Json, Store, opened, reading, server_of, writing
from spanledger_collector.cli.delivery import Send, into, over_http
from spanledger_collector.cli.show import as_json, at_least, counted, money, working
from spanledger_collector.cli.statements import statement
from spanledger_collector.exceptions import InputError
from spanledger_collector.otlp_files import read_requests
from spanledger_collector.receiver.door import OtlpRequest
from spanledger_collector.refresh import catch_up, settle

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["Replayed", "Requests", "replay"]

_UNDER_WAY_MAX: Final = 8
_SETTLE_SECONDS: Final = 120.0
# What totals and statements need; users and sessions follow.
_ROLLUPS: Final = ("cost_minutes", "cost_hours", "cost_days")
_COMPLAINTS_PER_FILE_MAX: Final = 5

Requests = Iterator[tuple[Path, OtlpRequest]]


@dataclass
class Replayed:
    """What became of the files, and whether the rollups caught up."""

    screen: Console
    requests: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)
    before: dict[str, Any] = field(default_factory=dict)
    is_settled: bool = True
    _per_file: Counter[Path] = field(default_factory=Counter)

    def complain(self, file: Path, sentence: str) -> None:
        """Say at once what is wrong; a file with much wrong is not said all about."""
        self._per_file[file] += 1
        if self._per_file[file] <= _COMPLAINTS_PER_FILE_MAX:
            self._say(sentence)

    def close(self) -> None:
        """Say how much was not said."""
        for file, count in self._per_file.items():
            if count > _COMPLAINTS_PER_FILE_MAX:
                self._say(f"{file}: {count - _COMPLAINTS_PER_FILE_MAX:,} more requests were refused.")

    def _say(self, sentence: str) -> None:
        self.complaints.append(sentence)
        self.screen.print(sentence, style="red", markup=False)


def replay(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="OTLP files: .pb, .binpb (protobuf), .json, .jsonl; also compressed with gzip or zstd.",
            show_default=False,
            readable=False,  # each file is judged on its own, when its turn comes
        ),
    ],
    json: Json = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Put recorded OTLP files into the ledger. What is there already is not counted again, so a replay can be repeated.

    What cannot be read is named and left out; all the rest counts, and the exit code is 1.
    """
    replayed = Replayed(Console(stderr=True, highlight=False, soft_wrap=True))
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=replayed.screen, transient=True, disable=not replayed.screen.is_terminal)
    serving = server_of(store, clickhouse)
    requests = _requests(files, replayed, progress)
    first = next(requests, None)
    totals: dict[str, Any] | None = None
    if first is not None:  # for files that hold nothing, no ledger is opened or made
        requests = itertools.chain([first], requests)
        if serving and serving.otlp_http_url:
            with reading(store, clickhouse) as client:
                replayed.before = _totals(client)
            with over_http(serving) as send, progress:
                _send_all(requests, send, replayed)
            with writing(store, clickhouse, "replay") as database, contextlib.closing(database.client()) as client:
                with working("Waiting for verdicts and rollups"):
                    replayed.is_settled = catch_up(client, _ROLLUPS, seconds=_SETTLE_SECONDS)
                totals = _totals(client)
        else:
            totals = _into_ledger(requests, replayed, progress, store, clickhouse)
    replayed.close()
    _report(replayed, totals, json=json)
    if replayed.complaints:
        raise typer.Exit(1)


def _into_ledger(
    requests: Requests, replayed: Replayed, progress: Progress, store: Path | None, clickhouse: str | None
) -> dict[str, Any]:
    with opened(store, clickhouse, "spanledger replay") as database:
        with contextlib.closing(database.client()) as client:
            replayed.before = _totals(client)
        with into(database) as send, progress:
            _send_all(requests, send, replayed)
        with contextlib.closing(database.client()) as client:
            if database.target.kind == "embedded":
                with working("Bringing verdicts and rollups up to date"):
                    settle(client)
            else:
                replayed.is_settled = catch_up(client, _ROLLUPS, seconds=_SETTLE_SECONDS)
            return _totals(client)


def _requests(files: Sequence[Path], replayed: Replayed, progress: Progress) -> Requests:
    """Yield what the files hold, one file after the other."""
    for file in files:
        task = progress.add_task(file.name, total=_size(file))
        try:
            for request in read_requests(file, on_progress=partial(_advance, progress, task)):
                replayed.requests[request.signal] += 1
                yield file, request
        except InputError as error:
            replayed.complain(file, str(error))


def _size(file: Path) -> int | None:
    try:
        return file.stat().st_size
    except OSError:  # reading it will say why
        return None


def _advance(progress: Progress, task: TaskID, done: int) -> None:
    progress.update(task, completed=done)


def _send_all(requests: Requests, send: Send, replayed: Replayed) -> None:
    """Send requests with a few under way; a refused one is noted and costs the others nothing."""
    under_way: deque[tuple[Path, Future[None]]] = deque()

    def finish(until: int) -> None:
        while len(under_way) > until:
            file, sent = under_way.popleft()
            try:
                sent.result()
            except InputError as error:
                replayed.requests["refused"] += 1
                replayed.complain(file, f"{file}: {error}")

    try:
        for file, request in requests:
            if request.signal == "metrics":
                continue  # money comes from spans and logs
            finish(_UNDER_WAY_MAX - 1)
            under_way.append((file, send(request)))
    finally:
        finish(0)


def _totals(client: Client) -> dict[str, Any]:
    result = client.query(statement("ledger_totals"))
    return dict(zip(result.column_names, result.result_rows[0], strict=True))


def _report(replayed: Replayed, totals: dict[str, Any] | None, *, json: bool) -> None:
    if json:
        summary = {"requests": dict(replayed.requests), "complaints": replayed.complaints, "ledger": totals}
        added = {name: totals[name] - replayed.before[name] for name in ("spans", "calls")} if totals else None
        typer.echo(as_json(summary | {"added": added, "settled": replayed.is_settled}))
    elif totals is not None:
        typer.echo("\n".join(_sentences(replayed, totals)))


def _sentences(replayed: Replayed, totals: dict[str, Any]) -> Iterator[str]:
    read = ", ".join(f"{count:,} of {signal}" for signal, count in replayed.requests.items() if signal != "refused")
    refused = replayed.requests["refused"]
    yield f"Requests read: {read}" + (f"; refused: {refused:,}." if refused else ".")
    spans, calls = (max(0, totals[name] - replayed.before[name]) for name in ("spans", "calls"))
    # What is older than raw spans are kept has left the landing by now: these spans are no count of what was read.
    rest = f"; {counted(spans - calls, 'more span')} landed: known already, or billing nothing" if spans > calls else ""
    yield f"{counted(calls, 'new call')}{rest}."
    unknown, known_usd = totals["unknown_calls"], totals["known_usd"]
    amount = at_least(known_usd) if unknown else money(known_usd)
    yield f"The ledger holds {counted(totals['calls'], 'billed call')}: {amount} USD, {counted(unknown, 'call')} of unknown cost."
    if not replayed.is_settled:
        yield "These totals are still behind: all is stored, but verdicts and rollups are being made. See `spanledger cost` later."
    if replayed.requests["metrics"]:
        yield "Metrics are not kept: money comes from spans and logs."
    if totals["quarantined_spans"]:
        aside = totals["quarantined_spans"]
        yield f"{counted(aside, 'span')} {'is' if aside == 1 else 'are'} kept aside as impossible: `spanledger quarantine list` tells why."
