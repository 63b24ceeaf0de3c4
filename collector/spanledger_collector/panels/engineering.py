"""Engineering: what calls are made of. Models, tokens, caching, latency, errors, prompt parts, and the spans of  a trace."""

from typing import Final

from spanledger_collector.panels.fields import (
    BOUND,
    CALLS,
    INPUT,
    KNOWN_BAR,
    KNOWN_USD,
    NOTHING_BOOKED,
    OUTPUT,
    PER_CALL,
    UNKNOWN,
    named,
    trace,
)
from spanledger_collector.panels.model import Choice, Dashboard, Field, Kind, Link, Panel, Row, Unit
from spanledger_collector.panels.thresholds import ERRORS, RETRIES
from spanledger_collector.panels.words import VERDICTS

__all__ = ["ENGINEERING"]

_CACHED: Final = Field("cached_share", "Input from the cache", Unit.SHARE)
_FAILED: Final = Field("error_share", "Failed", Unit.SHARE, ERRORS)
_RETRIED: Final = Field("retries_per_call", "Silent retries per call", Unit.SHARE, RETRIES)
_PERCENTILES: Final = (
    Field("p50", "half are faster (p50)", Unit.MILLISECONDS),
    Field("p95", "95 of 100 are faster (p95)", Unit.MILLISECONDS),
    Field("p99", "99 of 100 are faster (p99)", Unit.MILLISECONDS),
)
_PARTS: Final = (
    Field("system", "System prompt", Unit.CHARACTERS),
    Field("history", "Earlier turns", Unit.CHARACTERS),
    Field("user_message", "User message", Unit.CHARACTERS),
    Field("tool_results", "Tool results", Unit.CHARACTERS),
    Field("retrieved", "Retrieved", Unit.CHARACTERS),
    Field("tool_definitions", "Tool definitions", Unit.CHARACTERS),
)
_UNMEASURED: Final = (
    "No prompt was measured in this time range: the SDK measures the parts of prompts, other emitters do not."
)

