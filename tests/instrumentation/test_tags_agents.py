"""The agent and the step of a call: by tag, by the agent span around it, or by the LangGraph node that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest
from opentelemetry import trace

import spanledger
from spanledger.scopes import current_tags

if TYPE_CHECKING:
    from spanledger_collector.demo.vendor import VendorServer
    from tests.instrumentation.conftest import Metered, ReceivedSpan

tracer = trace.get_tracer("application")
AGENT = {"gen_ai.operation.name": "invoke_agent"}
CALL = {"gen_ai.operation.name": "chat"}


def agent_span(name: str) -> Any:
    return tracer.start_as_current_span("agent", attributes={**AGENT, "gen_ai.agent.name": name})


def call() -> None:
    tracer.start_span("call", attributes=CALL).end()


def calls(metered: Metered) -> list[tuple[Any, Any]]:
    return [named(span) for span in metered.collect() if span.name == "call"]


def named(span: ReceivedSpan) -> tuple[Any, Any]:
    return span.attributes.get("gen_ai.agent.name"), span.attributes.get("spanledger.agent.step")


def test_agent_and_step_read_as_they_are_meant(metered: Metered) -> None:
    @spanledger.step("write")
    def write() -> None:
        call()

    with spanledger.agent("planner"):
        with spanledger.step("plan"):
            call()
        write()

    assert calls(metered) == [("planner", "plan"), ("planner", "write")]


def test_a_step_belongs_to_its_agent_and_to_no_agent_inside_it() -> None:
    with spanledger.agent("planner", step="delegate"):
        with spanledger.agent("writer"):
            inner = dict(current_tags())
        with spanledger.agent("planner"):
            same = dict(current_tags())

    assert inner == {"gen_ai.agent.name": "writer"}
    assert same == {"gen_ai.agent.name": "planner", "spanledger.agent.step": "delegate"}


def test_a_call_takes_the_name_of_the_nearest_agent_span(metered: Metered) -> None:
    with agent_span("outer"), tracer.start_as_current_span("some function"):
        call()
        with agent_span("inner"):
            call()
        call()
    call()

    assert calls(metered) == [("outer", None), ("inner", None), ("outer", None), (None, None)]


def test_spans_that_are_no_genai_work_take_no_name(metered: Metered) -> None:
    with agent_span("outer"), tracer.start_as_current_span("database"):
        pass

    assert [named(span) for span in metered.collect()] == [("outer", None), (None, None)]


def test_of_a_tag_and_an_agent_span_the_inner_one_counts(metered: Metered) -> None:
    with spanledger.agent("tag"), agent_span("span"):
        call()
        with spanledger.agent("inner tag"):
            call()
            with agent_span("inner span"):
                call()

    assert calls(metered) == [("span", None), ("inner tag", None), ("inner span", None)]


def test_a_langgraph_node_is_the_step_of_its_calls(metered: Metered, vendor: VendorServer) -> None:
    graphs = pytest.importorskip("langgraph.graph")
    client = openai.OpenAI(api_key="k", base_url=f"{vendor.url}/v1")

    def node(state: dict[str, str]) -> dict[str, str]:
        client.chat.completions.create(model="gpt-5-mini", messages=[{"role": "user", "content": "hi"}])
        return {}

    graph = graphs.StateGraph(dict)
    graph.add_node("plan", node)
    graph.add_node("write", node)
    graph.add_edge(graphs.START, "plan")
    graph.add_edge("plan", "write")
    with client:
        graph.compile().invoke({})
        with spanledger.step("said by hand"):
            graph.compile().invoke({})

    # Where LangGraph itself is instrumented, its workflow is a span too.
    calls_made = [span for span in metered.collect() if span.attributes["gen_ai.operation.name"] == "chat"]
    steps = [span.attributes.get("spanledger.agent.step") for span in calls_made]
    assert steps == ["plan", "write", "said by hand", "said by hand"]
