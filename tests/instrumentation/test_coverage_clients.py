"""Every client and framework that has an official instrumentation here, in the forms of call that it offers."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import spanledger
from spanledger_collector.receiver.door import OtlpRequest
from tests.instrumentation import clients_matrix, environments
from tests.instrumentation.wire_azure import azure_server
from tests.instrumentation.wire_bedrock import CONVERSE_USAGE, bedrock_server
from tests.instrumentation.wire_google import USAGE, google_server

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanledger_collector.demo.vendor import VendorServer
    from tests.instrumentation.conftest import Metered, ReceivedSpan
    from tests.ledger import Ledger

CLAUDE = "anthropic.claude-sonnet-4-5-20250929-v1:0"
GEMINI = "gemini-2.5-flash"
QUESTION = [{"role": "user", "content": [{"text": "Where is my order?"}]}]
BODY = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}

BEDROCK: dict[str, Callable[[Any], Any]] = {
    "converse": lambda client: client.converse(modelId=CLAUDE, messages=QUESTION),
    "converse stream": lambda client: list(client.converse_stream(modelId=CLAUDE, messages=QUESTION)["stream"]),
    "invoke": lambda client: client.invoke_model(modelId=CLAUDE, body=json.dumps(BODY))["body"].read(),
    "invoke stream": lambda client: list(
        client.invoke_model_with_response_stream(modelId=CLAUDE, body=json.dumps(BODY))["body"]
    ),
}


def usage(span: ReceivedSpan) -> dict[str, Any]:
    start = "gen_ai.usage."
    return {
        name.removeprefix(start): value
        for name, value in span.attributes.items()
        if name.startswith(start) and ".cost." not in name
    }


def test_every_form_of_call_of_the_clients_costs_what_the_vendor_bills() -> None:
    spans, bill = environments.spans_of(Path(sys.executable), str(clients_matrix.CALLS), "openai", "anthropic")

    assert len(bill) == 32
    assert clients_matrix.differences(spans, bill) == []


def test_azure_is_metered_like_openai(metered: Metered) -> None:
    from openai import AzureOpenAI

    with (
        azure_server() as azure,
        AzureOpenAI(azure_endpoint=azure.url, api_key="k", api_version="2024-10-21") as client,
    ):
        messages: Any = [{"role": "user", "content": "Hello"}]
        client.chat.completions.create(model="gpt-5-mini", messages=messages)
        list(
            client.chat.completions.create(
                model="gpt-5-mini", messages=messages, stream=True, stream_options={"include_usage": True}
            )
        )

    spans = metered.collect()
    assert [span.name for span in spans] == ["chat gpt-5-mini"] * 2
    for span in spans:
        assert usage(span) == {"input_tokens": 120, "output_tokens": 30}
        assert span.attributes["gen_ai.response.id"]
    assert not any({"traceparent", "baggage"} & request.headers.keys() for request in azure.requests)


@pytest.fixture
def bedrock_calls(metered: Metered) -> list[ReceivedSpan]:
    import boto3

    keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": "us-east-1"}
    with bedrock_server() as server:
        client = boto3.client("bedrock-runtime", endpoint_url=server.url, **keys)
        for form, call in BEDROCK.items():
            with spanledger.tags(team="search", feature=form):
                call(client)
        client.close()
    assert not any({"traceparent", "baggage"} & request.headers.keys() for request in server.requests)
    return metered.collect()


def test_bedrock_is_metered_once_per_call(bedrock_calls: list[ReceivedSpan]) -> None:
    assert [span.attributes["spanledger.feature"] for span in bedrock_calls] == list(BEDROCK)
    for span in bedrock_calls:
        assert span.scope == "opentelemetry.instrumentation.genai.bedrock"
        assert span.attributes["gen_ai.provider.name"] == "aws.bedrock"
        assert span.attributes["gen_ai.request.model"] == CLAUDE
        assert usage(span) == {
            "input_tokens": CONVERSE_USAGE["inputTokens"],
            "output_tokens": CONVERSE_USAGE["outputTokens"],
            "cache_read.input_tokens": CONVERSE_USAGE["cacheReadInputTokens"],
            "cache_write.input_tokens": CONVERSE_USAGE["cacheWriteInputTokens"],
        }


@pytest.fixture
def books(request: pytest.FixtureRequest) -> Ledger:
    """Return the real ledger; the name `ledger` is the endpoint's here."""
    ledger: Ledger = request.getfixturevalue("_ledger_of_module")
    return ledger


