"""The built-in page as people meet it: figures, filters, drill-down, themes, narrow screens, keyboards, accessibility."""

import json
import os
import re
from collections.abc import Callable
from contextlib import closing
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path

import pytest

from spanledger_collector.panels import DASHBOARDS
from spanledger_collector.panels.check import window_of
from spanledger_collector.server import EmbeddedServer
from tests.dashboards.browser.conftest import Tab
from tests.dashboards.incidents import OVER

ASKED = """() => performance.getEntriesByType("resource").filter((each) => each.name.includes("/page/query/"))
  .map((each) => [new URL(each.name).pathname.slice(12), each.initiatorType, new URL(each.name).searchParams.get("to")])"""
ASKED_IN_FULL = """() => performance.getEntriesByType("resource").map((each) => each.name)
  .filter((name) => name.includes("/page/query/"))"""
PAGES = [dashboard.name for dashboard in DASHBOARDS]


@pytest.mark.parametrize("name", PAGES)
def test_every_panel_of_a_page_is_drawn_without_a_complaint(tab: Tab, name: str) -> None:
    tab.open(f"/{name}")
    tab.scroll_through()

    panels = {panel.query.rpartition("/")[2] for each in DASHBOARDS if each.name == name for panel in each.panels}
    assert {element.get_attribute("id") for element in tab.page.locator(".panel").all()} == panels
    assert tab.page.locator(".failure").count() == 0
    assert tab.page.locator(".loading").count() == 0
    assert tab.complaints == []


@pytest.mark.parametrize("name", PAGES)
def test_the_first_questions_are_asked_once_while_the_scripts_are_read(tab: Tab, name: str) -> None:
    tab.open(f"/{name}")
    asked = tab.page.evaluate(ASKED)

    assert len({query for query, _, _ in asked}) == len(asked)
    assert {first for query, first, _ in asked if not query.startswith("annotations/")} >= {"link"}
    assert len({window for _, _, window in asked}) == 1

    tab.open(f"/{name}?from=now-6h")
    assert {first for _, first, _ in tab.page.evaluate(ASKED)} == {"fetch"}


def test_what_is_asked_again_is_asked_for_now(tab: Tab) -> None:
    tab.open("/overview")
    tab.page.wait_for_timeout(1_100)
    tab.page.get_by_role("button", name="Refresh").click()
    tab.filled()

    ((_, _, first), *_, (_, _, last)) = tab.page.evaluate(ASKED)
    assert last > first


def test_the_address_of_the_query_port_leads_a_browser_to_the_page(tab: Tab) -> None:
    tab.open("/")

    assert tab.page.url.endswith("/overview")
    assert tab.page.title() == "spanledger: Spend overview"


def test_the_page_says_what_the_ledger_says(tab: Tab, company: EmbeddedServer) -> None:
    tab.open("/attribution?from=now-30d")

    with closing(company.database.client()) as client:
        since = window_of(30 * 86_400).start
        ((usd, calls, unknown),) = client.query(
            "select sum(known_usd), sum(calls), sumIf(calls, unknown) from costs as c where bucket >= toDateTime({since:Int64})",
            {"since": since},
        ).result_rows
    text = tab.text("totals")
    assert f"≥ ${usd.quantize(Decimal('0.01'), ROUND_FLOOR)}" in text
    assert f"{calls:,}" in text
    assert str(unknown) in text


def test_a_cost_of_which_nothing_is_known_is_not_shown_as_zero(tab: Tab) -> None:
    tab.open("/attribution?from=now-30d&team=labs")

    assert re.search(r"labs\s+unknown", tab.text("by-team"))


def test_a_filter_is_chosen_with_the_mouse_and_stands_in_the_address(tab: Tab) -> None:
    tab.open("/attribution")
    tab.page.locator("details.filter", has_text="Team:").locator("summary").click()
    tab.page.get_by_label("search", exact=True).check()
    tab.page.get_by_label("support", exact=True).check()
    tab.page.locator("details[open] button", has_text="Apply").click()
    tab.filled()

    assert "team=support" in tab.page.url
    assert "team=search" in tab.page.url
    assert "labs" not in tab.text("by-team")
    tab.page.go_back()
    tab.filled()
    assert "labs" in tab.text("by-team")


