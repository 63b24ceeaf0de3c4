"""Field cases: what token counts mean; streams, failures and retries."""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from tests.ledger import Ledger
from tests.otlp import SpanSpec
from tests.sql.cases import Case, Spans, chat_of, deliver, row, shown

SONNET = "claude-sonnet-4-5"
BEDROCK_SONNET = "global.anthropic.claude-sonnet-4-5-20250929-v1:0"
READ, WRITTEN = "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_creation.input_tokens"
STREAM = {"gen_ai.request.stream": True}


def cached_read(scope: str, provider: str, stated: int) -> Spans:
    """100 uncached and 100,000 cached input tokens, 500 output."""
    model = BEDROCK_SONNET if provider == "aws.bedrock" else SONNET
    return lambda start: [chat_of(model, provider, start, (stated, 500), scope=scope, extra={READ: 100_000})]


def one(model: str, provider: str, tokens: tuple[int, int] | None, **more: object) -> Spans:
    """A single call, ``more`` as in chat_of."""
    return lambda start: [chat_of(model, provider, start, tokens, **more)]


def of_attributes(scope: str, **attributes: object) -> Spans:
    """A single span of these attributes only; two underscores are a dot."""
    named = {name.replace("__", "."): value for name, value in attributes.items()}
    return lambda start: [SpanSpec(start, start + 1, named, scope=scope)]


def rejected_four_times(start: float) -> Sequence[SpanSpec]:
    refused = [
        chat_of(
            "gpt-4o", "openai", start + at, None, error=True, http__response__status_code=429,
            error__type="openai.RateLimitError",
        )
        for at in range(4)
    ]  # fmt: skip
    return [*refused, chat_of("gpt-4o", "openai", start + 4, (100_000, 75_000))]


