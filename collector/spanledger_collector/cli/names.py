"""`spanledger names`: what attributes of your own mean, such as `cost_center` for team."""

import contextlib
from typing import Annotated, Any, Final

import typer
from clickhouse_connect.driver.client import Client

from spanledger_collector.cli.access import ClickHouseUrl, Json, Store, reading, writing
from spanledger_collector.cli.show import Column, as_json, console, print_table, user_name
from spanledger_collector.cli.statements import statement
from spanledger_collector.exceptions import UsageError
from spanledger_collector.suggestions import did_you_mean

__all__ = ["app"]

app = typer.Typer(help="Say what attributes of your own mean.", no_args_is_help=True)

_NAME_CHARS_MAX: Final = 256
_OWN: Final = "own"

_Attribute = Annotated[str, typer.Argument(help="Attribute of spans or resources, for example cost_center.")]


@app.command("list", short_help="List which attributes fill each field.")
def list_(
    field: Annotated[str | None, typer.Option(help="Only the names of this field.")] = None,
    own: Annotated[bool, typer.Option("--own", help="Only your own names.")] = False,
    json: Json = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """List the attribute names that fill each field; of several on one span the first listed counts."""
    with reading(store, clickhouse) as client:
        rows = _names(client)
    if field:
        _check_field(field, rows)
    found = [row for row in rows if field in {None, row["field"]} and (not own or row["origin"] == _OWN)]
    if json:
        typer.echo(as_json(found))
    elif found:
        print_table(console(), [Column(name, name) for name in ("field", "name", "origin")], found)
    else:
        console().print("You have set no names. `spanledger names set cost_center team` sets one.", soft_wrap=True)


@app.command("set", short_help="Let an attribute fill a field.")
def set_(
    attribute: _Attribute,
    field: Annotated[str, typer.Argument(help="Field of the ledger that it fills, for example team.")],
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Let an attribute fill a field; it beats every known name, from now on and after upgrades."""
    if not attribute.strip() or len(attribute) > _NAME_CHARS_MAX or not attribute.isprintable():
        raise UsageError(
            f"{attribute!r} is no attribute name; give one of 1 to {_NAME_CHARS_MAX} printable characters."
        )
    with writing(store, clickhouse, "names set") as database, contextlib.closing(database.client()) as client:
        rows = _names(client)
        _check_field(field, rows)
        before = next((row for row in rows if row["name"] == attribute), None)
        _write(client, attribute, field)
    was = f" Until now it filled {before['field']}." if before and before["field"] != field else ""
    typer.echo(f"{attribute} fills {field}, on spans that arrive from now on.{was}")


@app.command(short_help="Take a name of your own back.")
def remove(attribute: _Attribute, store: Store = None, clickhouse: ClickHouseUrl = None) -> None:
    """Take a name of your own back; a known name gets its known meaning again."""
    with writing(store, clickhouse, "names remove") as database, contextlib.closing(database.client()) as client:
        own = [row["name"] for row in _names(client) if row["origin"] == _OWN]
        if attribute not in own:
            hint = did_you_mean(attribute, own, "`spanledger names list --own` shows them.")
            raise UsageError(f"{attribute!r} is no name of your own. {hint}")
        _write(client, attribute, "")
    typer.echo(f"{attribute} no longer has a meaning of your own.")


def _names(client: Client) -> list[dict[str, Any]]:
    return list(client.query(statement("names")).named_results())


def _check_field(field: str, rows: list[dict[str, Any]]) -> None:
    fields = sorted({row["field"] for row in rows})
    if field not in fields:
        there_are = f"There are: {', '.join(fields)}."
        raise UsageError(f"{field!r} is no field of the ledger. {did_you_mean(field, fields, there_are)}")


def _write(client: Client, attribute: str, field: str) -> None:
    client.insert(
        "own_attribute_names", [[attribute, field, user_name()]], column_names=["name", "field", "changed_by"]
    )
    client.command("system reload dictionary attribute_dict")
