"""The wrapper around Bedrock's and Google's clients: sizes, attempts, the shield, and what an own host gets."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from google import genai
from google.genai import types
from opentelemetry import baggage, trace
from opentelemetry import context as otel_context

from spanledger import calls
from spanledger.calls.options import Hosts
from tests.instrumentation.wire import Answer
from tests.instrumentation.wire_bedrock import bedrock_server
from tests.instrumentation.wire_google import google_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.instrumentation.conftest import Metered
    from tests.instrumentation.wire import WireRequest, WireServer

CLAUDE = "anthropic.claude-sonnet-4-5-20250929-v1:0"
GEMINI = "gemini-2.5-flash"
SYSTEM, QUESTION = "Be brief.", "Where is order 7?"
CONVERSE: dict[str, Any] = {
    "modelId": CLAUDE,
    "system": [{"text": SYSTEM}],
    "messages": [{"role": "user", "content": [{"text": QUESTION}]}],
}
BODY = json.dumps(
    {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 9,
        "system": SYSTEM,
        "messages": [{"role": "user", "content": QUESTION}],
    }
)
CONTEXT_HEADERS = {"traceparent", "tracestate", "baggage", "x-amzn-trace-id"}

BEDROCK: dict[str, Callable[[Any], Any]] = {
    "converse": lambda client: client.converse(**CONVERSE),
    "converse stream": lambda client: list(client.converse_stream(**CONVERSE)["stream"]),
    "invoke": lambda client: client.invoke_model(modelId=CLAUDE, body=BODY)["body"].read(),
    "invoke stream": lambda client: list(client.invoke_model_with_response_stream(modelId=CLAUDE, body=BODY)["body"]),
}


async def generate(client: Any, *, is_stream: bool) -> None:
    if is_stream:
        async for _ in await client.aio.models.generate_content_stream(**ASKED):
            pass
    else:
        await client.aio.models.generate_content(**ASKED)
    await client.aio.aclose()


ASKED: dict[str, Any] = {
    "model": GEMINI,
    "contents": QUESTION,
    "config": types.GenerateContentConfig(system_instruction=SYSTEM),
}
GOOGLE: dict[str, Callable[[Any], Any]] = {
    "generate": lambda client: client.models.generate_content(**ASKED),
    "stream": lambda client: list(client.models.generate_content_stream(**ASKED)),
    "async generate": lambda client: asyncio.run(generate(client, is_stream=False)),
    "async stream": lambda client: asyncio.run(generate(client, is_stream=True)),
}


def once_unavailable(server: WireServer) -> WireServer:
    """Make the first request to each path fail in a way that clients try again."""
    seen: set[str] = set()

    def failing(route: Callable[[WireRequest], Answer]) -> Callable[[WireRequest], Answer]:
        def answer(request: WireRequest) -> Answer:
            if request.path not in seen:
                seen.add(request.path)
                return Answer(b'{"message": "later"}', status=503)
            return route(request)

        return answer

    server.routes = {end: failing(route) for end, route in server.routes.items()}
    return server


def bedrock_client(server: WireServer) -> Any:
    keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": "us-east-1"}
    return boto3.client("bedrock-runtime", endpoint_url=server.url, **keys)


def google_client(server: WireServer) -> Any:
    retry = types.HttpRetryOptions(attempts=2, initial_delay=0.01, http_status_codes=[503])
    return genai.Client(api_key="k", http_options=types.HttpOptions(base_url=server.url, retry_options=retry))


CASES = [
    *(pytest.param(bedrock_server, bedrock_client, call, id=name) for name, call in BEDROCK.items()),
    *(pytest.param(google_server, google_client, call, id=name) for name, call in GOOGLE.items()),
]


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put baggage and a request of the application around a test, in an AWS Lambda that is traced."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "f")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793")
    token = otel_context.attach(baggage.set_baggage("tenant", "acme"))
    with trace.get_tracer("application").start_as_current_span("request"):
        yield
    otel_context.detach(token)


@pytest.mark.usefixtures("around")
@pytest.mark.parametrize(("server_of", "client_of", "call"), CASES)
def test_a_call_is_measured_and_the_vendor_is_told_nothing(
    server_of: Any, client_of: Any, call: Callable[[Any], Any], metered: Metered
) -> None:
    with once_unavailable(server_of()) as server:
        client = client_of(server)
        call(client)
        client.close()

    (span,) = metered.collect()
    assert span.attributes["spanledger.prompt.system.chars"] == len(SYSTEM)
    assert span.attributes["spanledger.prompt.user.chars"] == len(QUESTION)
    assert len(span.attributes["spanledger.prompt.fingerprint"]) == 16
    assert span.attributes["spanledger.attempts"] == len(server.requests) == 2
    assert not any(CONTEXT_HEADERS & request.headers.keys() for request in server.requests)


def test_embeddings_of_google_are_measured(metered: Metered) -> None:
    with google_server() as server, google_client(server) as client:
        client.models.embed_content(model="gemini-embedding-001", contents=QUESTION)

    (span,) = metered.collect()
    assert span.attributes["spanledger.prompt.user.chars"] == len(QUESTION)
    assert span.attributes["spanledger.attempts"] == 1


@pytest.mark.usefixtures("around")
@pytest.mark.parametrize(
    ("server_of", "client_of", "call"),
    [(bedrock_server, bedrock_client, BEDROCK["converse"]), (google_server, google_client, GOOGLE["generate"])],
)
def test_an_own_host_gets_the_context_of_each_call_and_not_of_the_one_before(
    server_of: Any, client_of: Any, call: Callable[[Any], Any], metered: Metered
) -> None:
    before = calls.call_options()
    calls.configure(replace(before, propagate_hosts=Hosts.parse("127.0.0.1")))
    try:
        with server_of() as server:
            client = client_of(server)
            call(client)
            call(client)
            client.close()
    finally:
        calls.configure(before)

    told = [request.headers["traceparent"].split("-")[2] for request in server.requests]
    assert told == [span.span_id for span in metered.collect()]
    assert {request.headers["baggage"] for request in server.requests} == {"tenant=acme"}
