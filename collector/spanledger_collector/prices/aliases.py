"""Gives every model name that telemetry brings its name in the price book, in the table ``model_aliases``."""

from collections.abc import Callable
from datetime import datetime

from clickhouse_connect.driver.client import Client

from spanledger_collector.prices.repricing import utc_now
from spanledger_collector.prices.resolve import Resolver, rules_version
from spanledger_collector.prices.tables import Alias, rows_of, write_aliases

__all__ = ["changed_answers", "new_answers", "resolve_new"]


def resolve_new(client: Client, now: Callable[[], datetime] = utc_now) -> list[tuple[str, str]]:
    """Resolve the names in ``model_names`` that this price list and these rules were not asked about yet, and write the answers down.

    Returns the names that now stand for a model, or for another one than before: calls with them must be priced again.
    A name that only an override knows stands for itself.
    """
    version = rules_version()
    before = {(row[0], row[1]): (row[3], row[4]) for row in rows_of(client, "unresolved_names", {"version": version})}
    answers = new_answers(client, version) if before else []
    write_aliases(client, answers, version, now())
    return [one[:2] for one in answers if one.model and before[one[:2]] != one[2:4]]


def changed_answers(client: Client) -> list[Alias]:
    """Return what the list calls names that were resolved by another version of it or of the rules; nothing is written."""
    asked = {tuple(row[:2]) for row in rows_of(client, "unresolved_names", {"version": rules_version()}) if row[2]}
    return [one for one in new_answers(client, rules_version()) if one[:2] in asked] if asked else []


def new_answers(client: Client, version: str) -> list[Alias]:
    """Return what the installed list calls the names that it was not asked about under this version; nothing is written."""
    names = rows_of(client, "unresolved_names", {"version": version})
    if not names:
        return []
    resolver = Resolver()
    own = {(provider, model) for provider, model in rows_of(client, "overridden_models")}
    answers = []
    for provider_raw, model_raw, asked_version, *_ in names:
        provider = resolver.provider(provider_raw) or provider_raw
        found = resolver.resolve(provider_raw, model_raw) or next(
            (name for name in ((provider, model_raw), (provider_raw, model_raw)) if name in own), None
        )
        if found or asked_version != version:
            answers.append(Alias(provider_raw, model_raw, *(found or (provider, ""))))
    return answers
