"""Of all spans that describe one provider call exactly one bills, whatever the order, delay and cut of their delivery."""

import random
from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.ledger import Ledger, only
from tests.otlp import SpanSpec, agent, chat, new_id
from tests.sql.traffic import TEAM, Traffic


def verdicts(ledger: Ledger) -> dict[str, str]:
    return {row["span_id"]: row["verdict"] for row in ledger.rows("select span_id, verdict from spans_judged")}


def test_an_agent_that_carries_the_total_of_its_calls_does_not_bill(ledger: Ledger, recently: float) -> None:
    whole = agent(recently, tokens=(2000, 200))
    first = chat(recently + 1, trace=whole.trace, parent=whole.span)
    second = chat(recently + 3, trace=whole.trace, parent=whole.span)

    calls = ledger.booked(second, whole, first)

    assert [call["span_id"] for call in calls] == [first.span_id, second.span_id]
    assert verdicts(ledger)[whole.span_id] == "wrapper"


def test_an_agent_that_alone_reports_usage_bills(ledger: Ledger, recently: float) -> None:
    whole = agent(
        recently, tokens=(2000, 200), extra={"gen_ai.request.model": "gpt-4o-mini", "gen_ai.provider.name": "openai"}
    )
    below = chat(recently + 1, tokens=None, trace=whole.trace, parent=whole.span)

    call = only(ledger.booked(whole, below))

    assert (call["span_id"], call["input_tokens"], call["output_tokens"]) == (whole.span_id, 2000, 200)
    judged = ledger.row("select * from spans_judged where span_id = {id:String}", id=below.span_id)
    assert (judged["verdict"], judged["winner_span_id"]) == ("covered", whole.span_id)


def test_a_wrapper_that_just_ended_waits_for_its_children(ledger: Ledger) -> None:
    import time

    whole = agent(time.time() - 20, tokens=(2000, 200), extra={"gen_ai.request.model": "gpt-4o-mini"})

    assert ledger.booked(whole) == []
    assert verdicts(ledger) == {whole.span_id: "pending"}


def test_a_framework_span_over_the_clients_span_is_one_call(ledger: Ledger, recently: float) -> None:
    outer = chat(recently, seconds=3, scope="opentelemetry.instrumentation.langchain", extra={TEAM: "core"})
    inner = chat(recently + 1, trace=outer.trace, parent=outer.span)

    call = only(ledger.booked(outer, inner))

    assert (call["span_id"], call["team"]) == (inner.span_id, "core")


def test_a_gateway_and_the_application_bill_once_and_the_caller_wins(ledger: Ledger, recently: float) -> None:
    response = {"gen_ai.response.id": "chatcmpl-" + "a1b2c3d4" * 3}
    caller = chat(recently, seconds=3, extra={**response, TEAM: "core"})
    gateway = chat(
        recently + 0.1,
        seconds=2,
        service="gateway",
        extra={**response, "spanledger.feature": "proxy", "gen_ai.response.model": "house-model"},
    )

    call = only(ledger.booked(gateway, caller))

    assert (call["span_id"], call["team"], call["feature"]) == (caller.span_id, "core", "proxy")
    judged = ledger.row("select * from spans_judged where span_id = {id:String}", id=gateway.span_id)
    assert (judged["verdict"], judged["winner_span_id"], judged["winner_trace_id"]) == (
        "duplicate",
        caller.span_id,
        caller.trace_id,
    )


def test_two_witnesses_that_count_the_output_differently_are_one_call(ledger: Ledger, recently: float) -> None:
    response = {"gen_ai.response.id": "msg_" + "0123456789abcdef" * 2}

    calls = ledger.booked(
        chat(recently, tokens=(1000, 60), extra=response), chat(recently, tokens=(1000, 61), extra=response)
    )

    assert len(calls) == 1


def test_the_callers_tags_win_over_a_gateways_whose_clock_is_ahead(ledger: Ledger, recently: float) -> None:
    response = {"gen_ai.response.id": "chatcmpl-" + "a1b2c3d4" * 3}
    caller = chat(recently, extra={**response, "spanledger.tenant": "acme"})
    gateway = chat(recently - 1, extra={**response, "spanledger.tenant": "platform", "spanledger.gateway": "true"})

    assert only(ledger.booked(gateway, caller))["tenant"] == "acme"


