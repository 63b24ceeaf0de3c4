"""The wrapper around the clients' requests: measures each call, once, whoever emits its span; and never breaks one."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anthropic
import openai
import pytest
from opentelemetry import baggage, propagate, trace
from opentelemetry import context as otel_context

import spanledger
from spanledger import calls
from spanledger.calls.options import Hosts, options_from
from spanledger.calls.record import CallRecord
from tests.instrumentation.test_calls import anthropic_client, openai_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spanledger_collector.demo.vendor import VendorServer
    from tests.instrumentation.conftest import Metered

MESSAGES: Any = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where is order 7?"}]
ASKED: Any = MESSAGES[1:]
CHARS = "spanledger.prompt.{}.chars"
CONTEXT_HEADERS = {"traceparent", "tracestate", "baggage"}


@pytest.fixture
def options() -> Iterator[Callable[..., None]]:
    """Return a function that changes options of the wrapper for one test."""
    before = calls.call_options()
    yield lambda **changes: calls.configure(replace(calls.call_options(), **changes))
    calls.configure(before)


def chat(vendor: VendorServer) -> Any:
    with openai_client(vendor) as client:
        return client.chat.completions.create(model="gpt-5-mini", messages=MESSAGES)


def chat_stream(vendor: VendorServer) -> Any:
    with openai_client(vendor) as client:
        return list(client.chat.completions.create(model="gpt-5-mini", messages=MESSAGES, stream=True))


def chat_raw(vendor: VendorServer) -> Any:
    with openai_client(vendor) as client:
        return client.chat.completions.with_raw_response.create(model="gpt-5-mini", messages=MESSAGES).parse()


def chat_parse(vendor: VendorServer) -> Any:
    with openai_client(vendor) as client:
        return client.chat.completions.parse(model="gpt-5-mini", messages=MESSAGES)


def chat_helper(vendor: VendorServer) -> Any:
    with (
        openai_client(vendor) as client,
        client.chat.completions.stream(model="gpt-5-mini", messages=MESSAGES) as stream,
    ):
        return list(stream)


def respond(vendor: VendorServer) -> Any:
    with openai_client(vendor) as client:
        return client.responses.create(model="gpt-5-mini", instructions="Be brief.", input="Where is order 7?")


def embed(vendor: VendorServer) -> Any:
    with openai_client(vendor) as client:
        return client.embeddings.create(model="gpt-5-mini", input=["Be brief.", "Where is order 7?"])


def post(vendor: VendorServer) -> Any:
    with openai_client(vendor) as client:
        return client.post("/chat/completions", cast_to=object, body={"model": "gpt-5-mini", "messages": MESSAGES})


def chat_async(vendor: VendorServer) -> Any:
    async def call() -> Any:
        async with openai.AsyncOpenAI(api_key="k", base_url=f"{vendor.url}/v1", max_retries=0) as client:
            stream = await client.chat.completions.create(model="gpt-5-mini", messages=MESSAGES, stream=True)
            return [chunk async for chunk in stream]

    return asyncio.run(call())


def messages(vendor: VendorServer, **more: Any) -> Any:
    with anthropic_client(vendor) as client:
        return client.messages.create(
            model="gpt-5-mini", max_tokens=9, system="Be brief.", messages=more.pop("messages", ASKED), **more
        )


def messages_async(vendor: VendorServer) -> Any:
    async def call() -> None:
        async with (
            anthropic.AsyncAnthropic(api_key="k", base_url=vendor.url, max_retries=0) as client,
            client.messages.stream(model="gpt-5-mini", max_tokens=9, system="Be brief.", messages=ASKED) as stream,
        ):
            await stream.until_done()

    asyncio.run(call())


CALLS: dict[str, tuple[Callable[..., Any], str]] = {
    "chat": (chat, "chat"),
    "chat stream": (chat_stream, "chat"),
    "chat raw": (chat_raw, "chat"),
    "chat parse": (chat_parse, "chat"),
    "chat helper": (chat_helper, "chat"),
    "chat async stream": (chat_async, "chat"),
    "responses": (respond, "chat"),
    "embeddings": (embed, "embeddings"),
    "post": (post, "chat"),
    "messages": (messages, "chat"),
    "messages async stream": (messages_async, "chat"),
}


@pytest.mark.parametrize("name", [name for name in CALLS if name != "post"])
def test_every_span_of_a_call_says_how_large_its_prompt_was(name: str, metered: Metered, vendor: VendorServer) -> None:
    CALLS[name][0](vendor)

    spans = metered.collect()
    sizes = {"user": 26} if name == "embeddings" else {"system": 9, "user": 17}
    assert spans
    for span in spans:
        assert {part: span.attributes.get(CHARS.format(part)) for part in sizes} == sizes
        assert len(span.attributes["spanledger.prompt.fingerprint"]) == 16
        assert span.attributes["spanledger.attempts"] == 1


def test_a_call_without_a_span_of_its_own_puts_nothing_on_another(metered: Metered, vendor: VendorServer) -> None:
    with trace.get_tracer("application").start_as_current_span("request"):
        post(vendor)

    (span,) = metered.collect()
    assert not [name for name in span.attributes if "prompt" in name or "attempts" in name]


def test_a_span_that_is_open_but_not_current_is_found(metered: Metered, vendor: VendorServer) -> None:
    started = trace.get_tracer("emitter").start_span("chat m", attributes={"gen_ai.operation.name": "chat"})
    post(vendor)
    post(vendor)
    started.end()

    (span,) = metered.collect()
    assert span.attributes[CHARS.format("system")] == 9
    assert span.attributes["spanledger.attempts"] == 1  # the second request was another call's


def test_a_span_that_starts_when_the_call_is_over_dated_back_is_found(metered: Metered, vendor: VendorServer) -> None:
    began_ns = time.time_ns()
    tracer, kind = trace.get_tracer("emitter"), {"gen_ai.operation.name": "chat"}
    post(vendor)
    tracer.start_span("another call", attributes=kind).end()
    tracer.start_span("chat m", attributes=kind, start_time=began_ns).end()

    dated_back, another = metered.collect()
    assert dated_back.attributes[CHARS.format("system")] == 9
    assert dated_back.attributes["spanledger.attempts"] == 1
    assert CHARS.format("system") not in another.attributes


def test_retrieved_text_is_counted_apart(metered: Metered, vendor: VendorServer) -> None:
    async def in_a_request() -> None:
        context = spanledger.mark_retrieved(["Order 7 left on Monday.", "Order 8 did not."])
        asked: Any = [{"role": "user", "content": f"{context[0]} Where is order 7?"}]
        async with openai.AsyncOpenAI(api_key="k", base_url=f"{vendor.url}/v1") as client:
            stream = await client.chat.completions.create(model="gpt-5-mini", messages=asked, stream=True)

            async def elsewhere() -> None:
                async for _ in stream:
                    pass

            await asyncio.create_task(elsewhere())

    asyncio.run(in_a_request())
    chat(vendor)  # nothing is marked here

    marked, other = metered.collect()
    assert (marked.attributes[CHARS.format("retrieved")], marked.attributes[CHARS.format("user")]) == (23, 18)
    assert CHARS.format("retrieved") not in other.attributes


@pytest.mark.parametrize("chunks", [None, 7, (text for text in ["generated"]), [None, b"bytes"], {"a": 1}])
def test_marking_what_is_no_text_is_told_and_fails_nothing(chunks: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert spanledger.mark_retrieved(chunks) is chunks

    assert len(caplog.records) == 1
    assert "mark_retrieved() passes" in caplog.text or "mark_retrieved() is passed over" in caplog.text


def generated() -> Iterator[Any]:
    yield from MESSAGES


EXOTIC: dict[str, Any] = {
    "a generator": generated,
    "a tuple": lambda: tuple(MESSAGES),
    "no content": lambda: [{"role": "user", "content": None}],
    "an unknown role": lambda: [{"role": 7, "content": "x"}],
    "bytes": lambda: [{"role": "user", "content": [{"type": "text", "text": "x"}, {"type": None}]}],
    "pydantic": lambda: [openai.types.chat.ChatCompletionMessage(role="assistant", content="x")],
    "two megabytes": lambda: [{"role": "user", "content": "x" * 2_000_000}],
    "nothing": list,
}


@pytest.mark.parametrize("name", EXOTIC)
def test_the_vendor_receives_what_the_application_passed(name: str, metered: Metered, vendor: VendorServer) -> None:
    with openai_client(vendor) as client:
        client.chat.completions.create(model="gpt-5-mini", messages=EXOTIC[name]())

    (request,) = vendor.requests
    assert len(request.body["messages"]) == len(list(EXOTIC[name]()))
    assert len(metered.collect()) == 1


def test_a_wrapper_that_fails_in_every_place_is_told_once_each_and_breaks_no_call(
    metered: Metered, vendor: VendorServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("broken")

    monkeypatch.setattr("spanledger.calls.record.fingerprints", fail)
    monkeypatch.setattr(CallRecord, "count_attempt", fail)
    for _ in range(2):
        chat(vendor)
        list(messages(vendor, stream=True))
    monkeypatch.setattr("spanledger.calls.wrapper.guard_propagation", fail)
    chat(vendor)
    monkeypatch.setattr("spanledger.calls.stainless._host", fail)
    chat(vendor)

    assert len(vendor.requests) == 6
    assert sorted(record.message for record in caplog.records) == [
        "spanledger: a call could not be described",
        "spanledger: a prompt could not be measured",
        "spanledger: a request could not be read; it goes on unmeasured",
        "spanledger: the attempts of a call could not be counted",
    ]


def call_with_baggage(call: Callable[..., Any], vendor: VendorServer) -> Any:
    token = otel_context.attach(baggage.set_baggage("tenant", "acme"))
    try:
        with trace.get_tracer("application").start_as_current_span("request"):
            call(vendor)
    finally:
        otel_context.detach(token)
    return vendor.requests[-1].headers


def told(vendor: VendorServer) -> Any:
    """Call as OpenLLMetry does, which hands the client trace headers of its own making."""
    headers = {"Traceparent": "00-1-1-01", "Baggage": "a=b", "x-kept": "1"}
    with openai_client(vendor) as client:
        return client.chat.completions.create(model="gpt-5-mini", messages=MESSAGES, extra_headers=headers)


@pytest.mark.parametrize("call", [chat, chat_async, messages, messages_async, told])
def test_a_vendor_gets_neither_trace_context_nor_baggage(
    call: Callable[..., Any], metered: Metered, vendor: VendorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY_PROPAGATION", "true")  # as a client that was made before instrument()

    headers = call_with_baggage(call, vendor)

    assert not CONTEXT_HEADERS & headers.keys()
    assert ("x-kept" in headers) == (call is told)


@pytest.mark.parametrize("call", [chat, chat_async, messages])
def test_an_own_host_gets_both(
    call: Callable[..., Any], metered: Metered, vendor: VendorServer, options: Callable[..., None]
) -> None:
    options(propagate_hosts=Hosts.parse("gateway.example, 127.0.0.1"))

    headers = call_with_baggage(call, vendor)

    assert headers["baggage"] == "tenant=acme"
    request, *spans = metered.collect()
    assert headers["traceparent"].split("-")[1:3] == [request.trace_id, spans[-1].span_id]


def test_the_shield_stands_around_a_propagator_that_is_set_later(metered: Metered, vendor: VendorServer) -> None:
    before = propagate.get_global_textmap()
    carrier: dict[str, str] = {}
    try:
        propagate.set_global_textmap(getattr(before, "inner", before))
        headers = call_with_baggage(messages, vendor)
        with trace.get_tracer("application").start_as_current_span("request"):
            propagate.inject(carrier)
    finally:
        propagate.set_global_textmap(before)

    assert not CONTEXT_HEADERS & headers.keys()
    assert "traceparent" in carrier


def test_hosts_are_listed_by_name_with_or_without_port_or_by_domain() -> None:
    hosts = Hosts.parse("Gateway.example, local:8080 ,*.corp.example")

    assert all(host in hosts for host in ("gateway.example", "gateway.example:443", "local:8080", "llm.corp.example:1"))
    assert not any(host in hosts for host in ("", "local", "local:80", "corp.example", "evilcorp.example"))


def test_the_environment_states_the_options() -> None:
    stated = options_from(
        {
            "SPANLEDGER_FINGERPRINT_KEY": " secret ",
            "SPANLEDGER_STREAM_USAGE_HOSTS": "vllm.example",
            "SPANLEDGER_PROPAGATE_HOSTS": "gateway.example",
            "SPANLEDGER_CONTENT": "True",
        }
    )

    assert stated.fingerprint_key == b"secret"
    assert all(
        host in stated.stream_usage_hosts for host in ("vllm.example", "eu.api.openai.com", "x.openai.azure.com")
    )
    assert "gateway.example" in stated.propagate_hosts
    assert stated.exports_content
    nothing = options_from({"SPANLEDGER_STREAM_USAGE_HOSTS": "none"}, ledger_url="http://127.0.0.1:4318")
    assert "api.openai.com" not in nothing.stream_usage_hosts
    assert not nothing.exports_content
