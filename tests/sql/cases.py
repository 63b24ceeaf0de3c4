"""The table of field cases: telemetry as a peer's users had it, and the right number or the honest unknown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.ledger import Ledger
from tests.otlp import SpanSpec, chat

__all__ = ["UNKNOWN", "USD", "Case", "chat_of", "deliver", "row", "shown"]

USD = Decimal
UNKNOWN: dict[str, Any] = {"cost_usd": None}
Spans = Callable[[float], Sequence[SpanSpec]]


@dataclass(frozen=True)
class Case:
    """One row of the table: what is sent (spans by a start time) and what the view ``calls`` must then hold, in order of time."""

    name: str
    seen_at: str
    spans: Spans
    billed: Sequence[dict[str, Any]]


def row(cost: str | None, completeness: str = "priced", **columns: Any) -> dict[str, Any]:
    """Return what a billed call must show; a cost of None is NULL."""
    return {"cost_usd": None if cost is None else Decimal(cost), "completeness": completeness, **columns}


def chat_of(model: str, provider: str, start: float, tokens: tuple[int, int] | None, **more: Any) -> SpanSpec:
    """Return a call of a model: keyword arguments with two underscores are attributes with dots."""
    fields = {name: more.pop(name) for name in list(more) if name in _FIELDS}
    extra = {name.replace("__", "."): value for name, value in more.items()} | dict(fields.pop("extra", {}))
    names = {"gen_ai.provider.name": provider, "gen_ai.request.model": model, "gen_ai.response.model": model}
    return chat(start, tokens=tokens, extra=names | extra, **fields)


_FIELDS = ("seconds", "trace", "parent", "span", "scope", "version", "error", "extra", "service")


def deliver(ledger: Ledger, cases: Sequence[Case], start: float) -> None:
    """Deliver all cases, each as a service of its own, and bring everything up to date."""
    for case in cases:
        spans = list(case.spans(start))
        for span in spans:
            span.service = case.name
        ledger.deliver(*spans)
    ledger.settled()


def shown(ledger: Ledger, case: Case) -> list[dict[str, Any]]:
    """Return what the ledger shows for a case, in the columns that the case names."""
    columns = sorted({name for expected in case.billed for name in expected}) or ["cost_usd"]
    return ledger.rows(
        f"select {', '.join(columns)} from calls where service = {{case:String}} order by ts, span_id", case=case.name
    )
