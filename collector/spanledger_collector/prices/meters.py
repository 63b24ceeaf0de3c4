"""What a model is priced by: thirteen meters, each a column of the table ``rates``."""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final, NamedTuple

__all__ = ["FEES", "METERS", "METER_NAMES", "PARENTS", "SCALE", "Prices", "rounded"]

SCALE: Final = 24
_UNIT: Final = Decimal(1).scaleb(-SCALE)
# Wide enough for any price that Decimal(38, 24) holds, and then some: quantize must never run out of digits.
_WIDE: Final = Context(prec=100, rounding=ROUND_HALF_EVEN)


class Prices(NamedTuple):
    """A price vector in USD; field names are the column names of ``rates``. Equal by value: 1.0 equals 1.00."""

    input_usd_per_token: Decimal
    cache_read_usd_per_token: Decimal
    cache_write_5m_usd_per_token: Decimal
    cache_write_1h_usd_per_token: Decimal
    output_usd_per_token: Decimal
    request_usd: Decimal
    input_audio_usd_per_token: Decimal
    cache_read_audio_usd_per_token: Decimal
    input_image_usd_per_token: Decimal
    output_reasoning_usd_per_token: Decimal
    output_audio_usd_per_token: Decimal
    output_image_usd_per_token: Decimal
    web_search_usd: Decimal


METERS: Final = Prices._fields
METER_NAMES: Final = {meter.removesuffix("_usd_per_token").removesuffix("_usd"): meter for meter in METERS}
"""The meters by the names that people write: ``input``, ``web_search``."""
FEES: Final = frozenset({"request_usd", "web_search_usd"})
"""Meters that do not count tokens."""

PARENTS: Final[Mapping[str, str]] = {
    "cache_read_usd_per_token": "input_usd_per_token",
    "cache_write_5m_usd_per_token": "input_usd_per_token",
    "cache_write_1h_usd_per_token": "cache_write_5m_usd_per_token",
    "input_audio_usd_per_token": "input_usd_per_token",
    "cache_read_audio_usd_per_token": "cache_read_usd_per_token",
    "input_image_usd_per_token": "input_usd_per_token",
    "output_reasoning_usd_per_token": "output_usd_per_token",
    "output_audio_usd_per_token": "output_usd_per_token",
    "output_image_usd_per_token": "output_usd_per_token",
}
"""Which meter's price is used when a meter has none of its own; a parent stands before its children in ``METERS``."""


def rounded(price_usd: Decimal) -> Decimal:
    """Return the price as ClickHouse will hold it: 24 decimals, half-even."""
    return price_usd.quantize(_UNIT, context=_WIDE)
