"""Traffic made to deceive the election: one span within another, ids and counts that are alike, and yet the true number of calls."""

import pytest

from tests.ledger import Ledger
from tests.otlp import SpanSpec, agent, chat

ADK = "gcp.vertex.agent"
TENANT = "spanledger.tenant"


def answered(letter: str) -> dict[str, str]:
    return {"gen_ai.response.id": "chatcmpl-" + letter * 29}


def embedding(start: float, parent: SpanSpec) -> SpanSpec:
    attributes = {
        "gen_ai.operation.name": "embeddings", "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "text-embedding-3-small", "gen_ai.usage.input_tokens": 50,
    }  # fmt: skip
    return SpanSpec(start, start + 0.5, attributes, trace=parent.trace, parent=parent.span, scope="app")


def counts(ledger: Ledger, *spans: SpanSpec) -> list[tuple[int, int]]:
    return [(call["input_tokens"], call["output_tokens"]) for call in ledger.booked(*spans)]


@pytest.mark.parametrize("ids", [True, False])
def test_a_call_within_which_a_tool_runs_bills_beside_the_calls_of_the_tool(
    ledger: Ledger, recently: float, ids: bool
) -> None:
    """The model's span of Google ADK lies around a generator, and so around what runs while the generator waits."""
    first, second = (answered("A"), answered("B")) if ids else ({}, {})
    outer = chat(recently, seconds=10, tokens=(1000, 50), scope=ADK, extra=first)
    tool = SpanSpec(
        recently + 2, recently + 9, {"gen_ai.operation.name": "execute_tool"}, outer.trace, parent=outer.span, scope=ADK
    )
    asked = agent(recently + 3, seconds=5, trace=outer.trace, parent=tool.span, scope=ADK)
    inner = chat(
        recently + 4, seconds=2, tokens=(2000, 60), trace=outer.trace, parent=asked.span, scope=ADK, extra=second
    )

    assert counts(ledger, outer, tool, asked, inner) == [(1000, 50), (2000, 60)]


def test_a_call_within_a_call_of_another_response_bills_as_well(ledger: Ledger, recently: float) -> None:
    outer = chat(recently, seconds=10, tokens=(1000, 50), extra=answered("A"))
    inner = chat(recently + 4, tokens=(2000, 60), trace=outer.trace, parent=outer.span, extra=answered("B"))

    assert counts(ledger, outer, inner) == [(1000, 50), (2000, 60)]


def test_an_embedding_does_not_stand_for_the_usage_of_the_span_above_it(ledger: Ledger, recently: float) -> None:
    model = {"gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai"}
    whole = agent(recently, tokens=(10000, 500), extra=model)
    call = chat(recently + 60, seconds=9)

    assert counts(ledger, whole, embedding(recently + 1, whole), call, embedding(recently + 61, call)) == [
        (10000, 500),
        (50, 0),
        (1000, 100),
        (50, 0),
    ]


@pytest.mark.parametrize("gateway", [True, False])
def test_alike_calls_of_two_services_are_two_and_a_gateway_is_none(
    ledger: Ledger, recently: float, gateway: bool
) -> None:
    first = chat(recently, tokens=(500, 1), service="a")
    marked = {"spanledger.gateway": gateway or None}
    other = chat(
        recently + 0.2,
        tokens=(500, 1),
        trace=first.trace,
        scope="ai",
        service="b",
        extra={name: value for name, value in marked.items() if value},
    )

    assert len(ledger.booked(first, other)) == (1 if gateway else 2)


