"""`spanledger prices`: look at the price book, and set prices."""

import contextlib
import os
from collections.abc import Sequence
from datetime import UTC, datetime, time
from decimal import Decimal
from getpass import getuser
from typing import Annotated, Final

import typer

from spanledger_collector.cli.access import ClickHouseUrl, Json, Store, reading, writing
from spanledger_collector.cli.show import Column, as_json, console, print_table, working
from spanledger_collector.exceptions import UsageError
from spanledger_collector.prices import PRICE_NAMES, Override, PriceLine, list_prices, set_override
from spanledger_collector.prices import show as show_prices
from spanledger_collector.refresh import mark_all, settle

__all__ = ["app"]

app = typer.Typer(help="Look at the price book, and set prices.", no_args_is_help=True)

_MTOK: Final = "_usd_per_mtok"
_MAIN: Final = {
    "input": "input",
    "cache_read": "cached",
    "cache_write_5m": "write 5m",
    "cache_write_1h": "write 1h",
    "output": "output",
}
_LIKE_INPUT: Final = ("cached", "write 5m", "write 1h")
_LISTED: Final = "genai-prices"
_ALL: Final = "--json has all meters."
_ALWAYS_YEAR: Final = 1970
_FOREVER_YEAR: Final = 2100
_LAST_YEAR: Final = 2106
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
    moment = _time(at, "--at") if at else None
    with reading(store, clickhouse) as client:
        lines = list_prices(client, provider=provider, model=model, at=moment)
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
        list[str] | None,
        typer.Option(
            "--price",
            help="METER=USD per million tokens: --price input=1.25 --price output=10; request and web_search are for one.",
            show_default=False,
        ),
    ] = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Return to the list price instead.")] = False,
    since: Annotated[str, typer.Option("--from", help="First moment, on a quarter of an hour (UTC).")] = "1970-01-01",
    until: Annotated[str, typer.Option("--to", help="First moment after it.", show_default="for ever")] = "2106-01-01",
    context: Annotated[str, typer.Option(help="Only in this context, for example service_tier=flex.")] = "",
    note: Annotated[str, typer.Option(help="Why.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Accept a price that looks wrong.")] = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Set a price of your own. It beats the list price within its time, and history is priced again."""
    if bool(price) == withdraw:
        raise UsageError("Give --price, or --withdraw to return to the list price: one of them.")
    override = Override(
        provider,
        model,
        _meters(price or ()),
        valid_from=_time(since, "--from"),
        valid_to=_time(until, "--to"),
        context=context,
        note=note,
        created_by=_user(),
    )
    with writing(store, clickhouse, "prices set") as database, contextlib.closing(database.client()) as client:
        report = set_override(client, override, force=force)
        mark_all(client)
        if database.target.kind == "embedded":
            with working("Pricing history again"):
                settle(client)
    typer.echo(
        f"Price book {report.book}: {_told(override)} History is priced by it; other contexts keep their prices."
    )


def _told(override: Override) -> str:
    start = "the beginning" if override.valid_from.year <= _ALWAYS_YEAR else f"{override.valid_from:%Y-%m-%d %H:%M}"
    end = "on" if override.valid_to.year >= _FOREVER_YEAR else f"to {override.valid_to:%Y-%m-%d %H:%M}"
    what = "your price" if override.prices else "the list price"
    return f"{override.provider}/{override.model} ({override.context or 'standard'}) has {what} from {start} {end}."


def _meters(prices: Sequence[str]) -> dict[str, Decimal]:
    columns = {name.removesuffix(_MTOK).removesuffix("_usd"): name for name in PRICE_NAMES}
    meters: dict[str, Decimal] = {}
    for text in prices:
        meter, _, amount = text.partition("=")
        if meter not in columns:
            raise UsageError(f"--price: {meter!r} is no meter. There are: {', '.join(columns)}.")
        is_per_million = columns[meter].endswith(_MTOK)
        name = columns[meter].replace(_MTOK, "_usd_per_token")
        if name in meters:
            raise UsageError(f"--price: {meter} is given twice; give each meter once.")
        try:
            meters[name] = Decimal(amount).scaleb(-6 if is_per_million else 0)
        except ArithmeticError as error:
            raise UsageError(
                f"--price: {amount!r} is no amount; write {meter}=1.25 for 1.25 USD per million tokens."
            ) from error
    return meters


def _time(text: str, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{option}: {text!r} is no time; write 2026-11-01 or 2026-11-01T16:30.") from error
    if not _ALWAYS_YEAR <= moment.year <= _LAST_YEAR:
        raise UsageError(f"{option}: {text!r} is outside {_ALWAYS_YEAR} to {_LAST_YEAR}.")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _print(lines: Sequence[PriceLine], *, json: bool) -> None:
    if json:
        typer.echo(as_json([{**vars(line), "prices": dict(line.prices)} for line in lines]))
        return
    screen = console()
    if not lines:
        screen.print("No prices match.", soft_wrap=True)
        return
    cells = [_cells(line) for line in lines]
    # A column that would be empty is left out; what is the same in all rows is said once.
    same = [name for name in ("provider", "model") if len(cells) > 1 and len({cell[name] for cell in cells}) == 1]
    names = [name for name in cells[0] if name not in same and any(cell[name] for cell in cells)]
    heading = " ".join([*(cells[0][name] for name in same), "in"]) if same else "Prices in"
    screen.print(f"{heading} USD per million tokens, times in UTC", style="bold", markup=False, soft_wrap=True)
    print_table(screen, [Column(name, name, name in _MAIN.values()) for name in names], cells)
    screen.print(f"{len(lines):,} prices. An empty cached or write price is the one for input. {_ALL}", soft_wrap=True)


def _cells(line: PriceLine) -> dict[str, str]:
    usual = line.prices["input" + _MTOK]
    prices = {heading: line.prices[meter + _MTOK] for meter, heading in _MAIN.items()}
    return {
        "provider": line.provider,
        "model": line.model,
        "context": line.context.replace(",", ", "),
        "from": "" if line.valid_from.year <= _ALWAYS_YEAR else _day(line.valid_from),
        "to": "" if line.valid_to.year >= _FOREVER_YEAR else _day(line.valid_to),
        "for calls": _size(line),
        **{name: "" if price == usual and name in _LIKE_INPUT else f"{price:f}" for name, price in prices.items()},
        "source": "" if line.source == _LISTED else line.source,
    }


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}" if moment.time() == time.min else f"{moment:%Y-%m-%d %H:%M}"


def _size(line: PriceLine) -> str:
    size = f"> {_tokens(line.above_tokens)} in" if line.above_tokens else ""
    if (line.from_minute, line.to_minute) == (0, _MINUTES_OF_A_DAY):
        return size
    clock = "{:02}:{:02}-{:02}:{:02}".format(*divmod(line.from_minute, 60), *divmod(line.to_minute, 60))
    return f"{size} {clock}".strip()


def _tokens(count: int) -> str:
    return f"{count:,}" if count % 1000 else f"{count // 1000:,}k"


def _user() -> str:
    try:
        return getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"uid {os.getuid()}"
