"""`spanledger explain`: why a span bills or not, and every figure of its cost."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final

import typer
from clickhouse_connect.driver.client import Client
from rich.console import Group
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from spanledger_collector.cli.access import ClickHouseUrl, Json, Store, reading
from spanledger_collector.cli.explanation import STATES, explanation
from spanledger_collector.cli.show import as_json, console, digits
from spanledger_collector.cli.statements import rows
from spanledger_collector.exceptions import InputError, UsageError
from spanledger_collector.prices.segments import DAY_MINUTES

__all__ = ["explain"]

_FIRST: Final = 1970  # where prices without a beginning begin, and where those without an end end
_LAST: Final = 2100
_SHOWN: Final = frozenset(
    {"stream", "finish", "response_id", "service_tier", "processing", "speed", "billing", "http_status"}
)
# Sources of a rate that is made of another one.
_TERMS: Final = {
    "contract": "the contract's terms on",
    "commitment": "the contract's commitment in place of",
    "regional": "the regional uplift on",
}
_DIGITS: Final = re.compile(r"[0-9a-f]{8,32}")


def explain(
    identity: Annotated[
        str, typer.Argument(metavar="ID", help="Trace id or span id, in hex; its first 8 digits or more will do.")
    ],
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=100_000, help="At most so many spans of the trace.")
    ] = 100,
    json: Json = False,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
) -> None:
    """Tell why each GenAI span of a trace bills or not: verdict, tokens, price, the exact sum, and where its tags come from."""
    typed = _hex(identity)
    with reading(store, clickhouse) as client:
        trace, span = _found(client, typed)
        entries = explanation(client, trace, limit)
    shown = [entry for entry in entries if not span or entry["span"].startswith(span)] or entries
    if json:
        typer.echo(as_json({"trace_id": trace, "spans": [_plain(entry) for entry in shown]}))
        return
    screen = console()
    screen.print(_title(trace, entries), soft_wrap=True)
    for tree in _trees(shown):
        screen.print(tree)
    if len(entries) == limit:
        screen.print(f"Only the first {limit:,} spans are read; --limit reads more.")


def _hex(identity: str) -> str:
    typed = identity.strip().lower().removeprefix("0x").replace("-", "")
    if not _DIGITS.fullmatch(typed):
        raise UsageError(
            f"{identity!r} is no trace or span id: 32 or 16 hexadecimal digits, or at least the first 8 of them."
        )
    return typed


def _found(client: Client, typed: str) -> tuple[str, str]:
    """Return the trace, and the digits of the span if a span was meant; InputError when there is none, or more than one."""
    traces = rows(client, "explain_find", digits=typed)
    if len(traces) > 1:
        names = ", ".join(row["trace"] for row in traces[:5])
        raise InputError(
            f"{typed} begins the ids of several traces or of their spans ({names}{', ...' if len(traces) > 5 else ''}); give more digits."
        )
    if traces:
        return str(traces[0]["trace"]), "" if traces[0]["is_trace"] else typed
    known = rows(client, "explain_elsewhere", digits=typed)[0]
    if known["landed"] or known["linked"]:
        raise InputError(
            f"{typed} is known, but no GenAI span: nothing in it is read as a model call or as a span around one. "
            "If it is one, its attributes have names that the ledger does not know."
        )
    raise InputError(
        f"No GenAI span has the id {typed}. Calls are kept {known['kept_days']} days; a span that could not be is in quarantined_spans; "
        "one that was just sent takes a second."
    )


def _plain(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain_value(value) for name, value in entry.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _plain(value)
    if isinstance(value, list):
        return [_plain_value(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _title(trace: str, entries: Sequence[Mapping[str, Any]]) -> Text:
    prices = [entry["price"] for entry in entries if entry["price"]]
    known = sum((price["cost_usd"] for price in prices if price["cost_usd"] is not None), Decimal(0))
    unknown = sum(price["cost_usd"] is None for price in prices)
    words = f"Trace {trace}: {_count(len(entries), 'GenAI span')}, {_count(len(prices), 'billed call')}, {digits(known)} USD"
    return Text(words + (f" known, {_count(unknown, 'call')} of unknown cost" if unknown else ""), style="bold")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _trees(entries: Sequence[Mapping[str, Any]]) -> list[Tree]:
    """Return one tree for each span that has no parent among those shown; a circle is cut where it is met."""
    nodes = {entry["span"]: Tree(_node(entry)) for entry in entries}
    parents = {entry["span"]: entry["parent"] for entry in entries}
    roots = []
    for span, node in nodes.items():
        if parents[span] in nodes and not _is_circular(span, parents):
            nodes[parents[span]].children.append(node)
        else:
            roots.append(node)
    return roots


def _is_circular(span: str, parents: Mapping[str, str]) -> bool:
    seen, at = {span}, parents.get(span, "")
    while at and at in parents and at not in seen:
        seen.add(at)
        at = parents[at]
    return at in seen


def _node(entry: Mapping[str, Any]) -> Group:
    what = " ".join(filter(None, (entry["operation"] or entry["role"], entry["model"]["model_raw"])))
    head = Text(f"{what} ", style="bold").append(
        f"{entry['span']} {entry['service']} {entry['ts']:%Y-%m-%d %H:%M:%S} UTC", style="not bold"
    )
    lines = Table.grid(padding=(0, 1))
    lines.add_column(style="dim", no_wrap=True)
    lines.add_column(overflow="fold")
    for label, words in _lines(entry):
        lines.add_row(label, Text(words))
    return Group(head, lines)


def _lines(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "verdict", f"{entry['verdict']}: {entry['reason']}"
    if entry["winner"]:
        elsewhere = f" of trace {entry['winner']['trace']}" if entry["winner"]["trace"] != entry["trace"] else ""
        yield "instead", f"span {entry['winner']['span']}{elsewhere} bills"
    if entry["status"] == "error" or entry["attempts"] > 1:
        how = (
            f"failed with {entry['error_type'] or 'an error that it does not name'}"
            if entry["status"] == "error"
            else "succeeded"
        )
        yield "call", f"{how}, {_count(entry['attempts'], 'attempt')}"
    yield from _reading(entry["reading"], is_billed=bool(entry["price"]))
    if entry["price"]:
        yield from _model(entry["model"])
        yield from _price(entry["price"])
        if entry["reported_cost_usd"] is not None:
            yield "beside", f"the span itself says {digits(entry['reported_cost_usd'])} USD; that is never summed"
    for name, tag in entry["tags"].items():
        where = tag["from"] if tag["from"] == "own" else f"from {tag['from']} {tag['span']}".strip()
        yield "tag", f"{name} = {tag['value']} ({where})"


def _reading(reading: Mapping[str, Any], *, is_billed: bool) -> Iterator[tuple[str, str]]:
    counts = f"{STATES[reading['usage_state']]}; " if is_billed else ""
    yield "read", f"{counts}rule {reading['rule']}: {reading['note']}"
    if reading["attributes"] is None:
        yield "", "the attributes as delivered have expired; the counts have not"
    for attribute in reading["attributes"] or ():
        if attribute["used"] and (attribute["field"].endswith(("tokens", "_chars")) or attribute["field"] in _SHOWN):
            yield "", f"{attribute['field']} {attribute['value']} <- {attribute['attribute']}"


def _model(model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    raw = f"{model['provider_raw'] or '(none)'} / {model['model_raw'] or '(none)'}"
    name = f"{model['provider']} / {model['model']}"
    yield "model", f"{name}{'' if raw == name else f', delivered as {raw}'}; {model['why']}"
    circumstances = [
        f"{name.replace('_', ' ')} {model[name]}"
        for name in ("context", "service_tier", "account", "region")
        if model[name]
    ]
    if circumstances:
        yield "", ", ".join(circumstances)


def _price(price: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    rate = price["rate"]
    if price["contract"]:
        yield "contract", _contract(price["contract"])
    if rate:
        contract = f"contract {rate['contract']}" if rate["contract"] else "the price for everybody"
        source = (
            "your own prices" if rate["source"] == "override" else f"{rate['source']} {rate['source_version']}".strip()
        )
        if rate["source"] in _TERMS:
            source = f"{_TERMS[rate['source']]} genai-prices {rate['source_version']}"
        yield (
            "price",
            f"rate {rate['rate_id']} of {source}, book {rate['book']}, {contract}, {rate['context'] or 'standard context'}",
        )
        if not rate["is_of_its_context"]:
            yield "", "the call's own context has no price: the standard one stands in"
        yield "", _validity(rate)
        yield from (("", words) for words in _window(rate))
    for line in price["lines"]:
        name = line["meter"].removesuffix("_usd").removesuffix("_usd_per_token").replace("_", " ")
        instead = line["list_usd_per_unit"] not in (None, line["usd_per_unit"])
        beside = f" (instead of {digits(line['list_usd_per_unit'])})" if instead else ""
        yield "", f"{line['quantity']:>12,} {name} x {digits(line['usd_per_unit'])}{beside} = {digits(line['usd'])}"
    if price["lines"]:
        yield "sum", f"{digits(price['sum_usd'])} USD"
    if price["list_sum_usd"] is not None:
        yield "", f"{digits(price['list_sum_usd'])} USD at the price for everybody"
    yield "cost", f"{_cost(price)}; {price['completeness']}: {price['meaning']}"
    yield from (("changed", _repricing(change)) for change in price["repricings"])


def _repricing(change: Mapping[str, Any]) -> str:
    moved = f"{digits(change['old_usd'])} to {digits(change['new_usd'])} USD (book {change['book_to']})"
    whose = f"{_count(change['calls'], 'call')} of this month, model and team"
    return f"{change['at']:%Y-%m-%d} by {change['who']}, {change['why'].rstrip('.')}: {whose} went from {moved}"


def _validity(rate: Mapping[str, Any]) -> str:
    start, end = rate["valid_from"], rate["valid_to"]
    since = f"{start:%Y-%m-%d %H:%M} UTC" if start.year > _FIRST else "the beginning"
    return f"valid from {since} until {f'before {end:%Y-%m-%d %H:%M} UTC' if end.year < _LAST else 'it changes'}"


def _window(rate: Mapping[str, Any]) -> Iterator[str]:
    more, up_to = rate["more_than_tokens"], rate["up_to_tokens"]
    if more or up_to:
        size = " and ".join(
            filter(None, (f"more than {more:,}" if more else "", f"at most {up_to:,}" if up_to else ""))
        )
        yield f"for calls with {size} input tokens, cached ones included: all of such a call has this price"
    if (rate["from_minute"], rate["to_minute"]) != (0, DAY_MINUTES):
        start, end = (f"{minute // 60:02}:{minute % 60:02}" for minute in (rate["from_minute"], rate["to_minute"]))
        yield f"for calls that begin from {start} until before {end} UTC"


def _cost(price: Mapping[str, Any]) -> str:
    if price["cost_usd"] is not None:
        return f"{digits(price['cost_usd'])} USD"
    low = f"at least {digits(price['low_usd'])} USD" if price["low_usd"] else ""
    high = "with no upper bound" if price["high_usd"] is None else f"at most {digits(price['high_usd'])} USD"
    return ", ".join(filter(None, ("unknown", low, high)))


def _contract(contract: Mapping[str, Any]) -> str:
    conditions = ", ".join(f"{name} is {value}" for name, value in contract["for"].items()) or "it holds for every call"
    who = f", set {contract['created_at']:%Y-%m-%d} by {contract['created_by']}" if contract.get("created_by") else ""
    return f"{contract['name']}, because {conditions}{who}{': ' + contract['note'] if contract.get('note') else ''}"
