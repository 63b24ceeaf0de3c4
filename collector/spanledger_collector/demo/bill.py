"""The vendor's own bill: what each request costs by its price list, whether or not the client was told."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from genai_prices import Usage, calc_price

from spanledger_collector.demo.meters import Meters
from spanledger_collector.demo.wire import Reply

__all__ = ["BillEntry", "bill_entry"]


@dataclass(frozen=True)
class BillEntry:
    """One billed request; `amount_usd` is None for a model without a list price."""

    at: datetime
    api_key: str
    provider: str
    model: str
    model_raw: str
    response_id: str
    service_tier: str | None
    meters: Meters
    amount_usd: Decimal | None
    usage_told: bool


def bill_entry(reply: Reply, meters: Meters, *, at: datetime, api_key: str, usage_told: bool) -> BillEntry:
    """Return the entry for a reply at the list price of that moment.

    The price comes from the genai-prices library itself, not from the ledger's SQL: an independent second path.
    """
    model, amount_usd = list_price(reply, meters, at)
    return BillEntry(
        at=at,
        api_key=api_key,
        provider=reply.provider,
        model=model,
        model_raw=reply.model,
        response_id=reply.response_id,
        service_tier=reply.service_tier,
        meters=meters,
        amount_usd=amount_usd,
        usage_told=usage_told,
    )


def list_price(reply: Reply, meters: Meters, at: datetime) -> tuple[str, Decimal | None]:
    """Return the price list's name of the model, and the amount; None when the list does not have it."""
    try:
        price = calc_price(
            library_usage(meters),
            reply.model,
            provider_id=reply.provider,
            genai_request_timestamp=at,
            price_context={"service_tier": reply.service_tier} if reply.service_tier else None,
        )
    except LookupError:
        return reply.model, None
    return price.model.id, price.total_price


def library_usage(meters: Meters) -> Usage:
    """Return the counts in the library's words; it takes the price of a missing meter from the one above it."""
    counts = {
        "input_tokens": meters.input_tokens,
        "cache_read_tokens": meters.cache_read_tokens,
        "cache_write_tokens": meters.cache_write_tokens,
        "cache_write_1h_tokens": meters.cache_write_1h_tokens,
        "output_tokens": meters.output_tokens,
        "output_reasoning_tokens": meters.reasoning_tokens,
    }
    return Usage(**{name: count for name, count in counts.items() if count})
