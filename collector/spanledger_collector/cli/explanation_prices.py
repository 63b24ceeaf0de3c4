"""What the billed calls of a trace cost and why: rates, contracts and changes of prices, each read once for the whole trace."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Context, Decimal
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from spanledger_collector.cli.statements import rows
from spanledger_collector.prices.assignments import MATCHED
from spanledger_collector.prices.meters import METERS
from spanledger_collector.prices.tables import as_utc

__all__ = ["MEANINGS", "PricesOfTrace"]

MEANINGS: Final = {
    "priced": "exactly the counts times the price of the day",
    "estimated": "not exactly known, and in no sum",
    "unpriced_model": "the price book has no price for this model",
    "no_usage": "the call succeeded and reported no token counts",
    "failed_not_billed": "the provider turned the request away before it generated anything",
    "failed_maybe_billed": "the call broke off, and the provider may have billed it",
    "notional": "a flat subscription pays; the sum is what it would have cost",
}
_EXACT: Final = Context(prec=100)
_KNOWN: Final = frozenset({"priced", "failed_not_billed", "notional"})
_OF_RATE: Final = (
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
    "more_than_tokens",
    "up_to_tokens",
    "from_minute",
    "to_minute",
)
_OF_AUDIT: Final = ("month", "tenant", "team", "provider", "model")


class PricesOfTrace:
    """Explains the prices of the spans of one trace."""

    def __init__(self, client: Client, spans: Sequence[Mapping[str, Any]]) -> None:
        billed = [span for span in spans if span["verdict"] == "bills"]
        rates = sorted({span[name] for span in billed for name in ("rate_id", "list_rate_id")} - {0})
        contracts = sorted({span["contract"] for span in billed} - {""})
        models = sorted({f"{span['provider']}/{span['model']}" for span in billed})
        self._rates = rows(client, "explain_rates", rates=rates) if rates else []
        self._assignments = rows(client, "explain_assignments", contracts=contracts) if contracts else []
        self._repricings = rows(client, "explain_repricings", models=models) if models else []

    def of(self, span: Mapping[str, Any]) -> dict[str, Any]:
        """Return the price of a billed span; ``lines`` add up to ``sum_usd``, and beside a contract stands what everybody pays."""
        completeness, amount = str(span["completeness"]), Decimal(span["amount_usd"])
        rate, listed = self._rate(span["rate_id"], span), self._rate(span["list_rate_id"], span)
        lines = list(_lines(span["quantities"], rate, listed)) if rate else []
        is_known = completeness in _KNOWN
        return {
            "completeness": completeness,
            "meaning": MEANINGS[completeness],
            "cost_usd": (amount if completeness == "priced" else Decimal(0)) if is_known else None,
            "sum_usd": _sum(line["usd"] for line in lines),
            "list_sum_usd": _sum(line["list_usd"] for line in lines) if listed else None,
            "lines": lines,
            "rate": _shown(rate, span) if rate else None,
            "low_usd": None if is_known else Decimal(span["low_usd"]),
            "high_usd": None if is_known or span["high_usd"] is None else Decimal(span["high_usd"]),
            "contract": self._contract(span),
            "repricings": [one for one in self._repricings if all(one[name] == span[name] for name in _OF_AUDIT)],
        }

    def _rate(self, number: int, span: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return a rate with the span of validity that holds the call, one of its own contract and context if there is one."""
        at = as_utc(span["ts"])
        found = [row for row in self._rates if row["rate_id"] == number]
        valid = [row for row in found if as_utc(row["valid_from"]) <= at < as_utc(row["valid_to"])]
        return min(
            valid or found,
            key=lambda row: (not _fits(row, span), row["contract"] != span["contract"], row["context"] == ""),
            default=None,
        )

    def _contract(self, span: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the contract that a call falls under, and the newest rule that says so; None without one."""
        if not span["contract"]:
            return None
        at, call = as_utc(span["ts"]), {**span, "deployment": span["model_raw"]}
        for one in self._assignments:
            fits = one["contract"] == span["contract"] and all(one[name] in ("", call[name]) for name in MATCHED)
            if fits and as_utc(one["valid_from"]) <= at < as_utc(one["valid_to"]):
                conditions = {name: one[name] for name in MATCHED if one[name]}
                said = {name: one[name] for name in ("created_at", "created_by", "note")}
                return {"name": span["contract"], "for": conditions, **said}
        return {"name": span["contract"], "for": {}}


def _fits(rate: Mapping[str, Any], span: Mapping[str, Any]) -> bool:
    """Tell whether a rate is for an input of that size, at that time of the day."""
    at = as_utc(span["ts"])
    return bool(
        rate["more_than_tokens"] < max(span["input_tokens"], 1)
        and (not rate["up_to_tokens"] or span["input_tokens"] <= rate["up_to_tokens"])
        and rate["from_minute"] <= at.hour * 60 + at.minute < rate["to_minute"]
    )


def _lines(
    quantities: Sequence[int], rate: Mapping[str, Any], listed: Mapping[str, Any] | None
) -> Iterator[dict[str, Any]]:
    for meter, quantity in zip(METERS, quantities, strict=True):
        unit_usd = Decimal(rate[meter])
        list_usd = Decimal(listed[meter]) if listed else unit_usd
        if quantity and (unit_usd or list_usd or meter != "request_usd"):
            yield {
                "meter": meter,
                "quantity": quantity,
                "usd_per_unit": unit_usd,
                "usd": _EXACT.multiply(unit_usd, Decimal(quantity)),
                "list_usd_per_unit": list_usd if listed else None,
                "list_usd": _EXACT.multiply(list_usd, Decimal(quantity)) if listed else None,
            }


def _shown(rate: Mapping[str, Any], span: Mapping[str, Any]) -> dict[str, Any]:
    is_own = span["context_rate_id"] == span["rate_id"]
    return {name: rate[name] for name in _OF_RATE} | {
        "context": span["price_context"] if is_own else "",
        "is_of_its_context": is_own,
    }


def _sum(amounts: Iterator[Decimal]) -> Decimal:
    total = Decimal(0)
    for amount in amounts:
        total = _EXACT.add(total, amount)
    return total
