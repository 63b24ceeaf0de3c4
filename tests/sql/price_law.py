"""The law of prices, for one call at one instant: an oracle that knows no timelines, no segments of contracts and no compiler.

What everybody pays is the list's price, with the uplift of a region that costs more, unless the owner set another one: the newest that is
valid, for that region before for any. A contract's own price beats that; else its terms change it. Exact, and rounded once, at the end.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fnmatch import fnmatchcase
from typing import Any

from spanledger_collector.prices import Assignment, CurrencyRate, Override, Term
from spanledger_collector.prices.meters import FEES, METERS, PARENTS
from spanledger_collector.prices.segments import Segment
from spanledger_collector.prices.terms import Uplift

EXACT = Context(prec=200, rounding=ROUND_HALF_EVEN)
DIGITS = Decimal(1).scaleb(-24)
CONDITIONS = ("tenant", "provider", "account", "deployment", "environment", "service")
LISTED = frozenset({"list", "changed"})

Vector = dict[str, Decimal]


@dataclass(frozen=True)
class Call:
    """A call as the ledger knows it; quantities are disjoint, one for each meter."""

    at: datetime
    provider: str
    model: str
    context: str
    region: str
    tenant: str
    account: str
    environment: str
    service: str
    input_tokens: int
    quantities: dict[str, int]

    @property
    def deployment(self) -> str:
        return self.model


@dataclass(frozen=True)
class Found:
    """A price vector and whose word it is: the list's, the list's as changed by region or contract, or the owner's."""

    prices: Vector
    source: str