_TOTALS: Final = Panel(
    "totals",
    "All of it",
    "Sums of the time range with these filters. Silent retries are attempts that the client made beside the last one; "
    "a provider may have billed them.",
    Kind.STAT,
    (CALLS, KNOWN_USD, UNKNOWN, PER_CALL, _FAILED, _RETRIED, _CACHED),
    NOTHING_BOOKED,
)
_MODELS: Final = Panel(
    "models",
    "Models",
    "One row per model, dearest first. Cost per million tokens mixes input, cached input and output as they were "
    "used. Durations are means.",
    Kind.TABLE,
    (
        named("Model", name="of_model", link=Link("engineering", "model")),
        named("Provider", name="of_provider"),
        BOUND,
        KNOWN_BAR,
        UNKNOWN,
        CALLS,
        PER_CALL,
        Field("usd_per_mtok", "Cost per million tokens", Unit.USD),
        _CACHED,
        _FAILED,
        Field("mean_ms", "Mean duration", Unit.MILLISECONDS),
        Field("mean_first_ms", "Mean time to first token", Unit.MILLISECONDS),
    ),
    NOTHING_BOOKED,
)
_TOKENS: Final = Panel(
    "tokens",
    "Tokens",
    "Tokens over time in five disjoint kinds: input that was neither read from nor written to a cache, the two "
    "others, answers, reasoning.",
    Kind.TIME_SERIES,
    (
        Field("uncached_input", "Input", Unit.TOKENS),
        Field("cache_read", "Input read from the cache", Unit.TOKENS),
        Field("cache_write", "Input written to the cache", Unit.TOKENS),
        Field("answer", "Output", Unit.TOKENS),
        Field("reasoning", "Reasoning", Unit.TOKENS),
    ),
    NOTHING_BOOKED,
    stacked=True,
)
_COST_PER_CALL: Final = Panel(
    "cost_per_call",
    "Cost per call by model",
    "Mean cost of the calls whose cost is known, of the eight models with most calls. It moves with the size of "
    "prompts, the model's price and the cache.",
    Kind.TIME_SERIES,
    (PER_CALL,),
    NOTHING_BOOKED,
    split=True,
)
_CACHE: Final = Panel(
    "cached",
    "Input from the cache by model",
    "Part of the input tokens that the provider read from its cache, which costs a fraction. A fall to 0 is a prompt "
    "that changed at its beginning.",
    Kind.TIME_SERIES,
    (_CACHED,),
    NOTHING_BOOKED,
    split=True,
)
_LATENCY: Final = Panel(
    "latency",
    "Duration of calls",
    "From start to end of a call, as the caller saw it: percentiles, approximate where an interval has many calls.",
    Kind.TIME_SERIES,
    _PERCENTILES,
    NOTHING_BOOKED,
)
_FIRST_TOKEN: Final = Panel(
    "first_token",
    "Time to first token",
    "From start of a call to its first token, of the calls that stream and tell it: percentiles.",
    Kind.TIME_SERIES,
    _PERCENTILES,
    "No call of this time range tells its time to first token.",
)
_ERRORS: Final = Panel(
    "errors",
    "Errors and retries",
    "Failed calls, and silent attempts beside the last one, for each call.",
    Kind.TIME_SERIES,
    (_FAILED, _RETRIED),
    NOTHING_BOOKED,
)
_ERROR_TYPES: Final = Panel(
    "error_types",
    "Failed calls by type of error",
    "Most frequent first. A failed call can cost money: the provider bills what it generated. The trace is the latest "
    "example.",
    Kind.TABLE,
    (
        named("Error", name="of_type"),
        named("Model", name="of_model"),
        Field("failed_calls", "Failed calls", Unit.COUNT),
        Field("tries", "Attempts", Unit.COUNT),
        KNOWN_USD,
        UNKNOWN,
        Field("last_at", "Last", Unit.TIME),
        trace("example_trace", "Example"),
    ),
    "No call failed in this time range with these filters.",
)
_PROMPT_PARTS: Final = Panel(
    "prompt_parts",
    "What prompts are made of",
    "Characters of all prompts over time by part. Growing earlier turns are conversations that are never cut; growing "
    "tool results and retrieved context are the usual bloat.",
    Kind.TIME_SERIES,
    _PARTS,
    _UNMEASURED,
    stacked=True,
)
_PROMPT_FEATURES: Final = Panel(
    "prompt_features",
    "Prompt of a mean call by feature",
    "Mean characters of a call's prompt by part, largest first: where shortening pays. Calls that were not measured "
    "count as 0.",
    Kind.TABLE,
    (named("Feature"), CALLS, Field("whole", "Whole prompt", Unit.CHARACTERS, bar=True), *_PARTS),
    _UNMEASURED,
)
_TRACE: Final = Panel(
    "trace",
    "Spans of one trace",
    "Every GenAI span of the trace that is written above (Trace): which of them is billed, and why the others are "
    "not: a duplicate is the same call seen again, a covered one has its usage on the span above it, a wrapper "
    "contains calls. `spanledger explain` tells the rest.",
    Kind.TABLE,
    (
        Field("ts", "Start", Unit.TIME),
        named("Span", name="span_id"),
        named("Parent", name="parent_span_id"),
        named("Service", name="of_service"),
        named("Operation", name="of_operation"),
        named("Model", name="of_model"),
        named("Emitter", name="of_emitter"),
        INPUT,
        OUTPUT,
        named("Verdict", name="judged", words=VERDICTS),
        named("Why", name="why"),
    ),
    "No such trace: follow one from another table, or write its id into Trace.",
    fixed="all times",
)

ENGINEERING: Final = Dashboard(
    "engineering",
    "Engineering",
    "What calls are made of: models, tokens, caching, latency, errors, prompt parts, single traces.",
    (
        Row("In all", 5, ((_TOTALS, 24),)),
        Row("Models", 8, ((_MODELS, 24),)),
        Row("Tokens and cost", 9, ((_TOKENS, 12), (_COST_PER_CALL, 12))),
        Row("", 9, ((_CACHE, 12), (_ERRORS, 12))),
        Row("Latency", 9, ((_LATENCY, 12), (_FIRST_TOKEN, 12))),
        Row("Errors", 8, ((_ERROR_TYPES, 24),)),
        Row("Prompts", 9, ((_PROMPT_PARTS, 10), (_PROMPT_FEATURES, 14))),
        Row("One trace", 8, ((_TRACE, 24),)),
    ),
    "now-7d",
    (Choice("trace", "Trace"),),
)
