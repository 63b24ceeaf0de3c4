"""What the built-in page says when something is not there: calls, the server, the right to see all of the ledger."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spanledger_collector.panels import DASHBOARDS
from spanledger_collector.queries.users import User
from tests.dashboards.browser.conftest import Tab, deliver_over_http, serving

PASSWORD = "correct horse battery"
USERS = {"ana": (PASSWORD, User("ana", "reader", "acme")), "finn": (PASSWORD, User("finn"))}


@pytest.fixture
def store(chromium: Any, new_store: Callable[[], Path]) -> Path:
    return new_store()


def test_an_empty_ledger_says_what_to_do(new_tab: Callable[..., Tab], store: Path) -> None:
    with serving(store) as server:
        tab = new_tab(server)
        for dashboard in DASHBOARDS:
            tab.open(f"/{dashboard.name}")
            tab.scroll_through()

            assert "No LLM call has arrived yet." in tab.page.locator("#banner").inner_text()
            assert tab.page.locator(".failure").count() == 0
        assert tab.complaints == []


def test_a_server_that_is_gone_is_told_in_a_sentence(new_tab: Callable[..., Tab], store: Path) -> None:
    with serving(store) as server:
        tab = new_tab(server)
        tab.open("/overview")
    tab.page.locator("#controls button", has_text="Refresh").click()
    tab.page.locator("#banner.bad").wait_for()

    assert (
        "The collector does not answer. Is `spanledger up` still running?" in tab.page.locator("#banner").inner_text()
    )
    assert "Trying again" in tab.page.locator("#banner").inner_text()


def test_figures_stay_while_the_server_is_gone_and_those_of_another_question_do_not(
    new_tab: Callable[..., Tab], store: Path
) -> None:
    with serving(store) as server:
        deliver_over_http(server, days=2)
        tab = new_tab(server)
        tab.open("/overview?from=now-7d")
        tab.scroll_through()
        shown, of_when = tab.text("spend"), tab.page.locator("#foot").inner_text()
    tab.page.locator("#controls button", has_text="Refresh").click()
    tab.page.locator("#banner.bad").wait_for()

    tab.page.locator("#spend .body[aria-busy=false]").wait_for()
    assert tab.text("spend") == shown
    assert tab.page.locator("#foot").inner_text() == of_when
    assert tab.page.locator(".failure").count() == 0
    tab.page.evaluate("history.pushState(null, '', '?from=now-30d'); dispatchEvent(new PopStateEvent('popstate'))")
    tab.page.locator("#spend .failure").wait_for()
    assert "The collector does not answer." in tab.text("spend")


def test_a_reader_of_one_tenant_sees_that_tenant_and_is_told_so(new_tab: Callable[..., Tab], store: Path) -> None:
    with serving(store, USERS) as server:
        deliver_over_http(server, days=2)
        everybody, one = (
            new_tab(server, http_credentials={"username": name, "password": PASSWORD}) for name in ("finn", "ana")
        )
        everybody.open("/attribution?from=now-30d")
        one.open("/attribution?from=now-30d")

        assert "globex" in everybody.text("by-tenant")
        assert "acme" in one.text("by-tenant")
        assert "globex" not in one.text("by-tenant")
        assert one.page.locator("#banner").inner_text() == "You see the calls of tenant acme only."
        one.open("/pipeline")
        one.scroll_through()
        assert one.text("services").startswith("This panel is about the whole ledger; your login sees one tenant.")


def test_nobody_sees_the_page_without_a_login_where_there_are_users(new_tab: Callable[..., Tab], store: Path) -> None:
    with serving(store, USERS) as server:
        tab = new_tab(server)

        answers = [
            tab.page.request.get(server.clickhouse_url + address)
            for address in ("/overview", "/page/site", "/page/query/overview/today")
        ]

        assert [answer.status for answer in answers] == [401, 401, 401]
        assert all("Basic" in answer.headers["www-authenticate"] for answer in answers)
