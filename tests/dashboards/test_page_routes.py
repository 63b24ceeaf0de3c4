"""The built-in page's addresses: what they answer, to whom, and under which rules."""

import html
import json
import re
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest

from spanledger_collector.panels import DASHBOARDS, FILTERS
from spanledger_collector.queries.users import User
from spanledger_collector.server import EmbeddedServer

PASSWORD = "correct horse battery"
USERS = {"ana": (PASSWORD, User("ana", "reader", "acme")), "finn": (PASSWORD, User("finn"))}
STATIC = files("spanledger_collector.page").joinpath("static")


@pytest.fixture(scope="module")
def server(new_store: Callable[[], Path]) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(new_store(), otlp_http_port=0, otlp_grpc_port=0, clickhouse_port=0, users=USERS) as server:
        yield server


def got(server: EmbeddedServer, address: str, user: str = "finn", **more: Any) -> httpx.Response:
    login = (user, PASSWORD) if user else None
    return httpx.get(server.clickhouse_url + address, auth=login, timeout=120, **more)


def test_each_dashboard_has_an_address_and_the_port_itself_leads_a_browser_to_the_first(server: EmbeddedServer) -> None:
    for dashboard in DASHBOARDS:
        answer = got(server, f"/{dashboard.name}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    led = got(server, "/", headers={"Accept": "text/html"})
    assert (led.status_code, led.headers["location"]) == (307, "/overview")
    assert got(server, "/").text == "Ok.\n"


def test_a_page_without_parameters_has_its_first_questions_and_is_never_kept(server: EmbeddedServer) -> None:
    for dashboard in DASHBOARDS:
        page = got(server, f"/{dashboard.name}")
        asked = [html.unescape(found) for found in re.findall(r'href="(/page/query/[^"]+)"', page.text)]
        first = {dashboard.query_of(panel) for panel, _ in dashboard.rows[0].panels}

        assert {address.partition("?")[0].removeprefix("/page/query/") for address in asked} >= first
        assert {got(server, address).status_code for address in asked} == {200}
        assert page.headers["cache-control"] == "no-store"
    assert "/page/query/" not in got(server, "/overview?from=now-7d").text


@pytest.mark.parametrize("address", ["/overview", "/page/site", "/page/query/overview/today", "/page/static/app.js"])
def test_nothing_from_elsewhere_may_run_in_the_page_and_nobody_may_frame_it(
    server: EmbeddedServer, address: str
) -> None:
    headers = got(server, address).headers

    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_the_page_loads_nothing_from_another_host_and_has_no_inline_script() -> None:
    shell = STATIC.joinpath("index.html").read_text("utf-8")
    own = [entry for entry in STATIC.iterdir() if entry.name.endswith((".js", ".css", ".html"))]

    assert len(own) >= 9
    assert not re.search(r"<script>|<style|\son\w+=|style=", shell)
    for entry in own:
        assert re.findall(r"(?:src|href|url|from|import|fetch)\W+(?:https?:)?//", entry.read_text("utf-8")) == [], (
            entry.name
        )
    assert "innerHTML" not in "".join(entry.read_text("utf-8") for entry in own)


def test_the_charting_library_brings_its_licence() -> None:
    vendored = {entry.name for entry in STATIC.joinpath("vendor").iterdir()}

    assert vendored == {"echarts.common.min.js", "echarts.LICENSE.txt", "echarts.NOTICE.txt"}
    assert "Apache License" in STATIC.joinpath("vendor", "echarts.LICENSE.txt").read_text("utf-8")


def test_an_answer_has_columns_rows_and_the_axis(server: EmbeddedServer) -> None:
    answer = got(server, "/page/query/overview/today?from=1000000000&to=1000086400").json()

    assert answer == {
        "columns": ["known_usd", "unknown_calls"], "rows": [[0, 0]], "start": 1000000000, "end": 1000086400, "step": 3600,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("days", "step"),
    [(1, 3600), (14, 10_800), (15, 86_400), (90, 86_400), (365, 604_800), (1500, 2_592_000)],
)
def test_from_two_weeks_on_the_axis_has_days_weeks_months(server: EmbeddedServer, days: int, step: int) -> None:
    end = 1_700_000_000
    answer = got(server, f"/page/query/overview/spend?from={end - days * 86_400}&to={end}").json()

    assert (answer["step"], answer["columns"]) == (step, ["time", "series", "known_usd"])
    rates = got(server, f"/page/query/pipeline/landed?from={end - days * 86_400}&to={end}").json()
    assert rates["step"] <= 604_800, "months differ in length"


def test_of_a_choice_that_is_made_twice_the_first_counts(server: EmbeddedServer) -> None:
    answer = got(server, "/page/query/attribution/over_time?by=team&by=feature")

    assert (answer.status_code, answer.json()["rows"]) == (200, [])


@pytest.mark.parametrize(
    ("address", "status", "sentence"),
    [
        ("/page/query/overview/secrets", 404, "There is no panel overview/secrets."),
        ("/page/query/../../etc/passwd", 404, ""),
        ("/page/query/overview/today?from=yesterday", 400, "from and to are whole seconds since 1970."),
        (f"/page/query/overview/today?to=-1{'0' * 400}", 400, "The time range ends before it begins."),
        ("/page/query/overview/today?from=2000000&to=1000000", 400, "The time range ends before it begins."),
        ("/page/static/../routes.py", 404, ""),
    ],
)
def test_what_cannot_be_answered_is_refused_in_a_sentence(
    server: EmbeddedServer, address: str, status: int, sentence: str
) -> None:
    answer = got(server, address)

    assert answer.status_code == status
    if sentence:
        assert answer.json() == {"error": sentence}


def test_a_login_is_asked_for_where_there_are_users(server: EmbeddedServer) -> None:
    for address in ("/overview", "/page/site", "/page/query/overview/today"):
        for user in ("", "nobody"):
            answer = got(server, address, user)
            assert (answer.status_code, answer.headers["www-authenticate"][:5]) == (401, "Basic")


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
def test_a_page_of_another_host_gets_nothing(server: EmbeddedServer, headers: Mapping[str, str]) -> None:
    assert got(server, "/page/query/overview/today", headers=headers).status_code == 403


def test_a_reader_of_one_tenant_gets_no_panel_of_the_whole_ledger(server: EmbeddedServer) -> None:
    assert got(server, "/page/site", "ana").json()["tenant"] == "acme"
    assert got(server, "/page/site", "ana").json()["annotations"] == []
    assert got(server, "/page/query/attribution/totals", "ana").status_code == 200
    refused = got(server, "/page/query/pipeline/services", "ana")
    assert (refused.status_code, refused.json()["code"]) == (403, 497)


def test_the_page_knows_every_panel_and_where_links_lead(server: EmbeddedServer) -> None:
    site = got(server, "/page/site").json()

    assert site["filters"] == list(FILTERS)
    assert (site["zone"], site["any_calls"], site["tenant"]) == ("UTC", False, None)
    assert [each["name"] for each in site["dashboards"]] == [each.name for each in DASHBOARDS]
    anchors = set(re.findall(r'"anchor": "(\w+)"', json.dumps(site)))
    assert anchors >= {"session_calls", "trace"}
