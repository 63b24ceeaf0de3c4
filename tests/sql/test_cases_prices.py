"""Field cases: prices that were missing, stale, of another time, tier, region or name."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from spanledger_collector.exceptions import PriceError
from spanledger_collector.prices import Override, set_override
from tests.ledger import Ledger
from tests.sql.cases import Case, chat_of, deliver, row, shown
from tests.sql.test_cases_tokens import one

READ = "gen_ai.usage.cache_read.input_tokens"
MODEL = {"gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2024-08-06"}
PROFILE = "anthropic.claude-sonnet-4-5-20250929-v1:0"
ARN = "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu." + PROFILE
BATCH = {"openai.response.service_tier": "batch"}
CASES = [
    Case(
        "a model nobody knows", "litellm#35913, openclaw#85858: $1.16 logged, about $185 real",
        one("house-70b", "openai", (1_000_000, 100_000)), [row(None, "unpriced_model", rate_id=0)],
    ),
    Case(
        "the longest input at the short price", "hermes-agent#93678, tokscale#862",
        one("claude-sonnet-4-5", "anthropic", (200_000, 1000)), [row("0.615")],
    ),
    Case(
        "one token more prices the whole request", "hermes-agent#93678, helicone#5779",
        one("claude-sonnet-4-5", "anthropic", (200_001, 1000)), [row("1.222506")],
    ),
    Case(
        "cached input counts for the threshold", "helicone#5779",
        one("claude-sonnet-4-5", "anthropic", (200_001, 1000), extra={READ: 200_000}), [row("0.142506")],
    ),
    Case(
        "a European profile is ten percent dearer", "litellm#42679 #27612 #42469, langfuse#15539",
        one("eu." + PROFILE, "aws.bedrock", (1000, 100)), [row("0.00495")],
    ),
    Case("an Australian profile", "litellm#42679", one("au." + PROFILE, "aws.bedrock", (1000, 100)), [row("0.00495")]),
    Case("a Japanese profile", "litellm#27612", one("jp." + PROFILE, "aws.bedrock", (1000, 100)), [row("0.00495")]),
    Case("the global profile", "litellm#42469", one("global." + PROFILE, "aws.bedrock", (1000, 100)), [row("0.0045")]),
    Case("the ARN of a profile", "langfuse#15539", one(ARN, "aws.bedrock", (1000, 100)), [row("0.00495")]),
    Case(
        "the response's model decides", "general",
        one("gpt-4o", "openai", (1000, 100), extra={"gen_ai.response.model": "gpt-4o-mini"}),
        [row("0.00021", model="gpt-4o-mini")],
    ),
    Case(
        "a dated name", "langwatch#2914, langfuse#8442", one("gpt-4o-2024-08-06", "openai", (1000, 100)),
        [row("0.0035", model="gpt-4o")],
    ),
    Case(
        "a -latest name", "genai-prices#306 #319", one("claude-3-5-haiku-latest", "anthropic", (1000, 100)),
        [row("0.0012")],
    ),
    Case("a prefixed name", "genai-prices#436", one("openai/gpt-4o", "openai", (1000, 100)), [row("0.0035")]),
    Case(
        "a prefixed name behind a router", "genai-prices#436",
        one("anthropic/claude-sonnet-4-5", "litellm", (1000, 100)), [row("0.0045")],
    ),
    Case("a batch costs half", "dust#23702, litellm#37077", one("gpt-4o", "openai", (1000, 100), extra=BATCH), [row("0.00175")]),
    Case(
        "a tier without a price of its own says so", "litellm#37077",
        one("gpt-4o-transcribe", "openai", (1000, 100), extra=BATCH),
        [row(None, "estimated", estimate_low_usd=Decimal(0), estimate_high_usd=Decimal("0.0035"))],
    ),
    Case(
        "the response's tier beats the request's", "general",
        one("gpt-5", "openai", (1000, 100), extra={
            "openai.request.service_tier": "priority", "openai.response.service_tier": "default"}),
        [row("0.00225")],
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def told(_ledger_of_module: Ledger) -> Ledger:
    import time

    _ledger_of_module.empty()
    deliver(_ledger_of_module, CASES, float(int(time.time()) - 3 * 3600))
    return _ledger_of_module


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_price_is_the_right_one_or_none(told: Ledger, case: Case) -> None:
    assert shown(told, case) == list(case.billed)


def test_an_unknown_model_blinds_no_total(told: Ledger) -> None:
    """litellm#35913: the model's calls are counted where its money is missing, in every view."""
    assert told.row("select cost_usd, known_usd, unknown_calls, unknown_tokens from cost_by_model where model = 'house-70b'") == {
        "cost_usd": None, "known_usd": 0, "unknown_calls": 1, "unknown_tokens": 1_100_000,
    }  # fmt: skip
    assert told.row("select sum(unknown_calls) > 0 as shown, countIf(cost_usd is null) > 0 as honest from cost_by_team") == {
        "shown": 1, "honest": 1,
    }  # fmt: skip
    assert told.row("select provider, calls, input_tokens from unpriced_models where model = 'house-70b'") == {
        "provider": "openai", "calls": 1, "input_tokens": 1_000_000,
    }  # fmt: skip