@pytest.mark.parametrize("early", [-0.1, 0.1])
def test_a_witness_without_a_tenant_is_no_call_of_its_own(ledger: Ledger, recently: float, early: float) -> None:
    spans = [
        chat(recently, seconds=2, extra={**answered("Q"), TENANT: "acme"}),
        chat(recently + 0.1, extra={**answered("Q"), TENANT: "globex"}),
        chat(recently + early, seconds=2, extra=answered("Q"), scope="litellm", service="proxy"),
    ]

    assert [call["tenant"] for call in ledger.booked(*spans)] == ["acme", "globex"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_response_made_in_the_background_and_fetched_later_is_one_call(
    ledger: Ledger, recently: float, order: tuple[int, int]
) -> None:
    spans = (chat(recently, tokens=None, extra=answered("R")), chat(recently + 60, extra=answered("R")))

    for index in order:
        ledger.deliver(spans[index])
        ledger.booked()

    assert counts(ledger) == [(1000, 100)]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_call_that_its_caller_broke_off_costs_what_the_gateway_knows(
    ledger: Ledger, recently: float, order: tuple[int, int]
) -> None:
    broken = {"error.type": "CancelledError", "spanledger.team": "caller", "gen_ai.response.finish_reasons": None}
    spans = (
        chat(recently, tokens=None, error=True, extra=answered("S") | broken),
        chat(recently + 0.1, service="proxy", extra=answered("S") | {"spanledger.gateway": True}),
    )

    for index in order:
        ledger.deliver(spans[index])
        ledger.booked()
    [call] = ledger.booked()

    assert (call["team"], call["completeness"], call["input_tokens"]) == ("caller", "priced", 1000)


def test_two_calls_that_broke_off_are_two(ledger: Ledger, recently: float) -> None:
    broken = {"error.type": "CancelledError", "gen_ai.response.finish_reasons": None}
    spans = [
        chat(recently + n, tokens=None, error=True, extra=answered(letter) | broken) for n, letter in enumerate("TU")
    ]

    assert [call["completeness"] for call in ledger.booked(*spans)] == ["failed_maybe_billed"] * 2


def test_spans_of_two_tenants_with_the_same_ids_are_two_calls(ledger: Ledger, recently: float) -> None:
    first = chat(recently, extra={TENANT: "acme"})
    other = chat(recently + 60, tokens=(2000, 200), trace=first.trace, span=first.span, extra={TENANT: "globex"})

    assert counts(ledger, first, other) == [(1000, 100), (2000, 200)]


def test_a_span_that_two_tenants_sent_with_the_same_ids_and_start_is_one_call_and_shown(
    ledger: Ledger, recently: float
) -> None:
    first = chat(recently, extra={TENANT: "acme"})
    other = chat(recently, tokens=(2000, 200), trace=first.trace, span=first.span, extra={TENANT: "globex"})
    alone = chat(recently + 1, extra={TENANT: "acme"})

    assert len(counts(ledger, first, other, alone, alone)) == 2
    [shared] = ledger.rows("select span_id, arraySort(tenants) as tenants, deliveries from shared_ids")
    assert shared == {"span_id": first.span_id, "tenants": ["acme", "globex"], "deliveries": 2}


@pytest.mark.parametrize("service", ["app", "theirs"])
def test_another_tenants_span_within_a_call_takes_nothing_from_it(
    ledger: Ledger, recently: float, service: str
) -> None:
    call = chat(recently, seconds=5, extra={TENANT: "acme", "user.id": "ana"})
    foreign = chat(
        recently + 1, tokens=(1, 1), trace=call.trace, parent=call.span, service=service, extra={TENANT: "globex"}
    )

    billed = ledger.booked(foreign, call)
    assert [(row["tenant"], row["user"], row["input_tokens"]) for row in billed] == [
        ("acme", "ana", 1000),
        ("globex", "", 1),
    ]


@pytest.mark.parametrize("tokens", [None, (5000, 50)])
def test_another_tenants_service_within_an_agent_is_a_call_of_its_own(
    ledger: Ledger, recently: float, tokens: tuple[int, int] | None
) -> None:
    whole = agent(recently, tokens=tokens, extra={TENANT: "acme", "gen_ai.request.model": "gpt-4o-mini"})
    foreign = chat(recently + 1, trace=whole.trace, parent=whole.span, service="theirs", extra={TENANT: "globex"})

    assert counts(ledger, whole, foreign) == [counted for counted in (tokens, (1000, 100)) if counted]


def test_another_tenants_span_above_a_call_does_not_stand_for_it(ledger: Ledger, recently: float) -> None:
    foreign = agent(recently, tokens=(1, 1), service="theirs", extra={TENANT: "globex"})
    call = chat(recently + 1, tokens=None, trace=foreign.trace, parent=foreign.span, extra={TENANT: "acme"})

    assert [(row["tenant"], row["completeness"]) for row in ledger.booked(foreign, call)] == [
        ("globex", "unpriced_model"),
        ("acme", "no_usage"),
    ]


def test_an_agent_of_the_platform_whose_calls_are_its_customers_bills_once(ledger: Ledger, recently: float) -> None:
    whole = agent(recently, tokens=(1000, 100), extra={TENANT: "platform", "gen_ai.request.model": "gpt-4o-mini"})
    call = chat(recently + 1, trace=whole.trace, parent=whole.span, extra={TENANT: "acme"})

    assert [row["tenant"] for row in ledger.booked(whole, call)] == ["acme"]