OPENLLMETRY, OPENINFERENCE = "opentelemetry.instrumentation.", "openinference.instrumentation."
EMITTERS = [
    ("openllmetry, anthropic", OPENLLMETRY + "anthropic", "anthropic", 100_100),
    ("openinference, anthropic", OPENINFERENCE + "anthropic", "anthropic", 100_100),
    ("openlit, anthropic", "openlit.instrumentation.anthropic", "anthropic", 100),
    ("official, anthropic", "opentelemetry.instrumentation.genai.anthropic", "anthropic", 100_100),
    ("openllmetry, bedrock", OPENLLMETRY + "bedrock", "aws.bedrock", 100),
    ("openinference, bedrock", OPENINFERENCE + "bedrock", "aws.bedrock", 100),
    ("openlit, bedrock", "openlit.instrumentation.bedrock", "aws.bedrock", 100),
    ("official, bedrock", "opentelemetry.instrumentation.genai.bedrock", "aws.bedrock", 100),
]
TOKENS = [
    *(
        Case(
            f"cached input, {name}", "measured: 0.3378 shown", cached_read(scope, provider, stated),
            [row("0.0378", input_tokens=100_100, uncached_input_tokens=100)],
        )
        for name, scope, provider, stated in EMITTERS
    ),
    Case(
        "cached tokens at full price", "phoenix#10036, litellm#11789 #14849, langfuse#8559",
        one("gpt-4o", "openai", (10_000, 10), extra={READ: 9000}), [row("0.01385")],
    ),
    Case(
        "cached tokens at full price, streaming", "litellm#11789",
        one(SONNET, "anthropic", (10_000, 10), extra={READ: 9000, **STREAM}), [row("0.00585")],
    ),
    Case(
        "cache creation charged twice", "litellm#9812: $0.0913 for $0.0544",
        one(SONNET, "anthropic", (12_304, 550), extra={WRITTEN: 12_300}), [row("0.054387", uncached_input_tokens=4)],
    ),
    Case(
        "exclusive input treated as inclusive", "pydantic-ai#3850",
        one(SONNET, "anthropic", (50, 10), extra={READ: 2000}, scope="pydantic-ai"),
        [row("0.0009", uncached_input_tokens=50, input_tokens=2050)],
    ),
    Case(
        "reasoning added on top of output", "langfuse#11244, litellm#39850: 2,926 for 1,970",
        one("gpt-5", "openai", (100, 1970), extra={"gen_ai.usage.reasoning.output_tokens": 956}),
        [row("0.019825", output_tokens=1970, reasoning_tokens=956)],
    ),
    Case(
        "completion as total minus prompt", "phoenix#10783: 8,709 for 442",
        of_attributes(
            OPENINFERENCE + "anthropic", openinference__span__kind="LLM", llm__model_name=SONNET, llm__provider="anthropic",
            llm__token_count__prompt=100, llm__token_count__prompt_details__cache_read=8267,
            llm__token_count__completion=442, llm__token_count__total=8809,
        ),
        [row("0.0094101", output_tokens=442)],
    ),
    Case(
        "audio at its own rate", "litellm#38457",
        one("gpt-4o-transcribe", "openai", (1000, 10), extra={"gen_ai.usage.audio.input_tokens": 900}),
        [row("0.00575")],
    ),
    Case(
        "a picture is not free", "litellm#9522",
        one("gpt-image-1", "openai", (100, 4160), extra={"gen_ai.usage.image.output_tokens": 4160,
                                                         "gen_ai.operation.name": "image_generation"}),
        [row("0.1669")],
    ),
    Case(
        "a token count in a USD attribute", "openinference#3227",
        one("gpt-4o", "openai", (1000, 100), extra={"llm.cost.total": 1100}), [row("0.0035")],
    ),
    Case(
        "numbers as strings, old names", "langfuse#9691",
        of_attributes(
            "somebody.old", gen_ai__system="openai", gen_ai__response__model="gpt-4o", gen_ai__operation__name="chat",
            gen_ai__usage__prompt_tokens="1000", gen_ai__usage__completion_tokens="100",
        ),
        [row("0.0035")],
    ),
    Case(
        "numbers nested in JSON", "langfuse#9691",
        of_attributes(
            "langfuse-sdk", langfuse__observation__type="generation", langfuse__observation__model__name="gpt-4o",
            langfuse__observation__usage_details='{"input": 1000, "output": 100, "total": 1100}',
        ),
        [row("0.0035", input_tokens=1000, output_tokens=100)],
    ),
]  # fmt: skip
TIMEOUT = {"error.type": "openai.APITimeoutError"}
STREAMS = [
    Case(
        "a stream without usage", "openllmetry#627, litellm#42663",
        one("gpt-4o", "openai", None, extra=STREAM), [row(None, "no_usage", input_tokens=0)],
    ),
    Case(
        "an interrupted stream keeps its partial spend", "litellm#30667",
        one("gpt-4o", "openai", (1000, 50), error=True, extra=STREAM | {"gen_ai.response.finish_reasons": None}),
        [row(None, "estimated", estimate_low_usd=Decimal("0.003"), estimate_high_usd=None)],
    ),
    Case(
        "rejected calls are not billed", "langfuse#9038: $5 shown, a fifth billed", rejected_four_times,
        [row("0", "failed_not_billed")] * 4 + [row("1")],
    ),
    Case(
        "an attempt that timed out may be billed", "aios-team-brain#458",
        one("gpt-4o", "openai", None, error=True, extra=TIMEOUT), [row(None, "failed_maybe_billed")],
    ),
    Case(
        "the client retries underneath one span", "all",
        one("gpt-4o", "openai", (1000, 100), extra={"spanledger.attempts": 3}), [row("0.0035", attempts=3)],
    ),
    Case(
        "resends underneath one span", "all",
        one("gpt-4o", "openai", (1000, 100), extra={"http.request.resend_count": 2}), [row("0.0035", attempts=3)],
    ),
]  # fmt: skip
CASES = [*TOKENS, *STREAMS]


@pytest.fixture(scope="module")
def told(_ledger_of_module: Ledger) -> Ledger:
    import time

    _ledger_of_module.empty()
    deliver(_ledger_of_module, CASES, float(int(time.time()) - 3 * 3600))
    return _ledger_of_module


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_tokens_and_the_money_are_the_vendors(told: Ledger, case: Case) -> None:
    assert shown(told, case) == list(case.billed)


def test_what_is_not_known_is_counted_and_never_zero(told: Ledger) -> None:
    unknown = told.rows(
        "select completeness, sum(calls) as n, sum(known_usd) as usd from costs as c "
        "where unknown group by completeness order by completeness"
    )

    assert unknown == [
        {"completeness": "estimated", "n": 1, "usd": 0},
        {"completeness": "failed_maybe_billed", "n": 1, "usd": 0},
        {"completeness": "no_usage", "n": 1, "usd": 0},
    ]
