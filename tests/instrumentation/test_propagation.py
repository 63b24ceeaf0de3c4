"""Tags travel to own services as baggage: those that are listed, from callers that are trusted, never to a vendor."""

from __future__ import annotations

import asyncio
import urllib.request
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import openai
import pytest
import requests
from opentelemetry import baggage, propagate, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

import spanledger
from spanledger.calls import call_options, configure
from spanledger.calls.options import Hosts
from spanledger.destinations import keep_tags_from_vendors
from spanledger.exceptions import SettingsError
from spanledger.propagation import propagate_tags
from spanledger.scopes import current_tags
from spanledger.settings import settings_from
from spanledger.users import Pseudonyms
from tests.instrumentation.web import Extracting, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.requests import Request

    from spanledger_collector.demo.vendor import VendorServer
    from tests.instrumentation.conftest import Metered

    Carry = Callable[..., None]
    OwnHosts = Callable[[str], None]

KEY = b"a key of sixteen bytes or more"


@pytest.fixture
def carry() -> Iterator[Carry]:
    """Return a function that sets propagation up, as instrument() does; all is as before after the test."""
    before = propagate.get_global_textmap()
    propagate.set_global_textmap(CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()]))

    def set_up(*tags: str, is_trusting: bool = True, key: bytes | None = None) -> None:
        propagate_tags(tags, is_trusting=is_trusting, pseudonyms=Pseudonyms(key) if key is not None else None)

    keep_tags_from_vendors()
    yield set_up
    propagate.set_global_textmap(before)


@pytest.fixture
def own_hosts(metered: Metered) -> Iterator[OwnHosts]:
    """Return a function that sets SPANLEDGER_PROPAGATE_HOSTS, for this test."""
    before = call_options()
    yield lambda names: configure(replace(before, propagate_hosts=Hosts.parse(names)))
    configure(before)


def sent() -> dict[str, str]:
    headers: dict[str, str] = {}
    propagate.inject(headers)
    return headers


def arrived(header: str) -> dict[str, str]:
    return dict(current_tags(propagate.extract({"baggage": header})))


def by_urllib(url: str, headers: dict[str, str]) -> None:
    urllib.request.urlopen(urllib.request.Request(url, b"{}", headers)).close()  # noqa: S310 - a server of the test


def by_requests(url: str, headers: dict[str, str]) -> None:
    requests.post(url, json={}, headers=headers, timeout=120)


def by_httpx(url: str, headers: dict[str, str]) -> None:
    httpx.post(url, json={}, headers=headers)


def by_httpx2(url: str, headers: dict[str, str]) -> None:
    httpx2.post(url, json={}, headers=headers)


def by_asynchronous_httpx2(url: str, headers: dict[str, str]) -> None:
    async def post() -> None:
        async with httpx2.AsyncClient() as client:
            await client.post(url, json={}, headers=headers)

    asyncio.run(post())


@pytest.mark.parametrize("is_own", [True, False])
@pytest.mark.parametrize("post", [by_urllib, by_requests, by_httpx, by_httpx2, by_asynchronous_httpx2])
def test_tags_reach_own_hosts_only_whichever_client_writes_the_headers(
    post: Callable[[str, dict[str, str]], None], is_own: bool, metered: Metered, carry: Carry, own_hosts: OwnHosts
) -> None:
    carry("tenant", "user")
    received: list[dict[str, str]] = []

    async def take(request: Request) -> Response:
        received.append(dict(request.headers))
        return PlainTextResponse("done")

    with serve(Starlette(routes=[Route("/", take, methods=["POST"])])) as url:
        own_hosts(url.removeprefix("http://") if is_own else "other.example")
        with spanledger.tags(tenant="acme", user="bob"):
            context = baggage.set_baggage("theirs", "1")
            headers: dict[str, str] = {"uberctx-spanledger.tenant": "acme", "x-kept": "1"}
            propagate.inject(headers, context)  # as instrumentations of HTTP clients do
            post(url, headers)

    (request,) = received
    entries = set(request["baggage"].split(","))
    assert entries == {"theirs=1"} | ({"spanledger.tenant=acme", "user.id=bob"} if is_own else set())
    assert ("uberctx-spanledger.tenant" in request, request["x-kept"]) == (is_own, "1")


