"""Field cases: one call counted more than once, or not at all."""

import random
from collections.abc import Sequence
from decimal import Decimal

import pytest

from tests.ledger import Ledger
from tests.otlp import SpanSpec, agent, chat
from tests.sql.cases import Case, chat_of, deliver, row, shown

OPENINFERENCE = "openinference.instrumentation.crewai"


def agent_over_its_calls(start: float) -> Sequence[SpanSpec]:
    whole = agent(start, tokens=(30104, 2000), extra={"gen_ai.request.model": "gpt-4o"})
    counts = [(10000, 700), (10104, 700), (10000, 600)]
    return [
        whole,
        *(
            chat_of("gpt-4o", "openai", start + 1 + at, tokens, trace=whole.trace, parent=whole.span)
            for at, tokens in enumerate(counts)
        ),
    ]


def framework_over_client(start: float) -> Sequence[SpanSpec]:
    outer = chat(start, seconds=3, tokens=(7000, 500), scope="opentelemetry.instrumentation.langchain")
    return [outer, chat(start + 1, tokens=(6100, 400), trace=outer.trace, parent=outer.span)]


def two_instrumentations_side_by_side(start: float) -> Sequence[SpanSpec]:
    answer = {"gen_ai.response.id": "chatcmpl-BzQ81xkEw0sWvqsN5sPTRuOPmLk9D"}
    first = chat(start, tokens=(6100, 400), extra=answer)
    other = chat(start + 0.01, tokens=(6100, 400), extra=answer, trace=first.trace, scope="openinference.x")
    return [first, other]


def agent_alone(start: float) -> Sequence[SpanSpec]:
    return [
        agent(start, tokens=(2000, 200), extra={"gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai"})
    ]


def chain_alone(start: float) -> Sequence[SpanSpec]:
    attributes = {
        "openinference.span.kind": "CHAIN", "llm.model_name": "gpt-4o", "llm.provider": "openai",
        "llm.token_count.prompt": 2000, "llm.token_count.completion": 200,
    }  # fmt: skip
    kickoff = SpanSpec(start, start + 5, attributes, scope=OPENINFERENCE, name="Crew.kickoff")
    step = SpanSpec(
        start + 1, start + 4, {"openinference.span.kind": "AGENT"}, trace=kickoff.trace, parent=kickoff.span,
        scope=OPENINFERENCE, name="Task._execute_core",
    )  # fmt: skip
    return [kickoff, step]


def gateway_and_application(start: float) -> Sequence[SpanSpec]:
    answer = {"gen_ai.response.id": "chatcmpl-CaP2wE9YdXn4Qm1TzK7sLhVbGfR03"}
    application = chat_of("smart", "openai", start, (1000, 100), extra=answer | {"spanledger.team": "caller"})
    gateway = chat_of(
        "gpt-4o", "openai", start + 0.1, (1000, 100), seconds=0.8,
        extra=answer | {"spanledger.gateway": True, "spanledger.team": "platform"},
    )  # fmt: skip
    return [gateway, application]


def the_same_id_again_and_again(start: float) -> Sequence[SpanSpec]:
    return [
        chat_of("gpt-4o", "openai", start + 60 * at, (1000, 100), gen_ai__response__id="chatcmpl-213")
        for at in range(3)
    ]


def a_finished_batch_fetched_three_times(start: float) -> Sequence[SpanSpec]:
    answer = {"gen_ai.response.id": "batch_68f7c2d1a0b48190a1b2c3d4e5f60718", "openai.response.service_tier": "batch"}
    return [chat_of("gpt-4o", "openai", start + 300 * at, (1000, 100), extra=answer) for at in range(3)]


def a_response_fetched_later(start: float) -> Sequence[SpanSpec]:
    answer = {"gen_ai.response.id": "resp_68f7c2d1a0b48190a1b2c3d4e5f60718"}
    first = chat_of("gpt-4o", "openai", start, (1000, 100), extra=answer)
    fetch = chat_of(
        "gpt-4o", "openai", start + 9, (1000, 100), extra=answer | {"gen_ai.operation.name": "fetch_response"}
    )
    return [first, fetch]


def a_forked_session_replays_its_history(start: float) -> Sequence[SpanSpec]:
    spans = []
    for fork in range(4):
        for turn in range(5 + fork):
            answer = {"gen_ai.response.id": f"msg_01Xf{turn:020}"}
            # the first session lived through turns 0 to 4; each fork replays all before it and adds one
            start_of_turn = start + 600 * fork + turn
            spans.append(chat_of("claude-sonnet-4-5", "anthropic", start_of_turn, (1000, 100), extra=answer))
    return spans


def a_stream_recorded_twice(start: float) -> Sequence[SpanSpec]:
    early = chat_of("gpt-4o", "openai", start, None, gen_ai__request__stream=True)
    late = chat_of(
        "gpt-4o", "openai", start, (1000, 100), gen_ai__request__stream=True, trace=early.trace, span=early.span
    )
    return [early, late]


