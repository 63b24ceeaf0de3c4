"""`spanledger prices contract|assign|rate|alias`: what was agreed with a provider, for whom, in which currency, and names of models."""

import contextlib
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final

import typer
from clickhouse_connect.driver.client import Client

from spanledger_collector.cli.access import ClickHouseUrl, Json, Store, reading
from spanledger_collector.cli.prices_change import Note, Said, Yes, change
from spanledger_collector.cli.prices_values import FROM, TO, column_of, moment
from spanledger_collector.cli.show import Column, as_json, console, print_table, user_name
from spanledger_collector.exceptions import UsageError
from spanledger_collector.prices import (
    Alias,
    Assignment,
    CurrencyRate,
    Term,
    checked_assignment,
    checked_currency_rate,
    checked_term,
)
from spanledger_collector.prices.check import checked_provider, known_models
from spanledger_collector.prices.resolve import Resolver
from spanledger_collector.prices.tables import USER, read_agreed, rows_of
from spanledger_collector.suggestions import did_you_mean

__all__ = ["aliases", "assign", "contract", "rate"]

aliases = typer.Typer(help="Say which model of the price book a name stands for.", no_args_is_help=True)
_From = Annotated[str, typer.Option("--from", help="First moment, on a quarter of an hour (UTC).")]
_To = Annotated[str, typer.Option("--to", help="First moment after it.", show_default="for ever")]
_ALIAS_COLUMNS: Final = ("provider_raw", "model_raw", "provider", "model", "source")