def test_a_vendor_gets_no_tag_from_its_client_nor_from_plain_http(
    metered: Metered, vendor: VendorServer, carry: Carry
) -> None:
    carry("tenant")
    asked: dict[str, Any] = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "hi"}]}

    with (
        spanledger.tags(tenant="acme", team="search"),
        openai.OpenAI(api_key="k", base_url=f"{vendor.url}/v1") as client,
    ):
        assert sent() == {"baggage": "spanledger.tenant=acme"}
        httpx2.post(f"{vendor.url}/v1/chat/completions", json=asked, headers={"x-api-key": "k", **sent()})
        client.chat.completions.create(**asked, extra_headers=sent())

    assert [request.headers.get("baggage") for request in vendor.requests] == [None, None]


def test_headers_that_cannot_be_looked_at_do_not_stop_the_request(
    metered: Metered,
    vendor: VendorServer,
    carry: Carry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    carry("tenant")
    monkeypatch.setattr("spanledger.destinations._is_suspect", lambda _: 1 / 0)

    for post in (by_requests, by_httpx2):
        post(f"{vendor.url}/v1/chat/completions", {})

    assert len(vendor.requests) == 2
    assert [record.message for record in caplog.records if record.name == "spanledger"] == [
        "spanledger: tags in the headers of a request were not looked at"
    ]


def test_service_a_calls_service_b_calls_openai_and_the_call_has_the_tags_of_a(
    metered: Metered, vendor: VendorServer, carry: Carry, own_hosts: OwnHosts
) -> None:
    carry("tenant", "user", "session", "feature", "task")

    def call_model(request: Request) -> Response:
        with openai.OpenAI(api_key="k", base_url=f"{vendor.url}/v1") as client:
            client.chat.completions.create(model="gpt-5-mini", messages=[{"role": "user", "content": "hi"}])
        return PlainTextResponse("done")

    b = Extracting(Starlette(routes=[Route("/", call_model)]))

    with serve(b) as b_url:
        own_hosts(b_url.removeprefix("http://"))

        async def call_b(request: Request) -> Response:
            work = spanledger.task("resolve_ticket", tenant="açme, Inc.", user="bob", session="s-1", feature="chat")
            with work, trace.get_tracer("a").start_as_current_span("a"):
                async with httpx2.AsyncClient() as client:
                    await client.get(b_url, headers=sent())
            return PlainTextResponse(work.id)

        with serve(Starlette(routes=[Route("/", call_b)])) as a_url:
            task_id = httpx2.get(a_url).text

    request, call = metered.collect()
    (vendor_request,) = vendor.requests
    assert call.trace_id == request.trace_id
    assert {name: call.attributes[name] for name in ("spanledger.tenant", "user.id", "session.id")} == {
        "spanledger.tenant": "açme, Inc.",
        "user.id": "bob",
        "session.id": "s-1",
    }
    assert call.attributes["spanledger.feature"] == "chat"
    assert (call.attributes["spanledger.task"], call.attributes["spanledger.task.id"]) == ("resolve_ticket", task_id)
    assert not {"traceparent", "tracestate", "baggage"} & vendor_request.headers.keys()
    assert not [value for value in vendor_request.headers.values() if task_id in value or "s-1" in value]


def test_nothing_travels_that_is_not_listed(carry: Carry) -> None:
    carry("tenant")

    with spanledger.tags(tenant="acme", team="search", user="bob"):
        headers = sent()

    assert headers == {"baggage": "spanledger.tenant=acme"}


def test_without_a_list_the_propagator_of_the_application_is_left_alone(carry: Carry) -> None:
    before = propagate.get_global_textmap()
    carry()

    with spanledger.tags(tenant="acme"):
        assert (propagate.get_global_textmap(), sent()) == (before, {})


def test_other_baggage_travels_on_and_tags_are_in_nobodys_baggage(carry: Carry) -> None:
    carry("tenant")
    context = propagate.extract({"baggage": "theirs=1,spanledger.tenant=acme"})

    assert baggage.get_all(context) == {"theirs": "1"}
    assert current_tags(context) == {"spanledger.tenant": "acme"}


def test_a_caller_who_is_not_trusted_is_neither_believed_nor_relayed(carry: Carry) -> None:
    carry("tenant", "user", is_trusting=False)
    context = propagate.extract({"baggage": "spanledger.tenant=evil,user.id=evil,spanledger.team=evil"})
    relayed: dict[str, str] = {}
    propagate.inject(relayed, context)

    assert (current_tags(context), relayed) == ({}, {})


def test_a_scope_wins_over_baggage_and_baggage_over_the_default_of_the_process(metered: Metered, carry: Carry) -> None:
    carry("tenant", "feature")
    context = propagate.extract({"baggage": "spanledger.tenant=caller,spanledger.feature=caller"})
    tracer = trace.get_tracer("application")
    tracer.start_span("from the caller", context=context).end()
    with spanledger.tags(tenant="own"):
        inside = propagate.extract({"baggage": "spanledger.tenant=caller"})
        tracer.start_span("own", context=inside).end()

    from_the_caller, own = metered.collect()
    assert from_the_caller.attributes == {"spanledger.tenant": "caller", "spanledger.feature": "caller"}
    assert own.attributes == {"spanledger.tenant": "own", "spanledger.feature": "default-feature"}


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        ("spanledger.tenant=50%25", {"spanledger.tenant": "50%"}),
        ("spanledger.tenant=%zz,session.id=s", {"session.id": "s"}),
        ("spanledger.tenant=%FF%FE,session.id=s", {"session.id": "s"}),
        ("spanledger.tenant=a%0Ab,session.id=s", {"session.id": "s"}),
        ("spanledger.tenant=,session.id=s", {"session.id": "s"}),
        ("garbage,,=,session.id=s", {"session.id": "s"}),
        ("session.id=" + "x" * 200, {"session.id": "x" * 128}),
        ("gen_ai.request.model=gpt-0,spanledger.team=evil", {}),
    ],
)
def test_what_arrives_is_checked_value_by_value(header: str, tags: dict[str, str], carry: Carry) -> None:
    carry("tenant", "session")

    assert arrived(header) == tags


