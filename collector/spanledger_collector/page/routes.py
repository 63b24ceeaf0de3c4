"""The page's addresses on the query port: a shell for each dashboard, its files, and the answers to the panels' queries.

Whoever may ask on this port may see the page, with the same login and the same limits: a query with words of who asks passes
the gate, and a reader of one tenant gets that tenant's rows.
"""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from spanledger_collector.page.site import SITE
from spanledger_collector.panels import (
    ANNOTATIONS,
    DASHBOARDS,
    FILTERS,
    QUERIES,
    Dashboard,
    Kind,
    Panel,
    Unit,
    Window,
    expand,
    interval_seconds,
    read_query,
    without_idle_filters,
)
from spanledger_collector.queries.engine import Question, Readers
from spanledger_collector.queries.errors import RefusedError, http_status
from spanledger_collector.queries.users import User, Users

__all__ = ["build_page"]

_STATIC: Final = Path(__file__).parent / "static"
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
_LOGIN: Final = {"WWW-Authenticate": 'Basic realm="spanledger", charset="UTF-8"'}
_POINTS_MAX: Final = 120
_MINUTES_SECONDS: Final = 7_200  # for so long the sums are kept by the minute
_DAYS_SECONDS: Final = 15 * 86_400  # from so much on the axis has days: what people compare, and a quarter of the rows
_WEEK_SECONDS: Final = 7 * 86_400
_YEARS_SECONDS: Final = 5 * 366 * 86_400
_FORMAT: Final = "JSONCompact"
_SETTINGS: Final = {"date_time_output_format": "iso"}
_AUTHENTICATION_FAILED: Final = 516

_CHOICES: Final = {choice.name: choice.options for dashboard in DASHBOARDS for choice in dashboard.choices}

_BY_NAME: Final = {dashboard.name: dashboard for dashboard in DASHBOARDS}
_SHELL: Final = _STATIC.joinpath("index.html").read_text("utf-8")
_SECONDS: Final = {"h": 3_600, "d": 86_400}
_FIRST_PIXELS: Final = 600

_Handler = Callable[[Request], Awaitable[Response]]


def build_page(readers: Readers, users: Users) -> Sequence[BaseRoute]:
    """Return the routes of the page; ``readers`` answer its queries, ``users`` say who asks."""
    # A page asks for all its panels at once: more at a time than there are cores, here two, took a quarter more CPU in all.
    turn = asyncio.Semaphore(os.cpu_count() or 1)

    async def shell(request: Request) -> Response:
        users.of(request)
        asked = "" if request.url.query else _first_questions(_BY_NAME[request.url.path.strip("/")])
        # Never from a cache: the questions in it are of the moment.
        return HTMLResponse(_SHELL.replace("</head>", f"{asked}</head>"), headers={"Cache-Control": "no-store"})

    async def site(request: Request) -> Response:
        user = users.of(request)
        row = json.loads(await _asked(readers, user, _SITE_QUERY))["data"][0]
        found = {"annotations": [] if user.tenant else [each.query for each in ANNOTATIONS]}
        return JSONResponse({**SITE, **found, "zone": row[0], "any_calls": bool(row[1]), "tenant": user.tenant})

    async def query(request: Request) -> Response:
        user, name = users.of(request), request.path_params["query"]
        if name not in QUERIES:
            raise HTTPException(404, f"There is no panel {name}.")
        panel = QUERIES[name]
        window = _window(request, panel)
        variables = {key: request.query_params.getlist(key) for key in FILTERS}
        variables |= {key: request.query_params.getlist(key)[:1] for key in _CHOICES}
        sql = expand(without_idle_filters(read_query(name), variables), window, variables)
        # It takes seven milliseconds of a core to judge a statement: only one with words of who asks is judged.
        is_ours = all(set(values) <= set(_CHOICES.get(key, ())) for key, values in variables.items())
        body = await _asked(readers, user, sql, turn, is_ours=is_ours)
        answer = json.loads(body)
        shown = {"start": window.start, "end": window.end, "step": window.step}
        return JSONResponse({"columns": [column["name"] for column in answer["meta"]], "rows": answer["data"], **shown})

    return [
        *(Route(f"/{dashboard.name}", _guarded(shell)) for dashboard in DASHBOARDS),
        Route("/page/site", _guarded(site)),
        Route("/page/query/{query:path}", _guarded(query)),
        Mount("/page/static", _Files(directory=_STATIC)),
    ]


class _Files(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(_HEADERS)
        return response


def _guarded(handler: _Handler) -> _Handler:
    """Answer refusals as JSON with a sentence, ask for a login where one is needed, and set the headers of all answers."""

    async def guarded(request: Request) -> Response:
        try:
            response = await handler(request)
        except RefusedError as error:
            if error.code == _AUTHENTICATION_FAILED:
                response = JSONResponse({"error": "Log in as a user of this ledger."}, 401, _LOGIN)
            else:
                response = JSONResponse({"error": str(error), "code": error.code}, http_status(error.code))
        except HTTPException as error:
            response = JSONResponse({"error": error.detail}, error.status_code)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return guarded


def _first_questions(dashboard: Dashboard) -> str:
    """Return links that have a browser ask for the panels at the top while it still reads the page's scripts.

    They ask what state.js asks for an address without parameters, which takes from and to from them. Charts come first: their answers
    take longest, here and in the browser.
    """
    end = int(time.time())
    since = dashboard.since.removeprefix("now-")
    choices = [(each.name, each.options[0]) for each in dashboard.choices if each.options]
    asked = urlencode([("from", end - int(since[:-1]) * _SECONDS[since[-1]]), ("to", end), *choices])
    panels: list[Panel] = []
    top = 0
    for row in dashboard.rows:
        if top < _FIRST_PIXELS:
            panels += [panel for panel, _ in row.panels]
        top += row.height * 30 + 60
    panels.sort(key=lambda panel: panel.kind is not Kind.TIME_SERIES)
    hrefs = [escape(f"/page/query/{dashboard.query_of(panel)}?{asked}") for panel in panels]
    return "".join(
        f'<link rel="preload" href="{href}" as="fetch" crossorigin media="(min-width: 641px)">\n' for href in hrefs
    )


async def _asked(
    readers: Readers, user: User, sql: str, turn: asyncio.Semaphore | None = None, *, is_ours: bool = True
) -> bytes:
    question = Question(sql, format=_FORMAT, settings=_SETTINGS, tenant=user.tenant, is_ours=is_ours)
    return (await readers.answer(question, turn)).body


def _window(request: Request, panel: Panel | None) -> Window:
    """Return the time range of a request: seconds since 1970."""
    now, least = int(time.time()), panel.step if panel else 3600
    try:
        end = min(int(request.query_params.get("to", now)), now + 86_400)
        start = max(int(request.query_params.get("from", end - 86_400)), end - _YEARS_SECONDS, 0)
    except ValueError as error:
        raise HTTPException(400, "from and to are whole seconds since 1970.") from error
    if start >= end:
        raise HTTPException(400, "The time range ends before it begins.")
    if start >= now - _MINUTES_SECONDS:
        least = 60
    if end - start >= _DAYS_SECONDS:
        least = 86_400
    step = interval_seconds(end - start, _POINTS_MAX, least)
    # Months differ in length: a rate is of weeks at most.
    is_rate = panel is not None and any(field.unit is Unit.PER_SECOND for field in panel.fields)
    return Window(start, end, min(step, _WEEK_SECONDS) if is_rate else step, by_calendar=True)


_SITE_QUERY: Final = files("spanledger_collector.page").joinpath("statements", "site.sql").read_text("utf-8")