def test_a_bookmark_shows_the_same_again(tab: Tab) -> None:
    tab.open("/attribution?from=now-30d&team=search&by=model")

    assert tab.page.locator("details.filter.active").inner_text().startswith("Team: search")
    assert tab.page.locator("#choice-by").input_value() == "model"
    assert tab.page.locator("#range").input_value() == "now-30d"
    assert "gpt-" in str(tab.page.locator("#over_time .chart").get_attribute("aria-label"))


def test_one_drills_down_from_team_to_session_to_call_to_trace(tab: Tab) -> None:
    tab.open("/overview")
    tab.page.locator("#dearest-team a", has_text="support").click()
    tab.filled()
    assert "/attribution?team=support" in tab.page.url

    tab.open("/attribution")
    tab.page.locator("#sessions").scroll_into_view_if_needed()
    tab.page.locator("#sessions a").first.click()
    tab.page.locator("#session_calls a").first.click()
    tab.page.locator("#trace tbody tr").first.wait_for()

    assert "/engineering?trace=" in tab.page.url
    assert "billed" in tab.text("trace")


def test_the_link_of_an_alert_shows_its_incident_and_leads_to_the_calls(tab: Tab) -> None:
    tab.open(f"/anomalies?incident={OVER}")
    tab.scroll_through()
    assert "Silent retries tripled." in tab.text("facts")
    assert "+$2.50" in tab.text("impact")

    tab.page.locator("#going_on a").first.click()
    tab.filled()
    assert "earlier turns are never cut" in tab.text("facts")
    tab.page.locator("#traces a").first.click()
    tab.page.locator("#trace tbody tr").first.wait_for()


def test_links_between_pages_keep_time_and_filters(tab: Tab) -> None:
    tab.open("/attribution?from=now-24h&team=search&by=model")
    tab.page.locator("#menu a", has_text="Engineering").click()
    tab.filled()

    assert tab.page.url.endswith("/engineering?from=now-24h&team=search")


def test_a_range_that_is_typed_is_kept_in_the_address(tab: Tab) -> None:
    tab.open("/overview")
    tab.page.locator("#range").select_option("custom")
    tab.page.locator("input[name=from]").fill("2026-01-05 10:00")
    tab.page.locator("input[name=to]").fill("2026-01-06 10:00")
    tab.page.locator(".custom button").click()
    tab.filled()

    assert "from=2026-01-05T10%3A00&to=2026-01-06T10%3A00" in tab.page.url
    assert "from=1767607200&to=1767693600" in tab.page.evaluate(ASKED_IN_FULL)[-1]
    assert tab.text("spend") == "No calls in this time range with these filters."


def test_what_is_typed_and_cannot_be_read_is_said(tab: Tab) -> None:
    tab.open("/overview")
    tab.page.locator("#range").select_option("custom")
    tab.page.locator("input[name=from]").fill("garbage")
    tab.page.locator(".custom button").click()
    tab.filled()

    assert "cannot be read (from garbage to " in tab.page.locator("#banner").inner_text()


def test_the_page_goes_on_asking_after_refresh_was_pressed_and_while_a_table_is_open(tab: Tab) -> None:
    tab.page.clock.install()
    tab.open("/overview")
    tab.page.locator("#spend .behind summary").click()
    tab.page.get_by_role("button", name="Refresh").click()
    tab.filled()

    with tab.page.expect_request(lambda request: "/page/query/overview/spend" in request.url):
        tab.page.clock.fast_forward(61_000)
    tab.filled()

    assert tab.page.locator("#spend .behind[open] tbody tr").count() > 0


@pytest.mark.parametrize(
    "query", ["from=yesterday", "from=now-1d&to=now-7d", "from=2026-13-45&to=now", "from=foo 1", "from=now-99999999d"]
)
def test_a_range_that_cannot_be_read_is_said_and_the_dashboards_own_is_shown(tab: Tab, query: str) -> None:
    tab.open(f"/overview?{query}")

    assert tab.page.locator("#banner").inner_text().startswith("The time range in the address cannot be read (from ")
    assert tab.page.locator("#spend .chart").count() == 1


