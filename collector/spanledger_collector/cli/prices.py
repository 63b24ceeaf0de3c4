"""`spanledger prices`: look at the price book, and set prices."""

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from getpass import getuser
from typing import Annotated, Final

import typer
from rich.table import Table

from spanledger_collector.cli.access import ClickHouseUrl, Json, Store, opened, reading
from spanledger_collector.cli.show import as_json, console
from spanledger_collector.exceptions import UsageError
from spanledger_collector.prices import PRICE_NAMES, Override, PriceLine, list_prices, set_override
from spanledger_collector.prices import show as show_prices
from spanledger_collector.refresh import mark_all, settle

__all__ = ["app"]

app = typer.Typer(help="Look at the price book, and set prices.", no_args_is_help=True)

_MTOK: Final = "_usd_per_mtok"
_MAIN: Final = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")
_ALWAYS_YEAR: Final = 1970
_FOREVER_YEAR: Final = 2100
_MINUTES_OF_A_DAY: Final = 1440


@app.command("list")
def list_(
    provider: Annotated[str | None, typer.Option(help="Only this provider.")] = None,
    model: Annotated[str | None, typer.Option(help="Only this model.")] = None,
    at: Annotated[
        str | None, typer.Option(help="Prices at this time, for example 2026-01-31.", show_default="now")
    ] = None,
    json: Json = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """List the prices in force, in USD per million tokens."""
    with reading(store, clickhouse) as client:
        lines = list_prices(client, provider=provider, model=model, at=_time(at, "--at") if at else None)
    _print(lines, json=json)


@app.command()
def show(
    provider: Annotated[str, typer.Argument(help="Provider, for example openai.")],
    model: Annotated[str, typer.Argument(help="Model, by any of its names.")],
    json: Json = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Show all prices of one model, past and coming, in USD per million tokens."""
    with reading(store, clickhouse) as client:
        lines = show_prices(client, provider, model)
    _print(lines, json=json)


@app.command("set")
def set_(
    provider: Annotated[str, typer.Argument(help="Provider, for example openai.")],
    model: Annotated[str, typer.Argument(help="Model as the price book calls it, or a new one.")],
    price: Annotated[
        list[str],
        typer.Option(
            "--price",
            help="METER=USD per million tokens, repeatable: input=1.25 output=10 cache_read=0.125; request and web_search are for one.",
        ),
    ],
    since: Annotated[str, typer.Option("--from", help="First moment, on a quarter of an hour (UTC).")] = "1970-01-01",
    until: Annotated[str, typer.Option("--to", help="First moment after it.", show_default="for ever")] = "2106-01-01",
    context: Annotated[str, typer.Option(help="Only in this context, for example service_tier=flex.")] = "",
    note: Annotated[str, typer.Option(help="Why.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Accept a price that looks wrong.")] = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Set a price of your own. It beats the list price within its time, and history is priced again."""
    override = Override(
        provider,
        model,
        _meters(price),
        valid_from=_time(since, "--from"),
        valid_to=_time(until, "--to"),
        context=context,
        note=note,
        created_by=getuser(),
    )
    with opened(store, clickhouse, "prices set") as database, contextlib.closing(database.client()) as client:
        report = set_override(client, override, force=force)
        mark_all(client)
        if database.target.kind == "embedded":
            settle(client)
    typer.echo(
        f"Price book {report.book}: {report.new_rates} new rates, {report.overrides} overrides. History is priced by it."
    )


def _meters(prices: Sequence[str]) -> dict[str, Decimal]:
    columns = {name.removesuffix(_MTOK).removesuffix("_usd"): name for name in PRICE_NAMES}
    meters = {}
    for text in prices:
        meter, _, amount = text.partition("=")
        if meter not in columns:
            raise UsageError(f"--price: {meter!r} is no meter. There are: {', '.join(columns)}.")
        try:
            per_million = Decimal(amount)
        except InvalidOperation as error:
            raise UsageError(
                f"--price: {amount!r} is no amount; write {meter}=1.25 for 1.25 USD per million tokens."
            ) from error
        name = columns[meter]
        meters[name.replace(_MTOK, "_usd_per_token")] = per_million.scaleb(-6) if name.endswith(_MTOK) else per_million
    return meters


def _time(text: str, option: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{option}: {text!r} is no time; write 2026-11-01 or 2026-11-01T16:30.") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _print(lines: Sequence[PriceLine], *, json: bool) -> None:
    if json:
        typer.echo(as_json([{**vars(line), "prices": dict(line.prices)} for line in lines]))
        return
    shown = [_cells(line) for line in lines]
    table = Table(title="USD per million tokens; times in UTC", title_justify="left")
    # A column that would be empty is left out.
    names = [name for name in (shown[0] if shown else {}) if any(cells[name] for cells in shown)]
    for name in names:
        table.add_column(
            name, justify="right" if name in _MAIN else "left", no_wrap=name in {"model", *_MAIN}, overflow="fold"
        )
    for cells in shown:
        table.add_row(*(cells[name] for name in names))
    table.caption = f"{len(lines)} prices" if lines else "No prices match."
    console().print(table)


def _cells(line: PriceLine) -> dict[str, str]:
    return {
        "provider": line.provider,
        "model": line.model,
        "context": line.context.replace(",", ", "),
        "from": "" if line.valid_from.year <= _ALWAYS_YEAR else f"{line.valid_from:%Y-%m-%d %H:%M}",
        "to": "" if line.valid_to.year >= _FOREVER_YEAR else f"{line.valid_to:%Y-%m-%d %H:%M}",
        "for calls": _size(line),
        **{name: f"{line.prices[name + _MTOK]:f}" for name in _MAIN},
        "source": line.source,
    }


def _size(line: PriceLine) -> str:
    size = f"> {line.above_tokens:,} input tokens" if line.above_tokens else ""
    if (line.from_minute, line.to_minute) == (0, _MINUTES_OF_A_DAY):
        return size
    clock = "{:02}:{:02}-{:02}:{:02}".format(*divmod(line.from_minute, 60), *divmod(line.to_minute, 60))
    return f"{size} {clock}".strip()