def contract(
    name: Annotated[str, typer.Argument(help="Contract, by a name of your own.")],
    discount: Annotated[str | None, typer.Option(help="Percent off; below 0: on top.", show_default=False)] = None,
    committed: Annotated[
        bool, typer.Option("--committed", help="Paid for in advance: a call costs nothing more.")
    ] = False,
    provider: Annotated[str, typer.Option(help="Only models of this provider.")] = "",
    model: Annotated[str, typer.Option(help="Only this model, or a pattern such as gpt-5*.")] = "",
    meter: Annotated[str, typer.Option(help="Only this meter, such as output.")] = "",
    since: _From = FROM,
    until: _To = TO,
    note: Note = "",
    yes: Yes = False,
    json: Json = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Say what a contract takes off the price that everybody pays. The most specific term counts; `assign` says whose calls it is for."""
    if (discount is None) != committed:
        raise UsageError("Give --discount or --committed: one of them.")
    percent = Decimal(100) if committed else _decimal(discount or "", "--discount")
    kind = "commitment" if committed else "discount"

    def say(client: Client) -> Said:
        of = checked_provider(client, provider) if provider else ""
        span = moment(since, "--from"), moment(until, "--to")
        term = Term(name, percent, kind, of, model, column_of(meter) if meter else "", *span, note, user_name())
        what = "is paid for in advance" if committed else f"takes {percent} % off"
        return Said(f"contract {name} {what} ({of or 'all providers'}, {model or 'all models'})", [checked_term(term)])

    change(store, clickhouse, say, yes=yes, json=json, note=note)


def assign(
    contract: Annotated[str, typer.Argument(help="Contract; an empty name takes the calls out of any.")],
    tenant: Annotated[str, typer.Option(help="Only calls of this tenant.")] = "",
    provider: Annotated[str, typer.Option(help="Only calls to this provider.")] = "",
    account: Annotated[str, typer.Option(help="Only calls of this account at the provider.")] = "",
    deployment: Annotated[str, typer.Option(help="Only calls of this deployment (the model as delivered).")] = "",
    environment: Annotated[str, typer.Option(help="Only calls of this environment.")] = "",
    service: Annotated[str, typer.Option(help="Only calls of this service.")] = "",
    since: _From = FROM,
    until: _To = TO,
    note: Note = "",
    yes: Yes = False,
    json: Json = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Put calls under a contract; the rule that asks for more counts, and two that could claim the same call are refused."""

    def say(client: Client) -> Said:
        agreed = read_agreed(client)
        names = {*(one.contract for one in agreed.terms), *(one.contract for one in agreed.overrides)} - {""}
        if contract and contract not in names:
            hint = did_you_mean(contract, names, "`spanledger prices contract` or `prices set --contract` makes one.")
            raise UsageError(f"There is no contract {contract}. {hint}")
        of = checked_provider(client, provider) if provider else ""
        if tenant:
            _hint_at_tenant(client, tenant)
        span = moment(since, "--from"), moment(until, "--to")
        new = Assignment(contract, tenant, of, account, deployment, environment, service, *span, note, user_name())
        whose = ", ".join(f"{key} {value}" for key, value in new.asks.items())
        return Said(f"{contract or 'no contract'} for {whose}", [checked_assignment(new, agreed.assignments)])

    change(store, clickhouse, say, yes=yes, json=json, note=note)


def rate(
    currency: Annotated[str, typer.Argument(help="ISO 4217 code, such as EUR.")],
    since: Annotated[str, typer.Argument(metavar="DATE", help="First moment; it holds until the next rate.")],
    usd: Annotated[str, typer.Argument(help="What one unit is worth, USD.")],
    note: Note = "",
    yes: Yes = False,
    json: Json = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Say what a currency is worth from a date on; prices that were set in it follow."""
    at = moment(since, "DATE")
    new = checked_currency_rate(CurrencyRate(currency.upper(), at, _decimal(usd, "USD"), note, user_name()))
    said = Said(f"1 {new.currency} is {new.usd} USD from {at:%Y-%m-%d}", [new])
    change(store, clickhouse, lambda _: said, yes=yes, json=json, note=note)


@aliases.command("set", short_help="Say what a name stands for.")
def alias_set(
    provider_raw: Annotated[str, typer.Argument(metavar="PROVIDER", help="Provider as the spans say.")],
    model_raw: Annotated[
        str, typer.Argument(metavar="MODEL", help="Model as the spans say: a deployment, an ARN, ...")
    ],
    to: Annotated[tuple[str, str], typer.Option("--to", help="Provider and model of the price book.")],
    note: Note = "",
    yes: Yes = False,
    json: Json = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Say which model of the price book a name stands for: an Azure deployment, an inference profile, a model behind a gateway."""

    def say(client: Client) -> Said:
        provider = checked_provider(client, to[0])
        models = known_models(client, provider)
        found = to[1] if to[1] in models else (Resolver().resolve(provider, to[1]) or ("", ""))[1]
        if found not in models:
            hint = did_you_mean(to[1], models, "Set a price for it first.")
            raise UsageError(f"The price book has no {provider}/{to[1]}. {hint}")
        new = Alias(provider_raw.lower(), model_raw, provider, found, USER)
        is_said = tuple(new) in {tuple(row) for row in rows_of(client, "aliases")}
        return Said(f"{provider_raw}/{model_raw} is {provider}/{found}", aliases=[] if is_said else [new])

    change(store, clickhouse, say, yes=yes, json=json, note=note)


@aliases.command("list", short_help="List what names stand for.")
def alias_list(json: Json = False, store: Store = None, clickhouse: ClickHouseUrl = None) -> None:
    """List what names as delivered stand for; an empty model has no price."""
    with reading(store, clickhouse) as client:
        rows = [dict(zip(_ALIAS_COLUMNS, row, strict=True)) for row in rows_of(client, "aliases")]
    if json:
        typer.echo(as_json(rows))
        return
    headings = ("provider", "model as delivered", "stands for", "model", "source")
    print_table(console(), [Column(key, text) for key, text in zip(_ALIAS_COLUMNS, headings, strict=True)], rows)


@aliases.command("remove", short_help="Take an alias of your own back.")
def alias_remove(
    provider_raw: Annotated[str, typer.Argument(metavar="PROVIDER", help="Provider as the spans say.")],
    model_raw: Annotated[str, typer.Argument(metavar="MODEL", help="Model as the spans say.")],
    note: Note = "",
    yes: Yes = False,
    json: Json = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Take an alias of your own back: the name stands again for what the price list says, if it says anything."""

    def say(client: Client) -> Said:
        own = {tuple(row[:2]) for row in rows_of(client, "aliases") if row[-1] == USER}
        name = (provider_raw.lower(), model_raw)
        if name not in own:
            raise UsageError(
                f"{provider_raw}/{model_raw} is no alias of yours; `spanledger prices alias list` shows them."
            )
        found = Resolver().resolve(*name) or (Resolver().provider(provider_raw) or name[0], "")
        return Said(f"{provider_raw}/{model_raw} is no alias any more", aliases=[Alias(*name, *found)])

    change(store, clickhouse, say, yes=yes, json=json, note=note)


def _hint_at_tenant(client: Client, tenant: str) -> None:
    """Say where no call names a tenant, which may be a slip of the pen, or one who is to come."""
    known = {row[0] for row in rows_of(client, "known_tenants")}
    if tenant not in known:
        typer.echo(f"No call names the tenant {tenant} so far. {did_you_mean(tenant, known)}".strip(), err=True)


def _decimal(text: str, option: str) -> Decimal:
    with contextlib.suppress(InvalidOperation):
        return Decimal(text)
    raise UsageError(f"{option}: {text!r} is no number; write 12.5.")
