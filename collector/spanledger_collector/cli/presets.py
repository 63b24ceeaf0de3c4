"""`spanledger anomalies preset` and `spanledger anomalies thresholds`: how easily detection tells."""

from collections.abc import Sequence
from contextlib import closing
from typing import Annotated

import typer

from spanledger_collector.anomalies import PRESETS, chosen_preset
from spanledger_collector.anomalies.presets import Threshold, all_thresholds, choose_preset, set_threshold
from spanledger_collector.cli.access import ClickHouseUrl, Json, Store, reading, writing
from spanledger_collector.cli.show import Column, as_json, console, print_table
from spanledger_collector.exceptions import UsageError

__all__ = ["preset", "thresholds"]


def preset(
    name: Annotated[
        str | None, typer.Argument(help="quiet, balanced or sensitive.", show_default="show the present one")
    ] = None,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Show the preset that detection runs with, or choose another; `spanledger backtest` tells what each would have found."""
    if name is None:
        with reading(store, clickhouse) as client:
            typer.echo(
                f"Detection runs with {chosen_preset(client)}. `spanledger backtest` tells what each preset would have found."
            )
        return
    with writing(store, clickhouse, "spanledger anomalies preset") as database, closing(database.client()) as client:
        choose_preset(client, name)
    typer.echo(
        f"Detection runs with {name} from its next pass on. `spanledger backtest --preset {name}` tells what it would have found."
    )


def thresholds(
    rule: Annotated[str | None, typer.Argument(help="Rule to change.", show_default="show all")] = None,
    value: Annotated[
        float | None, typer.Argument(help="Beyond which value it fires.", show_default=False, min=0)
    ] = None,
    of_preset: Annotated[str, typer.Option("--preset", help="Preset to change.", show_default="the present one")] = "",
    shipped: Annotated[bool, typer.Option("--shipped", help="Take the rule's shipped threshold again.")] = False,
    json: Json = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Show beyond which value each rule fires, or set one of your own: it replaces the shipped one, and survives upgrades."""
    if rule is None:
        with reading(store, clickhouse) as client:
            _print(all_thresholds(client), json=json)
        return
    if (value is None) != shipped:
        raise UsageError(f"Give the value beyond which {rule} fires, or --shipped.")
    with (
        writing(store, clickhouse, "spanledger anomalies thresholds") as database,
        closing(database.client()) as client,
    ):
        name = of_preset or chosen_preset(client)
        set_threshold(client, name, rule, value)
    typer.echo(f"{rule} of {name}: {'as shipped' if value is None else f'{value:g}'}, from the next pass on.")


def _print(found: Sequence[Threshold], *, json: bool) -> None:
    if json:
        typer.echo(as_json([vars(threshold) for threshold in found]))
        return
    rows: dict[str, dict[str, str]] = {}
    for threshold in found:
        own = f"{threshold.own:g} (shipped: {threshold.shipped:g})" if threshold.own is not None else ""
        rows.setdefault(threshold.rule, {"rule": threshold.rule})[threshold.preset] = own or f"{threshold.shipped:g}"
    columns = [Column("rule", "rule"), *(Column(name, name, is_number=True) for name in PRESETS)]
    print_table(console(), columns, list(rows.values()))
