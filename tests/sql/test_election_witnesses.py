"""Several witnesses of one call, in every form seen in the field: one bills, with the vendor's numbers, whatever came first."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from tests.ledger import Ledger, only
from tests.otlp import SpanSpec, agent, chat, new_id

TEAM = "spanledger.team"
NATIVE = "com.anthropic.sdk.python"
OFFICIAL = "opentelemetry.instrumentation.genai.openai"
TRACELOOP = "opentelemetry.instrumentation.openai"
OPENINFERENCE = "openinference.instrumentation.openai"
UNIQUE = {"gen_ai.response.id": "msg_" + "0123456789abcdef" * 2}


def judged(ledger: Ledger, span: SpanSpec) -> dict[str, Any]:
    return ledger.row(
        "select verdict, reason, winner_trace_id, winner_span_id from spans_judged where span_id = {id:String}",
        id=span.span_id,
    )


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("judge_between", [True, False])
def test_the_delivery_that_knows_most_counts_whatever_came_first(
    ledger: Ledger, recently: float, order: tuple[int, int], judge_between: bool
) -> None:
    first = chat(recently, tokens=None)
    second = replace(first, attributes=chat(recently, tokens=(1000, 100), extra={TEAM: "core"}).attributes)

    for index in order:
        ledger.deliver((first, second)[index])
        if judge_between:
            ledger.booked()
    call = only(ledger.booked())

    assert (call["input_tokens"], call["completeness"], call["team"]) == (1000, "priced", "core")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_copy_of_the_application_s_own_exporter_takes_nothing_from_that_of_the_sdk(
    ledger: Ledger, recently: float, order: tuple[int, int]
) -> None:
    facts = {
        "spanledger.sequence": 7,
        "spanledger.prompt.user.chars": 40,
        "spanledger.prompt.fingerprint": "00" * 7 + "2a",
    }
    own = chat(recently)
    ours = replace(own, attributes={**own.attributes, **facts})

    for index in order:
        ledger.deliver((own, ours)[index])
    call = only(ledger.booked())

    assert (call["span_id"], call["user_chars"], call["prompt_fingerprint"]) == (own.span_id, 40, "00" * 7 + "2a")


def test_a_richer_delivery_is_judged_anew(ledger: Ledger, recently: float) -> None:
    whole = agent(recently, tokens=(1000, 100), extra={"gen_ai.request.model": "gpt-4o-mini"})
    below = chat(recently + 1, tokens=None, trace=whole.trace, parent=whole.span)

    assert only(ledger.booked(whole, below))["span_id"] == whole.span_id
    call = only(ledger.booked(replace(below, attributes=chat(recently).attributes)))

    assert call["span_id"] == below.span_id
    assert judged(ledger, whole)["verdict"] == "wrapper"


ANTHROPIC = {
    **UNIQUE,
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-sonnet-4-5",
    "gen_ai.response.model": "claude-sonnet-4-5",
    "gen_ai.usage.cache_read.input_tokens": 2000,
    "gen_ai.usage.cache_write.input_tokens": 1000,
}


@pytest.mark.parametrize("order", list(itertools.permutations(range(2))))
@pytest.mark.parametrize("nested", [True, False])
def test_the_winner_knows_the_cache_split_that_any_witness_knows(
    ledger: Ledger, recently: float, order: tuple[int, int], nested: bool
) -> None:
    caller = chat(
        recently, tokens=(3050, 60), extra={**ANTHROPIC, TEAM: "core", "gen_ai.response.time_to_first_chunk": 0.25}
    )
    split = {"anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 400, "http.request.resend_count": 1}
    native = chat(
        recently + 0.1,
        seconds=0.8,
        tokens=(3050, 60),
        scope=NATIVE,
        extra={**ANTHROPIC, **split},
        trace=caller.trace if nested else new_id(),
        parent=caller.span if nested else 0,
    )

    for index in order:
        calls = ledger.booked((caller, native)[index])
    call = only(calls)

    assert (call["cache_write_1h_tokens"], call["attempts"], call["team"]) == (400, 2, "core")
    assert call["time_to_first_token_ms"] == 250


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_circle_of_parents_bills_its_call(ledger: Ledger, recently: float, length: int) -> None:
    ids = [new_id() for _ in range(length)]
    trace = new_id()
    circle = [
        chat(recently + index, trace=trace, span=ids[index], parent=ids[index - 1], extra={TEAM: "core"})
        for index in range(length)
    ]
    hanging = agent(recently, trace=trace, parent=ids[0])

    call = only(ledger.booked(*circle, hanging))

    assert call["span_id"] == circle[-1].span_id


@pytest.mark.parametrize("scopes", [(TRACELOOP, OFFICIAL), (OFFICIAL, OPENINFERENCE)])
@pytest.mark.parametrize("linked", [True, False])
def test_a_failed_call_that_two_instrumentations_saw_counts_once(
    ledger: Ledger, recently: float, scopes: tuple[str, str], linked: bool
) -> None:
    outer = chat(recently, tokens=None, error=True, scope=scopes[0], extra={"error.type": "RateLimitError"})
    inner = chat(
        recently + 0.001,
        seconds=0.99,
        tokens=None,
        error=True,
        scope=scopes[1],
        trace=outer.trace,
        parent=outer.span if linked else 0,
        extra={"error.type": "openai.RateLimitError"},
    )

    assert only(ledger.booked(outer, inner))["completeness"] == "failed_not_billed"


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize("calls", [1, 4])
def test_three_instrumentations_on_one_client_are_one_call(
    ledger: Ledger, recently: float, nested: bool, calls: int
) -> None:
    trace, spans = new_id(), list[SpanSpec]()
    for number in range(calls):  # parallel and alike
        parent = 0
        for depth, scope in enumerate((OPENINFERENCE, TRACELOOP, OFFICIAL)):
            extra = {"gen_ai.response.id": f"chatcmpl-{number:028}"} if scope == OFFICIAL else {TEAM: "core"}
            at = recently + number / 1000 + depth / 100
            span = chat(at, seconds=1 - depth / 50, scope=scope, trace=trace, parent=parent, extra=extra)
            spans.append(span)
            parent = span.span if nested else 0

    rows = ledger.booked(*spans)

    assert [(row["team"], row["response_id"] != "") for row in rows] == [("core", True)] * calls
    assert sum(row["winner_span_id"] != "" for row in ledger.rows("select winner_span_id from spans_judged")) == (
        0 if nested else 2 * calls
    )


def test_alike_calls_of_one_instrumentation_are_calls_of_their_own(ledger: Ledger, recently: float) -> None:
    trace = new_id()

    assert len(ledger.booked(*(chat(recently, trace=trace) for _ in range(5)))) == 5


def test_a_duplicate_that_no_response_id_links_follows_its_twin_to_the_winner(ledger: Ledger, recently: float) -> None:
    caller = chat(recently, seconds=3, extra={**UNIQUE, TEAM: "core"})
    inner = chat(recently + 0.1, seconds=2, extra=UNIQUE)
    blind = replace(inner, span=new_id(), scope=OPENINFERENCE, attributes=chat(0, extra={"user.id": "u1"}).attributes)

    call = only(ledger.booked(blind, inner, caller))

    assert (call["span_id"], call["user"]) == (caller.span_id, "u1")
    assert judged(ledger, blind)["winner_span_id"] == caller.span_id


def test_a_gateway_that_saw_the_whole_stream_lends_its_counts_to_a_caller_that_hung_up(
    ledger: Ledger, recently: float
) -> None:
    caller = chat(recently, tokens=(1000, 10), error=True, extra={**UNIQUE, TEAM: "core"})
    gateway = chat(recently + 0.1, seconds=9, service="gateway", extra={**UNIQUE, TEAM: "platform"})

    call = only(ledger.booked(caller, gateway))

    assert (call["output_tokens"], call["completeness"]) == (100, "priced")
    assert (call["team"], call["service"]) == ("core", "app")


def test_of_a_gateway_and_its_caller_the_one_bills_whose_model_has_a_price(ledger: Ledger, recently: float) -> None:
    caller = chat(recently, extra={**UNIQUE, TEAM: "core", "gen_ai.response.model": "smart"})
    gateway = chat(recently + 0.1, service="gateway", extra={**UNIQUE, TEAM: "platform"})

    call = only(ledger.booked(caller, gateway))

    assert (call["model"], call["team"], call["service"], call["completeness"]) == (
        "gpt-4o-mini",
        "core",
        "app",
        "priced",
    )


def test_a_gateway_in_the_callers_own_trace_leaves_the_callers_tags(ledger: Ledger, recently: float) -> None:
    caller = chat(recently, seconds=3, extra={TEAM: "core"})
    gateway = chat(
        recently + 0.1,
        trace=caller.trace,
        parent=caller.span,
        service="gateway",
        extra={TEAM: "platform", "spanledger.gateway": "true"},
    )

    assert only(ledger.booked(caller, gateway))["team"] == "core"


def test_counts_that_were_invented_below_a_span_that_knows_them_do_not_bill(ledger: Ledger, recently: float) -> None:
    outer = chat(recently, extra={"gen_ai.request.stream": True})
    inner = chat(
        recently + 0.1,
        seconds=0.5,
        tokens=(29, 15),
        scope="openlit.openai",
        trace=outer.trace,
        parent=outer.span,
        extra={"gen_ai.request.stream": True},
    )

    assert only(ledger.booked(outer, inner))["span_id"] == outer.span_id
    assert judged(ledger, inner)["winner_span_id"] == outer.span_id


def test_an_agent_over_calls_without_a_link_is_their_wrapper(ledger: Ledger, recently: float) -> None:
    whole = agent(recently, tokens=(2000, 200), agent_name="planner")
    calls = [chat(recently + 1 + number, trace=whole.trace) for number in range(2)]

    assert [(row["agent"], row["span_id"]) for row in ledger.booked(whole, *calls)] == [
        ("planner", call.span_id) for call in calls
    ]


def test_a_batch_that_is_fetched_again_and_again_bills_once(ledger: Ledger, recently: float) -> None:
    done = {"gen_ai.response.id": "batch-" + "0123456789abcdef" * 2}

    assert len(ledger.booked(*(chat(recently + 60 * number, extra=done) for number in range(5)))) == 1


def test_one_span_with_two_starts_is_one_call(ledger: Ledger, recently: float) -> None:
    first = chat(recently, tokens=None)
    again = replace(first, start=recently + 0.5, attributes=chat(recently).attributes)

    assert only(ledger.booked(first, again))["input_tokens"] == 1000


def test_a_pair_that_nothing_ties_together_is_never_money_twice(ledger: Ledger, recently: float) -> None:
    """One instrumentation tells the usage, another one does not: without link, id or counts it cannot be told from two calls at a time."""
    told = chat(recently)
    silent = chat(recently + 0.1, seconds=0.8, tokens=None, trace=told.trace, scope="openinference.instrumentation.x")

    calls = ledger.settled(silent, told)

    assert [(call["span_id"], call["completeness"]) for call in calls] == [
        (told.span_id, "priced"),
        (silent.span_id, "no_usage"),
    ]
    assert ledger.row(
        "select sum(c.known_usd) = max(c.known_usd) as once, sum(c.unknown_calls) as unknown from cost_by_team as c"
    ) == {
        "once": 1,
        "unknown": 1,
    }
