"""Whatever the owner agreed, a call costs what the law says, to the last digit: drawn at random, against an oracle of its own."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from spanledger_collector.exceptions import PriceError
from spanledger_collector.prices import Assignment, CurrencyRate, Override, Term, apply, checked_assignment, draft
from spanledger_collector.prices.assignments import MATCHED
from spanledger_collector.prices.cache import cache_folder, cached_price_list
from spanledger_collector.prices.meters import METERS
from spanledger_collector.prices.segments import END, START
from spanledger_collector.prices.tables import read_agreed
from spanledger_collector.prices.terms import Uplift
from tests.ledger import Ledger
from tests.sql.price_law import Call, Law

DRAWS = 2500
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
DAYS = [TODAY - timedelta(days=10 * number) for number in range(1, 36)]
TENANTS, ACCOUNTS, PLACES, SERVICES = ("", "a", "b", "c"), ("", "org-1", "org-2"), ("", "prod", "dev"), ("app", "batch")
REGIONS = ("", "", "us", "eu", "global", "europe-west4")
CONTRACTS = ("acme", "globex", "initech", "ptu")
PRICED = """
select contract, completeness, amount_usd from priced_calls order by span_id"""
COUNTS = {
    "input_usd_per_token": "input_tokens",
    "cache_read_usd_per_token": "cache_read_tokens",
    "cache_write_5m_usd_per_token": "cache_write_tokens",
    "cache_write_1h_usd_per_token": "cache_write_1h_tokens",
    "output_usd_per_token": "output_tokens",
    "input_audio_usd_per_token": "input_audio_tokens",
    "cache_read_audio_usd_per_token": "cache_read_audio_tokens",
    "input_image_usd_per_token": "input_image_tokens",
    "output_reasoning_usd_per_token": "reasoning_tokens",
    "output_audio_usd_per_token": "output_audio_tokens",
    "output_image_usd_per_token": "output_image_tokens",
    "web_search_usd": "web_searches",
}
INPUT = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "input_audio", "cache_read_audio", "input_image")
OUTPUT = ("output", "output_reasoning", "output_audio", "output_image")
AUDIO = ("input_audio", "cache_read_audio", "output_audio")
PARTS = {
    "input_tokens": INPUT,
    "cache_read_tokens": ("cache_read", "cache_read_audio"),
    "cache_write_tokens": ("cache_write_5m", "cache_write_1h"),
    "input_audio_tokens": ("input_audio", "cache_read_audio"),
    "output_tokens": OUTPUT,
}  # fmt: skip


class World:
    """A random price book: models of every kind, and what an owner said about them."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.listed = cached_price_list(cache_folder()).segments
        kinds: dict[Any, list[tuple[str, str]]] = {}
        contexts: dict[tuple[str, str], list[str]] = {}
        for one in self.listed:
            name = (one.key.provider, one.key.model)
            contexts.setdefault(name, []).append(one.key.context)
            shape = (
                bool(one.key.context),
                any(each.above_tokens for each in one.candidates),
                any(each.from_minute for each in one.candidates),
                one.valid_from > START,
            )
            kinds.setdefault(shape, []).append(name)
        chosen = [name for names in kinds.values() for name in self.dice.sample(names, min(6, len(names)))]
        regional = [("openai", "gpt-5.4"), ("google", "claude-opus-4-6"), ("anthropic", "claude-opus-4-6")]
        self.models = [*dict.fromkeys([*chosen, *regional]), ("openai", "house-7b"), ("acme", "unsold-1b")]
        self.contexts = {name: sorted({"", *contexts.get(name, ())}) for name in self.models}
        self.uplifts = [
            Uplift("openai", "eu", "gpt-5.4", Decimal("12.5"), self.moment()),
            Uplift("openai", "eu", "house-*", Decimal("3.333333")),
            Uplift("deepseek", "regional", "deepseek-*", Decimal(7), self.moment()),
        ]
        self.edges: list[datetime] = []
        self.entries: list[Any] = [
            *(CurrencyRate("EUR", at, self.amount(1)) for at in (START, *(self.moment() for _ in range(4)))),
            *(CurrencyRate("JPY", at, self.amount(Decimal("0.01"))) for at in (START, self.moment(), self.moment())),
            *(self.override() for _ in range(160)),
            *(self.term() for _ in range(24)),
        ]
        self.edges += [one.valid_from for one in self.entries if isinstance(one, CurrencyRate)]
        self.entries += self.assignments(60)

    def moment(self) -> datetime:
        return self.dice.choice(DAYS) + timedelta(minutes=15 * self.dice.randrange(96))

    def span(self) -> tuple[datetime, datetime]:
        start, end = sorted((self.moment(), self.moment() + timedelta(minutes=15)))
        self.edges += [start, end]
        return self.dice.choice([START, start, start]), self.dice.choice([END, end, end])

    def amount(self, scale: Decimal | int) -> Decimal:
        return Decimal(self.dice.randrange(1, 10**9)).scaleb(-9) * scale + Decimal("0.000000001") * scale

    def override(self) -> Override:
        name = self.dice.choice([name for name in self.models if name != ("acme", "unsold-1b")])
        meters = self.dice.sample(METERS, self.dice.randrange(5))
        prices = {
            meter: round(self.amount(Decimal("0.0001")), self.dice.choice([9, 24]))
            if meter not in ("web_search_usd", "request_usd")
            else self.amount(Decimal("0.01"))
            for meter in meters
        }
        context = self.dice.choice([*self.contexts[name], "", "service_tier=house", "region=eu", "region=us"])
        span = self.span()
        currency = self.dice.choice(["USD", "USD", "EUR", "JPY"])
        return Override(*name, prices, *span, self.dice.choice(["", *CONTRACTS]), context, currency=currency)

    def term(self) -> Term:
        provider, model = self.dice.choice(self.models)
        of = self.dice.choice(
            [("", ""), (provider, ""), (provider, model), ("", f"{model[:5]}*"), (provider, f"{model[:3]}*")]
        )
        meter = self.dice.choice(["", "", *METERS])
        kind = self.dice.choice(["discount"] * 5 + ["commitment"])
        percent = self.dice.choice([Decimal(0), Decimal("33.333333"), Decimal(20), Decimal("-7.5")])
        return Term(self.dice.choice(CONTRACTS), percent, kind, *of, meter, *self.span())

    def assignments(self, tries: int) -> list[Assignment]:
        """Return rules that the ledger accepts: two that could claim the same call are refused."""
        found: list[Assignment] = []
        for _ in range(tries):
            provider, model = self.dice.choice(self.models)
            values = (
                self.dice.choice(TENANTS),
                provider,
                self.dice.choice(ACCOUNTS),
                model,
                self.dice.choice(PLACES),
                self.dice.choice(SERVICES),
            )
            asked = [value if self.dice.random() < 0.35 else "" for value in values]
            start, end = self.span()
            said: dict[str, Any] = dict(zip(MATCHED, asked, strict=True))
            rule = Assignment(self.dice.choice(["", *CONTRACTS]), **said, valid_from=start, valid_to=end)
            try:
                found.append(checked_assignment(rule, found))
            except PriceError:
                continue
        return found

    def call(self) -> Call:
        name = self.dice.choice(self.models)
        at = self.dice.choice(DAYS) + timedelta(seconds=self.dice.randrange(86_400))
        if self.dice.random() < 0.4:
            at = self.dice.choice([edge for edge in self.edges if DAYS[-1] <= edge < TODAY]) + timedelta(
                seconds=self.dice.randrange(-1, 1)
            )
        context = self.dice.choice([*self.contexts[name], "service_tier=house"])
        quantities = {meter: self.dice.choice([0, 0, self.dice.randrange(90_000)]) for meter in METERS}
        quantities |= {"request_usd": 1, "web_search_usd": self.dice.randrange(3)}
        if self.dice.random() < 0.7:
            quantities |= {f"{meter}_usd_per_token": 0 for meter in AUDIO}
        size = sum(quantities[f"{meter}_usd_per_token"] for meter in INPUT)
        return Call(
            at, *name, context, self.dice.choice(REGIONS), self.dice.choice(TENANTS), self.dice.choice(ACCOUNTS), self.dice.choice(PLACES),
            self.dice.choice(SERVICES), size, quantities,
        )  # fmt: skip


