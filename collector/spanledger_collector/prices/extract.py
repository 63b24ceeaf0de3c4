"""Reads the whole of genai-prices into dated segments, by asking the library wherever a price can change.

Nothing of the library's arithmetic is repeated here: which meter is charged at which price (a reasoning token of a
model without a reasoning price costs what output costs, and so on) is what its ``calc_price`` answers.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, localcontext
from typing import Final

import genai_prices
from genai_prices import Usage
from genai_prices.data import providers as bundled_providers
from genai_prices.data_units import unit_data
from genai_prices.types import (
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
    calc_unit_price,
)

from spanledger_collector.exceptions import PriceError
from spanledger_collector.prices.meters import Prices
from spanledger_collector.prices.segments import (
    DAY_MINUTES,
    END,
    START,
    Key,
    Segment,
    Window,
    candidates_of,
    context_of,
    joined,
)

__all__ = ["USAGE_KEYS", "PriceList", "extract", "list_version", "meter_usage"]

USAGE_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "input_usd_per_token": ("input_tokens",),
    "cache_read_usd_per_token": ("input_tokens", "cache_read_tokens"),
    "cache_write_5m_usd_per_token": ("input_tokens", "cache_write_tokens", "cache_write_5m_tokens"),
    "cache_write_1h_usd_per_token": ("input_tokens", "cache_write_tokens", "cache_write_1h_tokens"),
    "output_usd_per_token": ("output_tokens",),
    "input_audio_usd_per_token": ("input_tokens", "input_audio_tokens"),
    "cache_read_audio_usd_per_token": (
        "input_tokens",
        "cache_read_tokens",
        "input_audio_tokens",
        "cache_audio_read_tokens",
    ),
    "input_image_usd_per_token": ("input_tokens", "input_image_tokens"),
    "output_reasoning_usd_per_token": ("output_tokens", "output_reasoning_tokens"),
    "output_audio_usd_per_token": ("output_tokens", "output_audio_tokens"),
    "output_image_usd_per_token": ("output_tokens", "output_image_tokens"),
    "web_search_usd": ("web_searches",),
}
"""The library's usage keys that one unit of a meter counts towards; a request counts by itself."""

# Every price gets this many decimal digits of the probe's total, 32 of them behind the point; see _probed.
_PLACE_DIGITS: Final = 64
_POINT_DIGITS: Final = 32
_PROBED: Final = ("request_usd", *USAGE_KEYS)
_NO_USAGE: Final = {key: 0 for key in unit_data if key != "requests"}
_QUARTER_HOUR_MINUTES: Final = 15
_PRICED_BY: Final = ("input_mtok", "output_mtok", "requests_kcount")

_Frozen = tuple[tuple[str, object], ...]


@dataclass(frozen=True)
class PriceList:
    """The segments of one version of genai-prices, and the models it lists without a price for tokens."""

    version: str
    segments: tuple[Segment, ...]
    unpriced_models: tuple[tuple[str, str], ...]


def list_version() -> str:
    """Return the version of the installed list."""
    return genai_prices.__version__


def extract(providers: Sequence[Provider] = bundled_providers) -> PriceList:
    """Return all prices of the list; PriceError when it holds a kind of condition that this release does not know."""
    reader = _Reader()
    segments: list[Segment] = []
    unpriced: list[tuple[str, str]] = []
    for provider, model, is_own in _models(providers):
        found = list(reader.segments(provider.id, model, is_own=is_own))
        segments += found
        if not found:
            unpriced.append((provider.id, model.id))
    return PriceList(list_version(), tuple(segments), tuple(unpriced))


def meter_usage(quantities: Mapping[str, int]) -> Usage:
    """Return the library's usage for disjoint quantities per meter, as the ledger counts them."""
    counts: dict[str, int] = {}
    for meter, quantity in quantities.items():
        for key in USAGE_KEYS[meter]:
            counts[key] = counts.get(key, 0) + quantity
    return Usage(**counts)


def _models(providers: Sequence[Provider]) -> Iterator[tuple[Provider, ModelInfo, bool]]:
    """Yield each provider's own models, then those it sells of others (Azure: OpenAI's; Google: Anthropic's)."""
    by_id = {provider.id: provider for provider in providers}
    for provider in providers:
        own = {model.id for model in provider.models}
        yield from ((provider, model, True) for model in provider.models)
        for other in provider.fallback_model_providers or ():
            for model in by_id[other].models:
                if model.id not in own:
                    own.add(model.id)
                    yield provider, model, False


class _Reader:
    """Reads models; remembers what equal prices came to, because a probe costs 200 us and most are asked for again."""

    def __init__(self) -> None:
        self._known: dict[_Frozen, tuple[tuple[int, Prices], ...]] = {}

    def segments(self, provider: str, model: ModelInfo, *, is_own: bool) -> Iterator[Segment]:
        """Yield the segments of all contexts; a model of another provider has standard prices only: so the library."""
        dates, minutes = _changes(model)
        for context in _contexts(model) if is_own else [{}]:
            key = Key("", provider, model.id, context_of(context))
            spans = (
                Segment(key, start, end, candidates_of(self._windows(model, start, minutes, context)))
                for start, end in zip(dates, [*dates[1:], END], strict=True)
            )
            yield from joined(span for span in spans if span.candidates)

    def _windows(
        self, model: ModelInfo, day: datetime, minutes: list[int], context: dict[str, str]
    ) -> Iterator[Window]:
        for start, end in zip(minutes, [*minutes[1:], DAY_MINUTES], strict=True):
            at = day + timedelta(minutes=start)
            if not _is_known(model, at, context):
                continue
            price = model.get_prices(at, context or None)
            if _has_price(model, price):
                yield Window(start, end, self._tiers(price))

    def _tiers(self, price: ModelPrice) -> tuple[tuple[int, Prices], ...]:
        frozen = _frozen(price)
        if frozen not in self._known:
            tiered = (value for value in price.__dict__.values() if isinstance(value, TieredPrices))
            starts = sorted({0}.union(*({tier.start for tier in value.tiers} for value in tiered)))
            self._known[frozen] = tuple((start, _probed(_flat(price, start))) for start in starts)
        return self._known[frozen]


