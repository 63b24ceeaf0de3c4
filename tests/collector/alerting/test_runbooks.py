"""Each alert has its runbook: what it means, what to look at, what to do, whom to tell; and each command of it works on a ledger."""

import re
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests
from typer.testing import CliRunner

from spanledger_collector.alerting.rules import RULES, Rule
from spanledger_collector.alerting.watcher import Watching
from spanledger_collector.anomalies.incidents import write_incidents
from spanledger_collector.assets import assets
from spanledger_collector.cli import app
from spanledger_collector.database import open_embedded
from spanledger_collector.receiver.commit import Item
from spanledger_collector.server import EmbeddedServer
from tests.collector.alerting.incident import INCIDENT, incident
from tests.otlp import chat, request

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
RUNBOOKS = assets("dashboards").joinpath("runbooks")
PAGES = {page.name: page.read_text("utf-8") for page in RUNBOOKS.iterdir() if page.name.endswith(".md")}
COMMANDS = sorted({line for text in PAGES.values() for block in BLOCK.findall(text) for line in block.splitlines()})


def sections(page: str) -> dict[str, str]:
    """Return the sections of a page by the anchor of their heading."""
    parts = re.split(r"^## (.+)$", PAGES[page], flags=re.MULTILINE)[1:]
    return {heading.lower().replace(" ", "-"): text for heading, text in zip(parts[::2], parts[1::2], strict=True)}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_alert_has_its_runbook(rule: Rule) -> None:
    page, _, anchor = rule.runbook.partition("#")
    section = sections(page)[anchor]

    assert section.lstrip().startswith(f"**{rule.name}, ")
    assert f"**{rule.name}, {'always firing' if rule.severity == 'none' else rule.severity}.**" in section
    assert BLOCK.search(section)
    assert "Levers" in section
    assert "Tell " in section


def test_every_section_belongs_to_an_alert() -> None:
    written = {f"{page}#{anchor}" for page in PAGES for anchor in sections(page)}

    assert written == {rule.runbook for rule in RULES}


@pytest.fixture(scope="module")
def served(new_store: Callable[[], Path]) -> Iterator[dict[str, str]]:
    """A served ledger with calls of an hour, and what the variables of the commands stand for."""
    now = time.time()
    tags = {"spanledger.team": "search", "spanledger.feature": "help", "user.id": "ada", "session.id": "s-1"}
    spans = [chat(now - 1800 + n, extra=tags, tokens=None if n % 3 == 0 else (1000, 100)) for n in range(9)]
    store = new_store()
    with closing(open_embedded(store)) as database, closing(database.client()) as client:
        write_incidents(client, [incident()])
    with EmbeddedServer(store, otlp_http_port=0, otlp_grpc_port=0, clickhouse_port=0, watching=Watching()) as server:
        server.committer.take(Item(request([*spans, chat(1e9)]))).result(30)
        server.settle()
        yield {
            "URL": server.clickhouse_url,
            "SPANLEDGER_STORE": str(server.database.path),
            "TEAM": "search",
            "FEATURE": "help",
            "TENANT": "",
            "USER_ID": "ada",
            "SESSION": "s-1",
            "COMPLETENESS": "no_usage",
            "TRACE": spans[1].trace_id,
            "INCIDENT": INCIDENT,
        }


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_of_the_runbooks_works(
    served: dict[str, str], command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SPANLEDGER_CLICKHOUSE_URL", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    filled = re.sub(r"\$([A-Z_]+)", lambda variable: served[variable[1]], command)
    name, *arguments = shlex.split(filled)

    done = CliRunner().invoke(app, arguments, env={"SPANLEDGER_STORE": served["SPANLEDGER_STORE"], "COLUMNS": "200"})

    assert name == "spanledger"
    assert done.exit_code == 0, (done.output, done.exception)
    assert done.output.strip() or arguments[0] == "query"


def test_the_collector_serves_the_runbooks_and_nothing_else(served: dict[str, str]) -> None:
    page = requests.get(f"{served['URL']}/runbooks/incidents.md", timeout=10)
    none = requests.get(f"{served['URL']}/runbooks/..%2FREADME.md", timeout=10)

    assert page.text == PAGES["incidents.md"]
    assert page.headers["content-type"] == "text/plain; charset=utf-8"
    assert none.status_code == 404