@dataclass(frozen=True)
class Law:
    """All that is known of prices; ``entries`` in the order in which they were said."""

    listed: Sequence[Segment]
    entries: Sequence[Any]
    uplifts: Sequence[Uplift]
    _by_model: dict[tuple[str, str], list[Segment]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for one in self.listed:
            self._by_model.setdefault((one.key.provider, one.key.model), []).append(one)

    def judged(self, call: Call) -> tuple[str, str, Decimal]:
        """Return contract, completeness and amount."""
        contract, region = self.contract(call), self.region(call)
        own = self.price(call, contract, call.context, region)
        found = own or self.price(call, contract, "", region)
        if found is None:
            return contract, "unpriced_model", Decimal(0)
        prices = {meter: price.quantize(DIGITS, context=EXACT) for meter, price in found.prices.items()}
        products = (EXACT.multiply(prices[meter], Decimal(count)) for meter, count in call.quantities.items())
        total = Decimal(0)
        for product in products:
            total = EXACT.add(total, product)
        return contract, "priced" if own and not sells_audio_as_text(call, found) else "estimated", total

    def contract(self, call: Call) -> str:
        """Return the contract of the rule that asks most of the call, if it says anything about the model."""
        by_conditions: dict[tuple[str, ...], Assignment] = {}
        for one in self._said(Assignment):
            if one.valid_from <= call.at < one.valid_to:
                by_conditions[tuple(getattr(one, name) for name in CONDITIONS)] = one  # the newest of the same calls
        fitting = [
            one
            for conditions, one in by_conditions.items()
            if all(wanted in ("", getattr(call, name)) for name, wanted in zip(CONDITIONS, conditions, strict=True))
        ]
        if not fitting:
            return ""
        most = max(sum(bool(getattr(one, name)) for name in CONDITIONS) for one in fitting)
        names = {one.contract for one in fitting if sum(bool(getattr(one, name)) for name in CONDITIONS) == most}
        assert len(names) == 1, names
        name = names.pop()
        has_terms = any(one.contract == name and speaks_of(one, call) for one in self._said(Term))
        has_own = any(
            one.contract == name and (one.provider, one.model) == (call.provider, call.model)
            for one in self._said(Override)
        )
        return name if name and (has_own or (has_terms and self._is_sold(call))) else ""

    def region(self, call: Call) -> str:
        """Return the kind of the call's region where the model has prices for it."""
        kind = "" if call.region in ("", "global") else call.region if call.region in ("us", "eu") else "regional"
        uplifted = any(one.region == kind and speaks_of(one, call) for one in self.uplifts) and self._is_sold(call)
        return kind if uplifted or any(f"region={kind}" in context for context in self._contexts(call)) else ""

    def price(self, call: Call, contract: str, context: str, region: str) -> Found | None:
        """Return the price vector of a contract (empty: everybody) in a context and region, None without one."""
        everybody = self._over(call, "", context, region, lambda where: self._list_price(call, where, region))
        if not contract:
            return everybody

        def changed(where: str) -> Found | None:
            below = self._over(call, "", where, region, lambda name: self._list_price(call, name, region))
            return below and self._with_terms(call, contract, below)

        return self._over(call, contract, context, region, changed)

    def _over(
        self, call: Call, contract: str, context: str, region: str, standing: Callable[[str], Found | None]
    ) -> Found | None:
        """Return what the owner set over what stands: for the very region, else for any with what the region puts on it."""
        below = standing(context)
        plain = self._newest(call, contract, context)
        said = self._newest(call, contract, behind(context, region)) if region else plain
        factor = Decimal(1)
        if region and said is None and not self._has_own(call, behind(context, region)):
            said, factor = plain, self._factor(call, region)
        if said is None or not said.prices:
            return below
        base = (below or standing("") or Found(dict.fromkeys(METERS, Decimal(0)), "")).prices
        given = {
            meter: EXACT.multiply(self._usd(said, price, call.at), Decimal(1) if meter in FEES else factor).quantize(
                DIGITS, context=EXACT
            )
            for meter, price in said.prices.items()
        }
        return Found(followed(given, base), "owner")

    def _list_price(self, call: Call, context: str, region: str) -> Found | None:
        regional = behind(context, region)
        own = self._listed_at(call, regional)
        if own or not region or self._has_own(call, regional):
            return own
        plain = self._listed_at(call, context)
        if plain is None:
            return None
        factor = self._factor(call, region)
        prices = {m: price if m in FEES else EXACT.multiply(price, factor) for m, price in plain.prices.items()}
        return Found(prices, "changed")

    def _listed_at(self, call: Call, context: str) -> Found | None:
        minute = call.at.hour * 60 + call.at.minute
        for one in self._by_model.get((call.provider, call.model), ()):
            if one.key.context == context and one.valid_from <= call.at < one.valid_to:
                fitting = [
                    candidate.prices
                    for candidate in one.candidates
                    if candidate.from_minute <= minute < candidate.to_minute
                    and (not candidate.above_tokens or call.input_tokens > candidate.above_tokens)
                ]
                return Found(dict(zip(METERS, fitting[-1], strict=True)), "list") if fitting else None
        return None

    def _with_terms(self, call: Call, contract: str, below: Found) -> Found:
        terms = [
            (rank_of(one, number), one)
            for number, one in enumerate(self._said(Term))
            if one.contract == contract and speaks_of(one, call) and one.valid_from <= call.at < one.valid_to
        ]
        shares = {}
        for meter in METERS:
            of_meter = [pair for pair in terms if pair[1].meter in ("", meter)]
            if of_meter:
                term = max(of_meter, key=lambda pair: pair[0])[1]
                shares[meter] = Decimal(0) if term.kind == "commitment" else (100 - term.percent) / 100
        if all(share == 1 for share in shares.values()):
            return below
        prices = {meter: EXACT.multiply(price, shares.get(meter, Decimal(1))) for meter, price in below.prices.items()}
        return Found(prices, "changed")

    def _factor(self, call: Call, region: str) -> Decimal:
        fitting = [one for one in self.uplifts if one.region == region and speaks_of(one, call)]
        in_force = [one for one in fitting if one.valid_from <= call.at]
        best = max(in_force, key=lambda one: (not is_pattern(one.model), len(one.model), one.valid_from), default=None)
        return (100 + best.percent) / 100 if best else Decimal(1)

    def _newest(self, call: Call, contract: str, context: str) -> Override | None:
        fitting = [
            one
            for one in self._said(Override)
            if (one.contract, one.provider, one.model, one.context) == (contract, call.provider, call.model, context)
            and one.valid_from <= call.at < one.valid_to
        ]
        return fitting[-1] if fitting else None

    def _usd(self, said: Override, price: Decimal, at: datetime) -> Decimal:
        if said.currency == "USD":
            return price
        values = [
            (one.valid_from, number, one.usd)
            for number, one in enumerate(self._said(CurrencyRate))
            if one.currency == said.currency and one.valid_from <= at
        ]
        return EXACT.multiply(price, max(values)[2])

    def _has_own(self, call: Call, context: str) -> bool:
        return any(one.key.context == context for one in self._by_model.get((call.provider, call.model), ()))

    def _is_sold(self, call: Call) -> bool:
        return (call.provider, call.model) in self._by_model or any(
            not one.contract and (one.provider, one.model) == (call.provider, call.model)
            for one in self._said(Override)
        )

    def _contexts(self, call: Call) -> Iterable[str]:
        yield from (one.key.context for one in self._by_model.get((call.provider, call.model), ()))
        yield from (
            one.context
            for one in self._said(Override)
            if one.prices and (one.provider, one.model) == (call.provider, call.model)
        )

    def _said(self, kind: type) -> list[Any]:
        return [one for one in self.entries if isinstance(one, kind)]


def behind(context: str, region: str) -> str:
    """Return the context in a region, as the ledger writes it."""
    return ",".join(filter(None, (context, f"region={region}" if region else "")))


def speaks_of(one: Any, call: Call) -> bool:
    """Tell whether a term or an uplift is about the call's model."""
    return one.provider in ("", call.provider) and (not one.model or fnmatchcase(call.model, one.model))


def is_pattern(name: str) -> bool:
    """Tell whether a name stands for several models."""
    return any(sign in name for sign in "*?[")


def rank_of(term: Term, number: int) -> tuple[bool, int, bool, bool, int]:
    """Return the order of terms: the model in full, the longest pattern, a provider, one meter, the newest."""
    return (
        bool(term.model) and not is_pattern(term.model),
        len(term.model),
        bool(term.provider),
        bool(term.meter),
        number,
    )


def followed(given: Vector, base: Vector) -> Vector:
    """Return the whole vector: a meter that was not given follows its parent where it cost the same before."""
    found, moved = dict(base), set(given)
    for meter in METERS:
        parent = PARENTS.get(meter, "")
        if meter in given:
            found[meter] = given[meter]
        elif parent in moved and base[meter] == base[parent]:
            found[meter] = found[parent]
            moved.add(meter)
    return found


def sells_audio_as_text(call: Call, found: Found) -> bool:
    """Tell whether the call has audio and the list's price for it is that of text, which no provider sells it at."""
    pairs = (
        (("input_audio_usd_per_token", "cache_read_audio_usd_per_token"), "input"),
        (("output_audio_usd_per_token",), "output"),
    )
    return found.source in LISTED and any(
        any(call.quantities[meter] for meter in meters)
        and found.prices[f"{kind}_usd_per_token"] != 0
        and found.prices[f"{kind}_audio_usd_per_token"] == found.prices[f"{kind}_usd_per_token"]
        for meters, kind in pairs
    )
