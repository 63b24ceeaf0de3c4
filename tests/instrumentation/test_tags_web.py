"""Tags in web applications: endpoints, dependencies, streams and background tasks, under a real server."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

import spanledger
from spanledger.scopes import current_tags
from tests.instrumentation.web import serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.requests import Request

pytestmark = pytest.mark.usefixtures("instrumented")


def now() -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(current_tags().items()))


def app(*routes: Route) -> Any:
    application = Starlette(routes=list(routes))
    application.add_middleware(spanledger.TagMiddleware)
    return application


def test_endpoints_are_tagged_asynchronous_and_synchronous() -> None:
    @spanledger.tags(feature="chat")
    async def later(request: Request) -> Response:
        await asyncio.sleep(0)
        return PlainTextResponse(now())

    @spanledger.tags(feature="search")
    def at_once(request: Request) -> Response:
        return PlainTextResponse(now())

    with serve(app(Route("/later", later), Route("/now", at_once))) as url:
        texts = [httpx2.get(f"{url}/later").text, httpx2.get(f"{url}/now").text]

    assert texts == ["spanledger.feature=chat", "spanledger.feature=search"]


def test_a_streamed_response_is_tagged_to_its_end() -> None:
    @spanledger.tags(feature="chat")
    async def words() -> AsyncIterator[str]:
        yield now() + " "
        await asyncio.sleep(0)
        yield now()

    @spanledger.tags(feature="chat")
    def lines() -> Iterator[str]:
        yield now() + " "
        yield now()

    async def stream(request: Request) -> Response:
        with spanledger.tags(tenant="acme"):
            return StreamingResponse(words() if request.url.path == "/words" else lines())

    with serve(app(Route("/words", stream), Route("/lines", stream))) as url:
        texts = [httpx2.get(url + path).text for path in ("/words", "/lines")]

    assert [text.split() for text in texts] == [["spanledger.feature=chat,spanledger.tenant=acme"] * 2] * 2


def test_what_a_request_adds_holds_for_its_stream_and_its_background_work_and_for_no_other_request() -> None:
    after: list[str] = []
    is_done = threading.Semaphore(0)

    def work() -> None:
        after.append(now())
        is_done.release()

    async def plain() -> AsyncIterator[str]:
        await asyncio.sleep(0)
        yield now()

    def add_in_a_thread(request: Request) -> Response:
        before = now()
        spanledger.add_tags(user=request.query_params["user"])
        return StreamingResponse(plain(), background=BackgroundTask(work), headers={"x-before": before})

    with serve(app(Route("/", add_in_a_thread))) as url, httpx2.Client() as client:
        answers = [client.get(url, params={"user": user}) for user in ("ann", "bob")]
        for _ in answers:
            assert is_done.acquire(timeout=10)

    assert [answer.text for answer in answers] == ["user.id=ann", "user.id=bob"]
    assert [answer.headers["x-before"] for answer in answers] == ["", ""]
    assert after == ["user.id=ann", "user.id=bob"]


def test_a_scope_inside_the_request_wins_over_what_the_request_adds_and_the_request_over_what_is_around_it() -> None:
    async def endpoint(request: Request) -> Response:
        spanledger.add_tags(team="request", tenant="acme")
        with spanledger.tags(team="inside"):
            spanledger.add_tags(feature="added later")
            return JSONResponse(dict(current_tags()))

    class Around:
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            with spanledger.tags(tenant="around", user="around"):
                await app(Route("/", endpoint))(scope, receive, send)

    with serve(Around()) as url:
        seen = httpx2.get(url).json()

    assert seen == {
        "spanledger.team": "inside",
        "spanledger.tenant": "acme",
        "spanledger.feature": "added later",
        "user.id": "around",
    }


def test_adding_tags_where_no_request_is_open_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    spanledger.add_tags(team="search")
    with spanledger.tags(tenant="acme"):
        spanledger.add_tags(team="search")

    (warning,) = [record.getMessage() for record in caplog.records]
    assert warning.startswith("add_tags() is dropped: no request is open; add spanledger.TagMiddleware")


def test_dependencies_of_fastapi_tag_their_request() -> None:
    fastapi = pytest.importorskip("fastapi")

    def tenant() -> str:
        spanledger.add_tags(tenant="acme")
        return "acme"

    def session() -> Iterator[str]:
        spanledger.add_tags(session="s-1")
        yield "s-1"

    async def user() -> str:
        spanledger.add_tags(user="ann")
        return "ann"

    application = fastapi.FastAPI(dependencies=[fastapi.Depends(each) for each in (tenant, session, user)])
    application.add_middleware(spanledger.TagMiddleware)
    application.get("/later")(_later)
    application.get("/now")(_at_once)
    with serve(application) as url:
        seen = [httpx2.get(url + path).json() for path in ("/later", "/now")]

    assert seen == [{"spanledger.tenant": "acme", "session.id": "s-1", "user.id": "ann"}] * 2


async def _later() -> dict[str, str]:
    return dict(current_tags())


def _at_once() -> dict[str, str]:
    return dict(current_tags())