def _frozen(price: ModelPrice) -> _Frozen:
    return tuple(
        (
            name,
            (value.base, *((tier.start, tier.price) for tier in value.tiers))
            if isinstance(value, TieredPrices)
            else value,
        )
        for name, value in sorted(price.__dict__.items())
    )


def _flat(price: ModelPrice, above: int) -> ModelPrice:
    """Return the prices of a call with one input token more than the threshold."""
    return ModelPrice(
        **{
            name: calc_unit_price(value, 1, above + 1, 1) if isinstance(value, TieredPrices) else value
            for name, value in price.__dict__.items()
        }
    )


def _probed(price: ModelPrice) -> Prices:
    """Return what one unit of each meter costs, from a single calculation of the library.

    The usage holds 10^0 requests, 10^64 of one meter, 10^128 of the next, and so on: each price stands in 64 digits of
    its own in the total and is read off exactly. Keys that no meter counts are given as 0, or the library infers them.
    """
    usage = meter_usage({meter: 10 ** (_PLACE_DIGITS * place) for place, meter in enumerate(_PROBED) if place})
    with localcontext(prec=_PLACE_DIGITS * (len(_PROBED) + 1)):
        total = price.calc_price(Usage(**{**_NO_USAGE, **usage.__dict__}))["total_price"].scaleb(_POINT_DIGITS)
        digits = int(total)
        if digits != total:
            raise PriceError(f"A price of genai-prices has more than {_POINT_DIGITS} decimals: {price!r}.")
        found: dict[str, Decimal] = {}
        for meter in _PROBED:
            digits, place = divmod(digits, 10**_PLACE_DIGITS)
            found[meter] = Decimal(place).scaleb(-_POINT_DIGITS)
    return Prices(**found)


def _has_price(model: ModelInfo, price: ModelPrice) -> bool:
    """Tell whether a call can be charged at all.

    A model listed without prices, or priced by the hour or page only, must not come out as free. OpenRouter's
    ``:free`` models are: their names say so.
    """
    return model.id.endswith(":free") or any(getattr(price, name) is not None for name in _PRICED_BY)


def _conditions(model: ModelInfo) -> Iterator[StartDateConstraint | TimeOfDateConstraint]:
    dated = [] if isinstance(model.prices, ModelPrice) else [one.constraint for one in model.prices]
    variants = [one.constraint for one in model.price_variants or ()]
    yield from (one for one in (*dated, *variants) if one is not None)


def _changes(model: ModelInfo) -> tuple[list[datetime], list[int]]:
    """Return the days, and the minutes of a day, on which prices of the model can change."""
    dates, minutes = {START}, {0}
    for condition in _conditions(model):
        match condition:
            case StartDateConstraint(start_date=day):
                dates.add(datetime.combine(day, time(), UTC))
            case TimeOfDateConstraint(start_time=start, end_time=end):
                minutes |= {_minute(model, start), _minute(model, end)}
            case _:
                raise PriceError(
                    f"Model {model.id} has a price under a condition of kind {type(condition).__name__}, unknown here. "
                    "Install the genai-prices version that this release was built for, or a newer spanledger."
                )
    return sorted(dates), sorted(minutes)


def _minute(model: ModelInfo, value: time) -> int:
    """Return the minute of the UTC day; the ledger prices by quarter hours, so no price may change in between."""
    moment = datetime.combine(date(2000, 1, 2), value, value.tzinfo or UTC).astimezone(UTC)
    minute = moment.hour * 60 + moment.minute
    if minute % _QUARTER_HOUR_MINUTES or moment.second or moment.microsecond:
        raise PriceError(f"Model {model.id} changes its price at {value}, not on a quarter of an hour.")
    return minute


def _contexts(model: ModelInfo) -> list[dict[str, str]]:
    """Return the standard context and every combination of the values that the model's variants ask for."""
    choices: dict[str, list[str | None]] = {}
    for variant in model.price_variants or ():
        for name, value in variant.when.items():
            values = choices.setdefault(name, [None])
            if value not in values:
                values.append(value)
    return [
        {name: value for name, value in zip(choices, values, strict=True) if value is not None}
        for values in itertools.product(*choices.values())
    ]


def _is_known(model: ModelInfo, at: datetime, context: dict[str, str]) -> bool:
    """Tell whether the list has a price for this context at that time: some variant in force fits it."""
    return not context or any(
        variant.when.items() <= context.items() and (variant.constraint is None or variant.constraint.active(at))
        for variant in model.price_variants or ()
    )
