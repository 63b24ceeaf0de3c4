"""`spanledger prices update|import|check|diff`: prices from lists and files, and doubts about them."""

from pathlib import Path
from typing import Annotated, Final

import typer
from clickhouse_connect.driver.client import Client

from spanledger_collector.cli.access import ClickHouseUrl, Json, Store, reading
from spanledger_collector.cli.prices_change import Note, Said, Yes, change
from spanledger_collector.cli.show import Column, as_json, console, decimals, money, print_table, user_name
from spanledger_collector.exceptions import PriceError
from spanledger_collector.prices import Override, checked_override
from spanledger_collector.prices.aliases import new_answers
from spanledger_collector.prices.cache import cache_folder, cached_price_list
from spanledger_collector.prices.check import check_book, checked_model, checked_provider
from spanledger_collector.prices.compare import compared, installed_map, read_map
from spanledger_collector.prices.extract import list_version
from spanledger_collector.prices.imports import read_prices
from spanledger_collector.prices.show import list_prices
from spanledger_collector.prices.tables import read_head, rows_of

__all__ = ["age_of", "check", "diff", "import_", "update"]

_SHOWN_MAX: Final = 40
_DOUBTS: Final = (
    Column("model", "model"),
    Column("contract", "contract"),
    Column("context", "context"),
    Column("meter", "meter"),
    Column("why", "why"),
)
_DIFFERENCES: Final = (
    Column("model", "model"),
    Column("meter", "meter"),
    Column("ours", "price book", is_number=True),
    Column("theirs", "LiteLLM", is_number=True),
    Column("spent", "USD in 30 days", is_number=True),
)


def update(
    note: Note = "", yes: Yes = False, json: Json = False, store: Store = None, clickhouse: ClickHouseUrl = None
) -> None:
    """Bring the price book to the installed genai-prices, offline; `pip install -U genai-prices` gets a newer list."""

    def say(client: Client) -> Said:
        version = list_version()
        aliases = new_answers(client, version) if read_head(client).source_version != version else []
        return Said(f"genai-prices {version}", aliases=aliases)

    change(store, clickhouse, say, yes=yes, json=json, note=note)
    if not json:
        with reading(store, clickhouse) as client:
            typer.echo(age_of(client))


def import_(
    file: Annotated[
        Path,
        typer.Argument(help="CSV or JSON: provider, model, unit (per_mtok or per_token), input, output, ..."),
    ],
    force: Annotated[bool, typer.Option("--force", help="Accept prices and names that look wrong.")] = False,
    note: Note = "",
    yes: Yes = False,
    json: Json = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Set the prices of a file, all or none; errors name the row."""

    def say(client: Client) -> Said:
        listed = cached_price_list(cache_folder())

        def right(one: Override) -> Override:
            if not force:
                checked_model(client, checked_provider(client, one.provider, new=True), one.model)
            return checked_override(one, listed, force=force)

        found = read_prices(file, user_name(), right)
        return Said(f"{len(found)} prices of {file.name}", found)

    change(store, clickhouse, say, yes=yes, json=json, note=note)


def check(json: Json = False, store: Store = None, clickhouse: ClickHouseUrl = None) -> None:
    """Look for prices that cannot be right: a thousand times their neighbours or their own meters. Exit code 1 when there are some."""
    with reading(store, clickhouse) as client:
        doubts = check_book(client)
        age = age_of(client)
    if json:
        typer.echo(as_json([vars(one) for one in doubts]))
    elif doubts:
        rows = [{**vars(one), "model": f"{one.provider}/{one.model}"} for one in doubts]
        print_table(console(), _DOUBTS, rows)
    else:
        typer.echo("No price looks wrong.")
    if not json:
        typer.echo(age)
    if doubts:
        raise PriceError(
            f"{len(doubts)} prices cannot be right; `spanledger prices set ... --withdraw` takes one of yours back."
        )


def diff(
    map_file: Annotated[
        Path | None,
        typer.Option("--map", help="LiteLLM's map of prices.", show_default="that of the installed litellm"),
    ] = None,
    json: Json = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Compare the price book with LiteLLM's map, the models that you spend most on first. A second opinion: it changes nothing."""
    entries = read_map(map_file or installed_map())
    with reading(store, clickhouse) as client:
        spent = {(provider, model): usd for provider, model, usd in rows_of(client, "spent")}
        found = compared(list_prices(client), entries, spent)
        age = age_of(client)
    if json:
        typer.echo(as_json([vars(one) for one in found]))
        return
    places = decimals(one.spent_usd for one in found[:_SHOWN_MAX])
    rows = [
        {
            "model": f"{one.provider}/{one.model}",
            "meter": one.meter,
            "ours": f"{one.ours_usd:f}" if one.meter else "",
            "theirs": f"{one.theirs_usd.normalize():f}" if one.theirs_usd is not None else "not there",
            "spent": money(one.spent_usd, places),
        }
        for one in found[:_SHOWN_MAX]
    ]
    print_table(console(), _DIFFERENCES, rows)
    models = {(one.provider, one.model): one.spent_usd for one in found}
    total, doubtful = sum(spent.values()), sum(models.values())
    share = f"{100 * doubtful / total:.1f} %" if total else "nothing"
    typer.echo(
        f"{len(models):,} models differ ({len(found):,} prices, in USD per million tokens); {share} of 30 days' cost is theirs. {age}"
    )


def age_of(client: Client) -> str:
    """Return in a sentence how old the price book is, and what it does not know."""
    [(book, version, days, stale, models, calls, learned_at)] = rows_of(client, "book_status")
    text = f"Price book {book}: genai-prices {version}, in use for {days} days (since {learned_at:%Y-%m-%d})."
    if stale:
        text += " That is old: pip install -U genai-prices, then `spanledger prices update`."
    return text + (f" {models:,} models with {calls:,} calls have no price." if models else "")