def test_many_spans_between_an_agent_and_its_call_change_nothing(ledger: Ledger, recently: float) -> None:
    whole = agent(recently, seconds=300, tokens=(1000, 100))
    between, parent = [], whole.span
    for _ in range(100):
        between.append(
            SpanSpec(recently, recently + 200, {}, trace=whole.trace, parent=parent, scope="app", name="step")
        )
        parent = between[-1].span
    call = chat(recently + 1, trace=whole.trace, parent=parent)

    assert only(ledger.booked(whole, *between, call))["span_id"] == call.span_id


def test_two_tenants_with_one_response_id_are_two_calls(ledger: Ledger, recently: float) -> None:
    response = {"gen_ai.response.id": "chatcmpl-" + "a1b2c3d4" * 3}

    calls = ledger.booked(
        chat(recently, extra={**response, "spanledger.tenant": "acme"}),
        chat(recently, extra={**response, "spanledger.tenant": "globex"}),
    )

    assert [call["tenant"] for call in calls] == ["acme", "globex"]


def test_response_ids_that_repeat_are_different_calls_unless_they_overlap(ledger: Ledger, recently: float) -> None:
    response = {"gen_ai.response.id": "chatcmpl-213"}

    calls = ledger.booked(
        chat(recently, extra=response),
        chat(recently + 60, extra=response),
        chat(recently + 60.2, seconds=0.5, extra=response),
    )

    assert len(calls) == 2


def test_a_forked_session_that_replays_its_history_bills_nothing_again(ledger: Ledger, recently: float) -> None:
    original = chat(recently, extra={"gen_ai.response.id": "msg_" + "0123456789abcdef" * 2})
    replay = replace(original, trace=new_id(), span=new_id(), start=recently + 7200, end=recently + 7201)

    assert only(ledger.booked(replay, original))["span_id"] == original.span_id


def test_a_lost_parent_is_replaced_by_the_wrapper_around_it_in_time(ledger: Ledger, recently: float) -> None:
    whole = agent(recently, tokens=(1000, 100), agent_name="planner")
    orphan = chat(recently + 1, trace=whole.trace, parent=new_id())

    call = only(ledger.booked(whole, orphan))

    assert (call["span_id"], call["agent"]) == (orphan.span_id, "planner")
    reason = ledger.row("select reason from spans_judged where span_id = {id:String}", id=whole.span_id)["reason"]
    assert reason == "a span below it reports the usage"


def test_a_parent_that_comes_hours_later_takes_its_verdict_then(ledger: Ledger, recently: float) -> None:
    whole = agent(recently, tokens=(1000, 100), extra={TEAM: "core"})
    below = chat(recently + 1, trace=whole.trace, parent=whole.span)

    before = only(ledger.booked(below))
    after = only(ledger.settled(whole))

    assert (before["span_id"], before["team"]) == (below.span_id, "")
    assert (after["span_id"], after["team"]) == (below.span_id, "core")
    assert [(row["team"], row["calls"]) for row in ledger.rows("select team, calls from cost_by_team")] == [("core", 1)]


@pytest.mark.parametrize("seed", [1, 2])
def test_random_traffic_in_any_order_late_repeated_and_cut_anew_gives_the_true_numbers(
    ledger: Ledger, recently: float, seed: int
) -> None:
    dice = random.Random(seed)
    traffic = Traffic(dice, recently // 3600 * 3600 - 12 * 3600)
    for _ in range(150):
        traffic.trace()
    delivery = traffic.spans + dice.sample(traffic.spans, len(traffic.spans) // 6)
    dice.shuffle(delivery)

    while delivery:
        size = dice.choice([20, 150, 400])
        ledger.deliver(*delivery[:size])
        del delivery[:size]
        if dice.random() < 0.3:
            ledger.settle()
    ledger.settle()

    assert measured(ledger) == traffic.truth
    check = ledger.row("select sum(abs(calls_difference)) as calls, sum(abs(usd_difference)) as usd from ledger_check")
    assert check == {"calls": 0, "usd": Decimal(0)}


def measured(ledger: Ledger) -> dict[tuple[int, str, str, str], Counter[str]]:
    rows = ledger.rows(
        "select intDiv(toUnixTimestamp(bucket), 3600) as hour, team, agent, model, sum(c.calls) as calls, "
        "sumIf(c.calls, completeness = 'no_usage') as no_usage, "
        "sum(c.input_tokens) as input, sum(c.output_tokens) as output "
        "from costs as c group by hour, team, agent, model"
    )
    return {
        (row["hour"], row["team"], row["agent"], row["model"]): Counter(
            {name: row[name] for name in ("calls", "no_usage", "input", "output")}
        )
        for row in rows
    }