def a_streams_usage_on_the_call_and_on_its_stream(start: float) -> Sequence[SpanSpec]:
    answer = {"gen_ai.response.id": "chatcmpl-DkQ2wE9YdXn4Qm1TzK7sLhVbGfR77", "gen_ai.request.stream": True}
    call = chat_of("gpt-4o", "openai", start, (1000, 100), seconds=4, extra=answer)
    stream = chat_of("gpt-4o", "openai", start + 1, (1000, 100), extra=answer, trace=call.trace, parent=call.span)
    return [call, stream]


ONE = row("0.0035")
CASES = [
    Case(
        "an agent carries the total of its loop", "langfuse#14754, fullsend-ai/fullsend#5788", agent_over_its_calls,
        [row("0.032", input_tokens=10000), row("0.03226", input_tokens=10104), row("0.031", input_tokens=10000)],
    ),
    Case(
        "a framework's span over the client's", "langfuse#8700, openinference#2758 #2118 #1614", framework_over_client,
        [row("0.001155", input_tokens=6100, output_tokens=400)],
    ),
    Case(
        "two instrumentations side by side", "openinference#2118", two_instrumentations_side_by_side,
        [row("0.001155", input_tokens=6100, output_tokens=400)],
    ),
    Case("usage on the agent's span alone", "langfuse, same code path", agent_alone, [row("0.007")]),
    Case("usage on a chain without a call under it", "openinference#1213 #949", chain_alone, [row("0.007")]),
    Case(
        "a gateway and the application", "general", gateway_and_application,
        [row("0.0035", model="gpt-4o", team="caller")],
    ),
    Case("a response id that comes again and again", "litellm#28376", the_same_id_again_and_again, [ONE, ONE, ONE]),
    Case(
        "a finished batch fetched three times", "litellm#12084", a_finished_batch_fetched_three_times,
        [row("0.00175")],
    ),
    Case("a stored response fetched later", "litellm#12084", a_response_fetched_later, [ONE]),
    Case(
        "a forked session that replays its history", "ccusage#1349, opencode#36944", a_forked_session_replays_its_history,
        [row("0.0045")] * 8,
    ),
    Case("a stream recorded before and after its usage", "agentUniverse#3252", a_stream_recorded_twice, [ONE]),
    Case(
        "a stream's usage on two spans", "agentUniverse#3252", a_streams_usage_on_the_call_and_on_its_stream, [ONE]
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def told(_ledger_of_module: Ledger) -> Ledger:
    import time

    _ledger_of_module.empty()
    deliver(_ledger_of_module, CASES, float(int(time.time()) - 6 * 3600))
    return _ledger_of_module


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_call_bills_once(told: Ledger, case: Case) -> None:
    assert shown(told, case) == list(case.billed)


def test_the_agent_of_langfuse_costs_what_the_vendor_billed(told: Ledger) -> None:
    # shown there: $0.19052
    total = told.row("select sum(known_usd) as usd from costs where service = 'an agent carries the total of its loop'")

    assert total == {"usd": Decimal("0.09526")}


def test_two_views_of_one_run_agree(told: Ledger) -> None:
    """logfire#2156, langfuse#5358 #4249: $0.36 here and $1.60 there."""
    views = ["team", "feature", "tenant", "user", "session", "agent", "task", "model"]
    sums = {
        name: told.row(f"select sum(known_usd) as usd, sum(c.calls) as n from cost_by_{name} as c") for name in views
    }
    sums["calls"] = told.row("select sum(cost_usd) as usd, count() as n from calls")
    sums["completeness"] = told.row("select sum(known_usd) as usd, sum(c.calls) as n from completeness as c")

    assert len({(total["usd"], total["n"]) for total in sums.values()}) == 1


def test_an_export_retried_in_differently_cut_batches_adds_nothing(ledger: Ledger, recently: float) -> None:
    """opentelemetry-collector#11056, and Langfuse v4's read path: duplicates must not show before a merge, either."""
    spans = [chat_of("gpt-4o", "openai", recently + at, (1000, 100)) for at in range(40)]
    ledger.client.command("system stop merges genai_calls")
    try:
        shuffled = random.Random(5)
        for _ in range(4):
            again = spans[:]
            shuffled.shuffle(again)
            cut = shuffled.randrange(5, 35)
            ledger.deliver(*again[:cut])
            ledger.deliver(*again[cut:])
        ledger.settled()

        assert ledger.row("select count() as n, sum(cost_usd) as usd from calls") == {"n": 40, "usd": Decimal("0.14")}
        assert ledger.row("select sum(known_usd) as usd from cost_by_team") == {"usd": Decimal("0.14")}
    finally:
        ledger.client.command("system start merges genai_calls")


def test_a_call_whose_model_is_blank_stays_in_the_view_by_model(ledger: Ledger, recently: float) -> None:
    """litellm#35472: it vanished from the view by model and stayed in the total."""
    nameless = chat(recently, extra={"gen_ai.request.model": None, "gen_ai.response.model": None})
    ledger.settled(nameless, chat(recently + 1))

    assert ledger.rows("select model, calls, unknown_calls from cost_by_model order by model") == [
        {"model": "", "calls": 1, "unknown_calls": 1},
        {"model": "gpt-4o-mini", "calls": 1, "unknown_calls": 0},
    ]
    assert ledger.row("select model, calls from unpriced_models") == {"model": "", "calls": 1}
