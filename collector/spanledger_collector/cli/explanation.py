"""Gathers why the spans of a trace bill or not: verdicts, readings, prices and the origin of tags, as plain data."""

from collections.abc import Mapping
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from spanledger_collector.cli.explanation_prices import PricesOfTrace
from spanledger_collector.cli.statements import rows
from spanledger_collector.zone import stored_zone

__all__ = ["STATES", "TAGS", "explanation"]

TAGS: Final = ("tenant", "team", "feature", "user", "session", "task", "agent", "agent_step", "environment")
STATES: Final = {
    "reported": "the provider's counts",
    "unsplit": "the provider's counts, but not how long the cache keeps what was written",
    "partial": "counts of a call that was cut short, or that lack a part",
    "estimated": "a guess of the emitter",
    "no_usage": "no counts",
    "failed_not_billed": "no counts: turned away",
    "failed_maybe_billed": "no counts: broke off",
    "notional": "counts of a subscription",
}
_MARGIN_SECONDS: Final = 864_000  # a span lasts at most ten days


def explanation(client: Client, trace: str, limit: int) -> list[dict[str, Any]]:
    """Return one entry for each GenAI span of a trace, in order of time; amounts are Decimal, and lines add up to ``sum_usd``."""
    spans = rows(client, "explain_spans", trace=trace, limit=limit, zone=stored_zone(client))
    if not spans:
        return []
    reach = {
        "trace": trace,
        "since": int(spans[0]["ts"].timestamp()) - _MARGIN_SECONDS,
        "until": int(spans[-1]["ts"].timestamp()) + _MARGIN_SECONDS,
    }
    landed = {row["span"]: row for row in rows(client, "explain_landed", **reach)}
    carried = rows(client, "explain_tags", **reach)
    notes = {
        str(name): str(note) for name, note in client.query("select rule, note from usage_rules final").result_rows
    }
    aliases, prices = _aliases(client, spans), PricesOfTrace(client, spans)
    return [_entry(span, landed.get(span["span"]), carried, notes, aliases, prices) for span in spans]


def _entry(
    span: Mapping[str, Any],
    landed: Mapping[str, Any] | None,
    carried: list[dict[str, Any]],
    notes: Mapping[str, str],
    aliases: Mapping[tuple[str, str], str],
    prices: PricesOfTrace,
) -> dict[str, Any]:
    bills = span["verdict"] == "bills"
    rule = str(span["usage_rule"]).split(", ", 1)[0]
    names = (
        "trace",
        "span",
        "parent",
        "role",
        "operation",
        "service",
        "status",
        "error_type",
        "attempts",
        "verdict",
        "reason",
    )
    return {
        **{name: span[name] for name in names},
        "ts": span["ts"],
        "winner": {"trace": span["winner_trace"], "span": span["winner_span"]} if span["winner_span"] else None,
        "reading": {
            "emitter": span["emitter"],
            "scope": f"{landed['scope']} {landed['version']}".strip() if landed else None,
            "rule": span["usage_rule"],
            "note": notes.get(rule, ""),
            "usage_state": span["usage_state"],
            "attributes": _attributes(landed) if landed else None,
        },
        "tokens": {
            name: span[name]
            for name in ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
        },
        "model": {
            name: span[name]
            for name in ("provider_raw", "model_raw", "provider", "model", "service_tier", "account", "region")
        }
        | {"context": span["price_context"], "why": aliases.get((span["provider_raw"], span["model_raw"]), "")},
        "price": prices.of(span) if bills else None,
        "tags": {name: _origin(span, name, carried) for name in TAGS if span[name]},
        "reported_cost_usd": span["reported_cost_usd"],
    }


def _attributes(landed: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return what was read, best name first: later ones for the same field were passed over."""
    seen = set[str]()
    found = []
    for field, attribute, value in landed["known"]:
        found.append({"field": field, "attribute": attribute, "value": value, "used": field not in seen})
        seen.add(field)
    return found


def _origin(span: Mapping[str, Any], name: str, carried: list[dict[str, Any]]) -> dict[str, str]:
    """Return a tag and where it comes from: the span itself, the nearest span above it, or another witness of the call."""
    by_id = {(row["trace"], row["span"]): row for row in carried}
    value, at, seen = str(span[name]), (span["trace"], span["span"]), set[tuple[str, str]]()
    while at in by_id and at not in seen:
        if by_id[at][name] == value:
            where = "own" if at[1] == span["span"] else "above"
            return {"value": value, "from": where, "span": at[1]}
        seen.add(at)
        at = (at[0], by_id[at]["parent"])
    for row in carried:
        if row[name] == value:
            return {"value": value, "from": "another witness", "span": row["span"]}
    return {"value": value, "from": "another witness", "span": ""}


def _aliases(client: Client, spans: list[dict[str, Any]]) -> dict[tuple[str, str], str]:
    """Return for each provider and model as delivered why the price book calls them as it does."""
    found = dict[tuple[str, str], str]()
    for provider, model in {(span["provider_raw"], span["model_raw"]) for span in spans if span["model_raw"]}:
        result = client.query(
            "select model, source, source_version from model_aliases final "
            "where provider_raw = {provider:String} and model_raw = {model:String} order by rank desc limit 1",
            {"provider": provider, "model": model},
        ).result_rows
        if not result:
            found[provider, model] = "not looked up yet"
        elif not result[0][0]:
            found[provider, model] = f"no name of {result[0][1]} {result[0][2]}".strip() + " fits"
        else:
            found[provider, model] = (
                f"by {'your alias' if result[0][1] == 'user' else f'{result[0][1]} {result[0][2]}'.strip()}"
            )
    return found