def test_a_user_travels_as_a_pseudonym_and_is_not_made_one_twice(carry: Carry) -> None:
    carry("user", key=KEY)

    with spanledger.tags(user="bob"):
        first = sent()
    context = propagate.extract(first)
    second: dict[str, str] = {}
    propagate.inject(second, context)

    pseudonym = Pseudonyms(KEY).of("bob")
    assert first == second == {"baggage": f"spanledger.user.pseudonym={pseudonym}"}
    assert current_tags(context) == {"user.id": pseudonym, "spanledger.user.pseudonym": pseudonym}


def test_a_user_does_not_travel_when_the_key_does_not_work(carry: Carry) -> None:
    carry("user", key=b"")

    with spanledger.tags(user="bob"):
        assert sent() == {}


def test_setting_up_again_replaces_what_was_set_up_also_inside_another_propagator(carry: Carry) -> None:
    class Around(CompositePropagator):
        inner: Any

    carry("tenant")
    around = Around([propagate.get_global_textmap()])
    around.inner = propagate.get_global_textmap()
    propagate.set_global_textmap(around)
    carry("team")

    with spanledger.tags(tenant="acme", team="search"):
        assert sent() == {"baggage": "spanledger.team=search"}


def test_what_travels_is_said_by_settings_and_a_tag_that_is_none_is_refused() -> None:
    given = settings_from({"SPANLEDGER_BAGGAGE": "tenant, user", "SPANLEDGER_BAGGAGE_TRUST": "TRUE"}, {})

    assert (given.baggage_tags, given.trusts_baggage) == (("tenant", "user"), True)
    assert (settings_from({}, {}).baggage_tags, settings_from({}, {}).trusts_baggage) == ((), False)
    with pytest.raises(
        SettingsError, match="SPANLEDGER_BAGGAGE names 'tennant', which is no tag; the tags are tenant,"
    ):
        settings_from({"SPANLEDGER_BAGGAGE": "tennant"}, {})
    with pytest.raises(SettingsError, match="SPANLEDGER_BAGGAGE_TRUST='yes': expected true or false"):
        settings_from({"SPANLEDGER_BAGGAGE_TRUST": "yes"}, {})
