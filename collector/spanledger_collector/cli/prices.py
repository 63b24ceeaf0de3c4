"""`spanledger prices`: look at the price book, and set prices."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Annotated, Final

import typer
from clickhouse_connect.driver.client import Client

from spanledger_collector.cli import prices_check, prices_contracts
from spanledger_collector.cli.access import ClickHouseUrl, Json, Store, reading
from spanledger_collector.cli.prices_change import Note, Said, Yes, change
from spanledger_collector.cli.prices_values import FROM, TO, meters, moment
from spanledger_collector.cli.show import Column, as_json, console, print_table, user_name
from spanledger_collector.exceptions import UsageError
from spanledger_collector.prices import Override, PriceLine, checked_override, list_prices
from spanledger_collector.prices import show as show_prices
from spanledger_collector.prices.cache import cache_folder, cached_price_list
from spanledger_collector.prices.check import checked_model, checked_provider

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
_MINUTES_OF_A_DAY: Final = 1440


@app.command("list", short_help="List the prices in force.")
def list_(
    provider: Annotated[str | None, typer.Option(help="Only this provider.")] = None,
    model: Annotated[str | None, typer.Option(help="Only this model.")] = None,
    at: Annotated[
        str | None, typer.Option(help="Prices at this time, for example 2026-01-31.", show_default="now")
    ] = None,
    book: Annotated[
        int, typer.Option("--book", min=0, help="As believed under this price book.", show_default="in force")
    ] = 0,
    json: Json = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """List the prices in force, in USD per million tokens."""
    when = moment(at, "--at") if at else None
    with reading(store, clickhouse) as client:
        lines = list_prices(client, provider=provider, model=model, at=when, book=book)
    _print(lines, json=json)


@app.command(short_help="Show all prices of one model.")
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


@app.command("set", short_help="Set a price of your own.")
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
    since: Annotated[str, typer.Option("--from", help="First moment, on a quarter of an hour (UTC).")] = FROM,
    until: Annotated[str, typer.Option("--to", help="First moment after it.", show_default="for ever")] = TO,
    context: Annotated[str, typer.Option(help="Only in this context, for example service_tier=flex.")] = "",
    contract: Annotated[str, typer.Option(help="Only for calls under this contract.")] = "",
    currency: Annotated[str, typer.Option(help="Currency of the prices; `prices rate` says what it is worth.")] = "USD",
    note: Note = "",
    force: Annotated[bool, typer.Option("--force", help="Accept a price or name that looks wrong.")] = False,
    yes: Yes = False,
    json: Json = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Set a price of your own. It beats the list price within its time; history is priced again after a preview."""
    if bool(price) == withdraw:
        raise UsageError("Give --price, or --withdraw to return to the list price: one of them.")
    amounts, span = meters(price or ()), (moment(since, "--from"), moment(until, "--to"))

    def say(client: Client) -> Said:
        of = provider if force else checked_provider(client, provider, new=True)
        name = model if force else checked_model(client, of, model)
        new = Override(of, name, amounts, *span, contract, context, note, user_name(), currency=currency.upper())
        right = checked_override(new, cached_price_list(cache_folder()), force=force)
        return Said(_told(right), [right])

    change(store, clickhouse, say, yes=yes, json=json, note=note)


app.command("contract", short_help="Say what a contract takes off prices.")(prices_contracts.contract)
app.command("assign", short_help="Say whose calls a contract is for.")(prices_contracts.assign)
app.command("rate", short_help="Say what a currency is worth.")(prices_contracts.rate)
app.add_typer(prices_contracts.aliases, name="alias")
app.command("update", short_help="Take over the installed genai-prices.")(prices_check.update)
app.command("import", short_help="Set the prices of a file, all or none.")(prices_check.import_)
app.command("check", short_help="Look for prices that cannot be right.")(prices_check.check)
app.command("diff", short_help="Compare the prices with LiteLLM's map.")(prices_check.diff)


def _told(override: Override) -> str:
    start = "the beginning" if override.valid_from.year <= _ALWAYS_YEAR else f"{override.valid_from:%Y-%m-%d %H:%M}"
    end = "on" if override.valid_to.year >= _FOREVER_YEAR else f"to {override.valid_to:%Y-%m-%d %H:%M}"
    what = "your price" if override.prices else "the list price"
    whose = f" under {override.contract}" if override.contract else ""
    return (
        f"{override.provider}/{override.model} ({override.context or 'standard'}){whose} has {what} from {start} {end}"
    )


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
    screen.print(f"{heading} USD per million tokens, times in UTC", style="bold", soft_wrap=True)
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
