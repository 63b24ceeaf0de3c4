"""A served company, and pages of a real Chromium that note what goes wrong in them."""

import os
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from spanledger_collector.queries.users import User
from spanledger_collector.server import EmbeddedServer
from tests.dashboards.company import requests_of_a_company
from tests.dashboards.incidents import book_incidents

SECONDS = 60


@dataclass
class Tab:
    """One page, and what its console said that it should not have."""

    page: Any
    base: str
    complaints: list[str] = field(default_factory=list)

    def open(self, address: str) -> None:
        self.page.goto(self.base + address)
        self.filled()

    def filled(self) -> None:
        """Wait until the page is laid out and nothing in view is loading."""
        self.page.wait_for_selector("#panels .panel")
        for _ in range(SECONDS * 20):
            if not self.page.evaluate(LOADING):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError("the page is still loading")

    def scroll_through(self) -> None:
        """Bring every panel into view once, so that it asks for its answer."""
        for panel in self.page.locator(".panel").all():
            panel.scroll_into_view_if_needed()
            self.filled()

    def text(self, panel: str) -> str:
        """What the panel says once it has been brought into view: out of view it asks for nothing."""
        self.page.locator(f"#{panel}").scroll_into_view_if_needed()
        self.filled()
        return str(self.page.locator(f"#{panel} .body").inner_text())


# In view as the page itself means it: with a margin.
LOADING = """() => [...document.querySelectorAll(".panel")].some((panel) => {
  const place = panel.getBoundingClientRect();
  const inView = place.bottom > 0 && place.top < innerHeight;
  return inView && (panel.querySelector(".loading") || panel.querySelector(".body[aria-busy=true]"));
})"""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    program = os.environ.get("CHROMIUM_BINARY")
    if not program:
        pytest.skip("needs Chromium: `make test-page` finds or installs it and runs this")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def company(chromium: Any, new_store: Callable[[], Path]) -> Iterator[EmbeddedServer]:
    with serving(new_store()) as server:
        deliver_over_http(server)
        with closing(server.database.client()) as client:
            book_incidents(client)
        yield server


def serving(store: Path, users: Mapping[str, tuple[str, User]] | None = None) -> EmbeddedServer:
    """Return a collector on free ports; one process has one at a time."""
    return EmbeddedServer(store, otlp_http_port=0, otlp_grpc_port=0, clickhouse_port=0, users=users)


def deliver_over_http(server: EmbeddedServer, days: int = 20) -> None:
    for sent in requests_of_a_company(days=days):
        url = f"{server.otlp_http_url}/v1/{sent.signal}"
        request = urllib.request.Request(url, sent.body, {"Content-Type": "application/x-protobuf"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            assert answer.status == 200
    server.settle()


@pytest.fixture
def new_tab(chromium: Any) -> Iterator[Callable[..., Tab]]:
    contexts: list[Any] = []

    def opened(server: EmbeddedServer, *, width: int = 1400, **options: Any) -> Tab:
        context = chromium.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        context.set_default_timeout(SECONDS * 1000)
        tab = Tab(context.new_page(), server.clickhouse_url)

        def heard(said: Any) -> None:
            if said.type in ("error", "warning"):
                tab.complaints.append(said.text)

        tab.page.on("console", heard)
        tab.page.on("pageerror", lambda error: tab.complaints.append(str(error)))
        return tab

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def tab(new_tab: Callable[..., Tab], company: EmbeddedServer) -> Tab:
    return new_tab(company)