def book(ledger: Ledger, calls: list[Call]) -> None:
    """Write the calls as the normaliser would, with their verdict."""
    rows = []
    for number, call in enumerate(calls):
        counts = {column: call.quantities[meter] for meter, column in COUNTS.items()}
        counts |= {
            column: sum(call.quantities[f"{meter}_usd_per_token"] for meter in meters)
            for column, meters in PARTS.items()
        }
        ids = {"trace_id": number.to_bytes(16, "big"), "span_id": number, "ts": call.at, "end_ts": call.at}
        names = {"provider_raw": call.provider, "model_raw": call.model, "price_context": call.context}
        said = {name: getattr(call, name) for name in ("region", "tenant", "account", "environment", "service")}
        states = {"role": "call", "usage_state": "reported", "has_usage": 1, "verdict": "bills"}
        rows.append({**ids, **names, **said, **states, **counts})
    ledger.client.insert(
        "genai_calls",
        [list(row.values()) for row in rows],
        column_names=list(rows[0]),
        settings={"max_partitions_per_insert_block": 0},
    )


def test_random_calls_under_random_agreements_cost_what_the_law_says(ledger: Ledger) -> None:
    world = World(20_261_122)
    columns = ["provider", "region", "model", "percent", "valid_from", "origin"]
    uplifts = [[one.provider, one.region, one.model, one.percent, one.valid_from, "user"] for one in world.uplifts]
    ledger.client.insert("region_uplifts", uplifts, column_names=columns)
    drafted = draft(ledger.client, "random", entries=world.entries)
    assert drafted
    apply(ledger.client, drafted, "tester")
    law = Law(world.listed, world.entries, read_agreed(ledger.client).uplifts)
    calls = [world.call() for _ in range(DRAWS)]
    book(ledger, calls)

    expected = [law.judged(call) for call in calls]
    found = [tuple(row.values()) for row in ledger.rows(PRICED)]
    wrong = [(call, want, got) for call, want, got in zip(calls, expected, found, strict=True) if want != got]
    assert len({contract for contract, *_ in expected}) == len(CONTRACTS) + 1
    assert {state for _, state, _ in expected} == {"priced", "estimated", "unpriced_model"}
    assert wrong[:3] == []
