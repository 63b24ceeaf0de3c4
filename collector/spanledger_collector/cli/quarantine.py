"""`spanledger quarantine`: what could not be booked, why, and a second try."""

import base64
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from clickhouse_connect.driver.client import Client

from spanledger_collector.cli.access import ClickHouseUrl, Json, Store, reading, server_of, writing
from spanledger_collector.cli.delivery import Send, into, over_http
from spanledger_collector.cli.show import Column, as_json, console, print_table
from spanledger_collector.exceptions import InputError, UsageError
from spanledger_collector.quarantine import statement
from spanledger_collector.receiver.door import OtlpRequest
from spanledger_collector.receiver.receiver import BODY_BYTES_MAX
from spanledger_collector.unpacking import unpacked

__all__ = ["app"]

app = typer.Typer(help="See what could not be booked and why, and try again.", no_args_is_help=True)

_SHOWN_BYTES: Final = 400
_ALL_MAX: Final = 100_000
_HEADINGS: Final = ("id", "at", "what", "count", "signal", "tenant", "reason")

_Id = Annotated[str, typer.Argument(help="As `spanledger quarantine list` names it.")]


@app.command("list", short_help="List what is kept aside, and why.")
def list_(
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 50,
    json: Json = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """List what is kept aside: requests that cannot be read, and requests of which spans or log records cannot be."""
    with reading(store, clickhouse) as client:
        rows = _entries(client, limit)
    if json:
        typer.echo(as_json(rows))
    elif rows:
        print_table(console(), [Column(name, name, is_number=name == "count") for name in _HEADINGS], rows)
    else:
        console().print("Nothing is kept aside.")


@app.command(short_help="Show one request that is kept aside.")
def show(id_: _Id, json: Json = False, store: Store = None, clickhouse: ClickHouseUrl = None) -> None:
    """Show one request that is kept aside: its spans with their attributes, or the beginning of its body."""
    number = _number(id_)
    with reading(store, clickhouse) as client:
        requests = _rows(client, "request", number)
        spans = _rows(client, "spans", number)
    if not requests and not spans:
        raise UsageError(f"Nothing with the id {id_} is kept aside. `spanledger quarantine list` shows what is.")
    if json:
        typer.echo(as_json({"request": requests[0] if requests else None, "spans": spans}))
        return
    for request in requests:
        typer.echo("\n".join(_request_lines(request)))
    for span in spans:
        typer.echo("\n".join(f"{name}: {_safe(value)}" for name, value in span.items() if value not in ("", {})) + "\n")


@app.command(short_help="Try again to book what is aside.")
def retry(
    ids: Annotated[list[str] | None, typer.Argument(help="As `list` names them.", show_default=False)] = None,
    everything: Annotated[bool, typer.Option("--all", help="Whatever is kept aside.")] = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Try to book again what is kept aside, for example after an upgrade; what still cannot be stays aside. Exit code 1 if some does."""
    if bool(ids) == everything:
        raise UsageError("Name what to try again, or give --all.")
    wanted = [_number(id_) for id_ in ids or []]
    with _reached(store, clickhouse) as (client, send):
        known = {_number(entry["id"]) for entry in _entries(client, _ALL_MAX)}
        if missing := [number for number in wanted if number not in known]:
            raise UsageError(f"Nothing with the id {missing[0]:016x} is kept aside; nothing was tried.")
        left = [
            f"{number:016x}: {reason}"
            for number in wanted or sorted(known)
            if (reason := _retried(client, send, number))
        ]
    for line in left:
        typer.echo(line, err=True)
    typer.echo(f"Booked: {len(wanted or known) - len(left):,}; still aside: {len(left):,}.")
    if left:
        raise typer.Exit(1)


@contextlib.contextmanager
def _reached(store: Path | None, clickhouse: str | None) -> Iterator[tuple[Client, Send]]:
    serving = server_of(store, clickhouse)
    with (
        writing(store, clickhouse, "quarantine retry") as database,
        contextlib.closing(database.client()) as client,
        over_http(serving) if serving else into(database) as send,
    ):
        yield client, send


def _retried(client: Client, send: Send, number: int) -> str:
    """Try what came with one request again; return why some of it stays aside, empty if nothing does."""
    complaints = [_request_retried(client, send, row) for row in _rows(client, "request", number)]
    complaints += [_spans_retried(client, number)]
    return " ".join(filter(None, complaints))


def _request_retried(client: Client, send: Send, row: dict[str, Any]) -> str:
    if row["kept_bytes"] < row["bytes"]:
        return f"Of its {row['bytes']:,} bytes only the beginning was kept."
    try:
        body = unpacked(base64.b64decode(row["body_base64"]), row["coding"], BODY_BYTES_MAX)
        send(OtlpRequest(row["signal"], row["encoding"], body, row["tenant"])).result()
    except InputError as error:
        return str(error)
    client.command("delete from quarantined_requests where request = {request:UInt64}", {"request": _number(row["id"])})
    return ""


def _spans_retried(client: Client, number: int) -> str:
    rows = _rows(client, "spans", number)
    if not rows:
        return ""
    these = {"request": number, "moment": max(row["received_at"] for row in rows)}
    for signal in {row["signal"] for row in rows}:
        client.command(statement("retry_logs" if signal == "logs" else "retry_spans"), these)
    client.command(
        "delete from quarantined_spans where request = {request:UInt64} and received_at <= {moment:DateTime64(3, 'UTC')}",
        these,
    )
    reasons = sorted({row["reason"] for row in _rows(client, "spans", number)})
    return f"Kept aside: {', '.join(reasons)}." if reasons else ""


def _entries(client: Client, limit: int) -> list[dict[str, Any]]:
    rows = client.query(statement("entries"), {"limit": limit}).named_results()
    return [row | {"at": f"{row['at']:%FT%T}Z", "count": str(row["count"])} for row in rows]


def _rows(client: Client, name: str, number: int) -> list[dict[str, Any]]:
    return list(client.query(statement(name), {"request": number}).named_results())


def _number(id_: str) -> int:
    try:
        number = int(id_, 16)
    except ValueError:
        number = -1
    if not 0 <= number < 1 << 64:
        raise UsageError(f"{id_!r} is no id: `spanledger quarantine list` shows them.")
    return number


def _request_lines(request: dict[str, Any]) -> Iterator[str]:
    body = base64.b64decode(request["body_base64"])
    yield from (f"{name}: {_safe(value)}" for name, value in request.items() if name != "body_base64" and value != "")
    beginning = body[:_SHOWN_BYTES]
    readable = request["encoding"] == "json" and not request["coding"]
    yield f"body: {_safe(beginning.decode(errors='replace')) if readable else beginning.hex(' ')}"
    if len(body) > _SHOWN_BYTES:
        yield f"(the first {_SHOWN_BYTES} bytes; --json prints all of it)"


def _safe(value: object) -> str:
    """Return a text that cannot steer a terminal: it came from anybody."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in str(value))