def test_bedrocks_counts_are_all_input_in_the_ledger(
    bedrock_calls: list[ReceivedSpan], metered: Metered, books: Ledger
) -> None:
    bodies = [body for path, body in metered.ledger.bodies if path == "/v1/traces"]
    books.deliver_requests(*(OtlpRequest("traces", "protobuf", body) for body in bodies))

    rows = books.booked()
    assert [row["feature"] for row in rows] == list(BEDROCK)
    for row in rows:
        assert (row["team"], row["completeness"]) == ("search", "priced")
        assert (row["input_tokens"], row["uncached_input_tokens"], row["output_tokens"]) == (3050, 50, 20)
        assert row["cost_usd"] > 0


def google_calls(server: Any) -> None:
    from google import genai
    from google.genai import types

    client = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=server.url))

    async def main() -> None:
        await client.aio.models.generate_content(model=GEMINI, contents="Hello")
        async for _ in await client.aio.models.generate_content_stream(model=GEMINI, contents="Hello"):
            pass
        await client.aio.aclose()

    client.models.generate_content(model=GEMINI, contents="Hello")
    list(client.models.generate_content_stream(model=GEMINI, contents="Hello"))
    asyncio.run(main())
    client.models.embed_content(model="gemini-embedding-001", contents="Hello")
    client.close()


def test_google_is_metered_in_every_form(metered: Metered) -> None:
    with google_server() as server:
        google_calls(server)

    *spans, embedding = metered.collect()
    assert [span.name for span in spans] == [f"generate_content {GEMINI}"] * 4
    assert embedding.name == "embeddings gemini-embedding-001"
    for span in spans:
        assert span.attributes["gen_ai.response.model"] == GEMINI
        assert span.attributes["gen_ai.response.id"] == "google-response-1"
        assert usage(span) == {
            "input_tokens": USAGE["promptTokenCount"],
            "output_tokens": USAGE["candidatesTokenCount"] + USAGE["thoughtsTokenCount"],
            "cache_read.input_tokens": USAGE["cachedContentTokenCount"],
            "reasoning.output_tokens": USAGE["thoughtsTokenCount"],
        }
    assert not any({"traceparent", "baggage"} & request.headers.keys() for request in server.requests)


LANGCHAIN = """
import spanledger
spanledger.instrument()
import asyncio, os
from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, MessagesState, StateGraph

gpt, claude = ChatOpenAI(model="gpt-5-mini", stream_usage=True), ChatAnthropic(model="claude-sonnet-5-5")
gpt.invoke("Hello")
list(gpt.stream("Hello"))
asyncio.run(gpt.ainvoke("Hello"))
claude.invoke("Hello")
list(claude.stream("Hello"))

graph = StateGraph(MessagesState)
graph.add_node("plan", lambda state: {"messages": [gpt.invoke(state["messages"])]})
graph.add_node("answer", lambda state: {"messages": [claude.invoke(state["messages"])]})
graph.add_edge(START, "plan")
graph.add_edge("plan", "answer")
graph.add_edge("answer", END)
graph.compile(name="support").invoke({"messages": [("user", "Hello")]})
"""


@pytest.fixture
def langchain(run_app: Any, vendor: VendorServer, ledger: Any) -> list[ReceivedSpan]:
    urls = {"OPENAI_BASE_URL": f"{vendor.url}/v1", "ANTHROPIC_BASE_URL": vendor.url, "LANGSMITH_TRACING": "false"}
    done = run_app(LANGCHAIN, SPANLEDGER_OTLP_ENDPOINT=ledger.url, **urls)
    assert (done.returncode, done.stderr) == (0, "")
    spans: list[ReceivedSpan] = ledger.spans
    return spans


def test_each_call_through_langchain_and_langgraph_has_one_span_with_its_usage(
    langchain: list[ReceivedSpan], vendor: VendorServer
) -> None:
    calls = [span for span in langchain if span.scope != "com.anthropic.sdk.python"]
    chats = [span for span in calls if span.attributes["gen_ai.operation.name"] == "chat"]

    assert [span.attributes["gen_ai.response.id"] for span in chats] == [entry.response_id for entry in vendor.bill]
    assert all(usage(span) == {"input_tokens": 120, "output_tokens": 30} for span in chats)


def test_the_calls_of_a_graph_are_within_its_workflow(langchain: list[ReceivedSpan]) -> None:
    (workflow,) = [span for span in langchain if span.attributes["gen_ai.operation.name"] == "invoke_workflow"]
    inside = [span for span in langchain if span.trace_id == workflow.trace_id and span.name.startswith("chat")]

    assert workflow.name == "invoke_workflow support"
    assert [span.name for span in inside] == ["chat gpt-5-mini", "chat claude-sonnet-5-5"]
    assert {span.attributes["spanledger.parent_genai_span_id"] for span in inside} == {workflow.span_id}