@contextmanager
def priced(ledger: Ledger, *overrides: Override) -> Iterator[None]:
    """Prices of the owner, withdrawn afterwards."""
    for override in overrides:
        set_override(ledger.client, override)
    try:
        yield
    finally:
        for override in overrides:
            set_override(ledger.client, Override(
                override.provider, override.model, {}, override.valid_from, override.valid_to, context=override.context
            ))  # fmt: skip


def of(input_usd: str, output_usd: str = "0.00001") -> dict[str, Decimal]:
    return {"input_usd_per_token": Decimal(input_usd), "output_usd_per_token": Decimal(output_usd)}


def test_the_instant_of_a_change_belongs_to_the_new_price(ledger: Ledger, recently: float) -> None:
    """langchain-ai/docs#5223; langfuse#12184: history keeps the price of its time."""
    boundary = recently // 900 * 900
    change = datetime.fromtimestamp(boundary, UTC)
    old, new = (
        Override("openai", "house-8b", of("0.000001"), valid_to=change),
        Override("openai", "house-8b", of("0.000002"), valid_from=change),
    )
    calls = [chat_of("house-8b", "openai", at, (1000, 0)) for at in (boundary - 0.000001, boundary, boundary + 1)]
    with priced(ledger, old, new):
        ledger.settled(*calls)

        assert [call["cost_usd"] for call in ledger.rows("select cost_usd from calls order by ts")] == [
            Decimal("0.001"), Decimal("0.002"), Decimal("0.002"),
        ]  # fmt: skip
        assert ledger.row("select sum(known_usd) as usd from costs as c") == {"usd": Decimal("0.005")}


def test_a_tier_that_was_removed_prices_what_came_before(ledger: Ledger, recently: float) -> None:
    """genai-prices#428: tiers are dated too; afterwards the standard price is an upper bound."""
    boundary = recently // 900 * 900
    end = datetime.fromtimestamp(boundary, UTC)
    standard = Override("openai", "house-9b", of("0.000002"))
    flex = Override("openai", "house-9b", of("0.000001"), valid_to=end, context="service_tier=flex")
    calls = [
        chat_of("house-9b", "openai", at, (1000, 0), openai__response__service_tier="flex",
                scope="opentelemetry.instrumentation.genai.openai")
        for at in (boundary - 60, boundary + 60)
    ]  # fmt: skip
    with priced(ledger, standard, flex):
        ledger.settled(*calls)

        shown = ledger.rows("select cost_usd, estimate_high_usd, completeness from calls order by ts")
        assert shown == [
            {"cost_usd": Decimal("0.001"), "estimate_high_usd": None, "completeness": "priced"},
            {"cost_usd": None, "estimate_high_usd": Decimal("0.002"), "completeness": "estimated"},
        ]


def test_a_context_is_found_however_it_was_written(ledger: Ledger, recently: float) -> None:
    standard = Override("openai", "house-9b", of("0.000002"))
    fast = Override("openai", "house-9b", of("0.000005"), context=" Speed=fast , SERVICE_TIER=Priority,region=global")
    batch = Override("openai", "house-9b", of("0.000001"), context="service_tier=batch")
    call = chat_of(
        "house-9b", "openai", recently, (1000, 0), openai__response__service_tier="priority", spanledger__speed="fast"
    )
    later = chat_of("house-9b", "openai", recently + 1, (1000, 0), extra=BATCH)
    with priced(ledger, standard, fast, batch):
        ledger.settled(call, later)

        assert [row["cost_usd"] for row in ledger.rows("select cost_usd from calls order by ts")] == [
            Decimal("0.005"), Decimal("0.001"),
        ]  # fmt: skip


def test_a_price_per_million_is_refused_where_one_per_token_was_meant(ledger: Ledger) -> None:
    """litellm#20615: it blocked everybody's budget."""
    with pytest.raises(PriceError, match="per million"):
        set_override(ledger.client, Override("openai", "house-9b", of("2.5", "10")))
    with pytest.raises(PriceError, match="a thousand times off"):
        set_override(ledger.client, Override("openai", "gpt-4o", of("0.0025", "0.01")))