def test_states_are_in_words_and_sentences_show_code_as_code(tab: Tab) -> None:
    tab.open("/overview?from=now-30d")
    assert "model without a price" in tab.text("states")
    assert "unpriced_model" not in tab.text("states")
    assert "only estimated" in str(tab.page.locator("#unknown .chart").get_attribute("aria-label"))

    assert tab.page.locator("#unknown details.info code").text_content() == "spanledger prices set"


def test_a_chart_has_a_table_behind_it(tab: Tab) -> None:
    tab.open("/overview")
    tab.page.locator("#spend .behind summary").click()

    head = tab.page.locator("#spend .behind thead").inner_text()
    assert "support" in head
    assert "$" in tab.page.locator("#spend .behind tbody tr").first.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_is_the_systems_until_another_is_chosen(
    new_tab: Callable[..., Tab], company: EmbeddedServer, scheme: str
) -> None:
    tab = new_tab(company, color_scheme=scheme)
    tab.open("/overview")
    background = "getComputedStyle(document.body.parentElement).backgroundColor"
    light, dark = "rgb(244, 245, 247)", "rgb(17, 20, 24)"

    assert tab.page.evaluate(background) == (light if scheme == "light" else dark)
    button = tab.page.locator("#theme")
    while "dark" not in button.inner_text():
        button.click()
    assert tab.page.evaluate(background) == dark
    tab.page.reload()
    tab.filled()
    assert tab.page.evaluate(background) == dark
    assert tab.complaints == []


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_wider_than_a_phone(new_tab: Callable[..., Tab], company: EmbeddedServer, name: str) -> None:
    tab = new_tab(company, width=360, has_touch=True)
    tab.open(f"/{name}")
    tab.scroll_through()

    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert tab.complaints == []


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_barrier(new_tab: Callable[..., Tab], company: EmbeddedServer, name: str, scheme: str) -> None:
    file = os.environ.get("AXE_FILE")
    if not file:
        pytest.skip("needs axe-core, which `make test-page` fetches from npm")
    tab = new_tab(company, color_scheme=scheme)
    tab.open(f"/{name}?from=now-30d")
    tab.scroll_through()
    tab.page.evaluate(Path(file).read_text("utf-8"))

    found = tab.page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})")

    told = [
        (each["id"], each["nodes"][0]["html"][:200], each["nodes"][0]["failureSummary"][:300])
        for each in found["violations"]
    ]
    assert told == []
    assert len(found["passes"]) > 15


def test_the_keyboard_reaches_filters_and_panels_in_reading_order(tab: Tab) -> None:
    tab.open("/overview")
    focused = []
    for _ in range(18):
        tab.page.keyboard.press("Tab")
        focused.append(str(tab.page.evaluate("document.activeElement.textContent.trim().slice(0, 24)")))

    assert focused[0] == "Skip to the panels"
    assert focused[1:3] == ["spanledger", "Spend overview"]
    assert focused.index("Theme: system") < focused.index("Tenant: all") < focused.index("Refresh")
    tab.page.locator("details.filter summary").first.focus()
    tab.page.keyboard.press("Enter")
    tab.page.locator("details.filter[open] .list label").first.wait_for()
    tab.page.keyboard.press("Escape")
    assert tab.page.locator("details.filter[open]").count() == 0


def test_a_panel_that_fails_says_so_and_can_be_tried_again(tab: Tab) -> None:
    broken = {"error": "Memory limit exceeded", "code": 241}
    tab.page.route("**/page/query/overview/spend*", lambda route: route.fulfill(status=500, body=json.dumps(broken)))
    tab.open("/overview")

    assert "This panel could not be filled: Memory limit exceeded" in tab.text("spend")
    assert "≥ $" in tab.text("month")
    tab.page.unroute("**/page/query/overview/spend*")
    tab.page.locator("#spend button", has_text="Try again").click()
    tab.page.locator("#spend .chart canvas").wait_for()


def test_a_value_of_a_tag_is_text_and_nothing_else(tab: Tab) -> None:
    tab.open("/attribution?team=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")

    assert tab.page.locator(".filter img").count() == 0
    assert "<img src=x" in tab.page.locator("details.filter.active").inner_text()
    assert tab.complaints == []
