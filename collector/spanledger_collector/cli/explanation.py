"""Gathers why the spans of a trace bill or not: verdicts, readings, prices and the origin of tags, as plain data."""

from collections.abc import Iterator, Mapping
from decimal import Context, Decimal
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from spanledger_collector.cli.statements import statement
from spanledger_collector.prices.assignments import MATCHED
from spanledger_collector.prices.meters import METERS
from spanledger_collector.zone import stored_zone

__all__ = ["MEANINGS", "STATES", "TAGS", "explanation", "rows"]

TAGS: Final = ("tenant", "team", "feature", "user", "session", "task", "agent", "agent_step", "environment")
MEANINGS: Final = {
    "priced": "exactly the counts times the price of the day",
    "estimated": "not exactly known, and in no sum",
    "unpriced_model": "the price book has no price for this model",
    "no_usage": "the call succeeded and reported no token counts",
    "failed_not_billed": "the provider turned the request away before it generated anything",
    "failed_maybe_billed": "the call broke off, and the provider may have billed it",
    "notional": "a flat subscription pays; the sum is what it would have cost",
}
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
_EXACT: Final = Context(prec=100)
_KNOWN: Final = frozenset({"priced", "failed_not_billed", "notional"})
_MARGIN_SECONDS: Final = 864_000  # a span lasts at most ten days


def rows(client: Client, name: str, **parameters: object) -> list[dict[str, Any]]:
    """Return the rows of one of the commands' statements."""
    return list(client.query(statement(name), parameters).named_results())


def explanation(client: Client, trace: str, limit: int) -> list[dict[str, Any]]:
    """Return one entry for each GenAI span of a trace, in order of time; amounts are Decimal, and lines add up to ``sum_usd``."""
    spans = rows(client, "explain_spans", trace=trace, limit=limit)
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
    aliases, zone = _aliases(client, spans), stored_zone(client)
    return [_entry(client, span, landed.get(span["span"]), carried, notes, aliases, zone) for span in spans]


def _entry(
    client: Client,
    span: Mapping[str, Any],
    landed: Mapping[str, Any] | None,
    carried: list[dict[str, Any]],
    notes: Mapping[str, str],
    aliases: Mapping[tuple[str, str], str],
    zone: str,
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
        "price": _price(client, span, zone) if bills else None,
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


def _price(client: Client, span: Mapping[str, Any], zone: str) -> dict[str, Any]:
    completeness, amount = str(span["completeness"]), Decimal(span["amount_usd"])
    lines = list[dict[str, Any]]()
    rate: dict[str, Any] | None = None
    if span["rate_id"]:
        rate = rows(client, "explain_rates", rate=span["rate_id"], at=int(span["ts"].timestamp()))[0]
        lines = list(_lines(span["quantities"], rate))
    total = Decimal(0)
    for line in lines:
        total = _EXACT.add(total, line["usd"])
    is_known = completeness in _KNOWN
    return {
        "completeness": completeness,
        "meaning": MEANINGS[completeness],
        "cost_usd": (amount if completeness == "priced" else Decimal(0)) if is_known else None,
        "sum_usd": total,
        "lines": lines,
        "rate": _rate(rate, span) if rate else None,
        "low_usd": None if is_known else Decimal(span["low_usd"]),
        "high_usd": None if is_known or span["high_usd"] is None else Decimal(span["high_usd"]),
        "contract": _contract(client, span),
        "repricings": rows(client, "explain_repricings", **_of_call(span), zone=zone),
    }


def _contract(client: Client, span: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the contract that a call falls under, and the rule that says so; None without one."""
    if not span["contract"]:
        return None
    found = rows(client, "explain_assignments", **_of_call(span), contract=span["contract"])
    conditions = {name: found[0][name] for name in MATCHED if found[0][name]} if found else {}
    said = {name: found[0][name] for name in ("created_at", "created_by", "note")} if found else {}
    return {"name": span["contract"], "for": conditions, **said}


def _of_call(span: Mapping[str, Any]) -> dict[str, Any]:
    names = ("tenant", "team", "provider", "model", "account", "environment", "service")
    return {name: span[name] for name in names} | {"deployment": span["model_raw"], "at": int(span["ts"].timestamp())}


def _lines(quantities: list[int], rate: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for meter, quantity in zip(METERS, quantities, strict=True):
        unit_usd = Decimal(rate[meter])
        if quantity and (unit_usd or meter != "request_usd"):
            yield {
                "meter": meter,
                "quantity": quantity,
                "usd_per_unit": unit_usd,
                "usd": _EXACT.multiply(unit_usd, Decimal(quantity)),
            }


def _rate(rate: Mapping[str, Any], span: Mapping[str, Any]) -> dict[str, Any]:
    names = (
        "rate_id",
        "provider",
        "model",
        "source",
        "source_version",
        "learned_at",
        "contract",
        "book",
        "valid_from",
        "valid_to",
    )
    return {name: rate[name] for name in names} | {
        "context": span["price_context"] if span["context_rate_id"] == span["rate_id"] else "",
        "is_of_its_context": span["context_rate_id"] == span["rate_id"],
    }


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
