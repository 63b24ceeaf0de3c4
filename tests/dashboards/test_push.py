"""Dashboards by Grafana's API, against a small server that speaks the part of it that is used: there is no Grafana on PyPI."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from spanledger_collector.cli import app
from spanledger_collector.exceptions import SpanledgerError, UsageError
from spanledger_collector.panels.grafana import build_all
from spanledger_collector.panels.push import push
from tests.collector.cli.processes import spanledger

TOKEN = "glsa_secret"


class Grafana(ThreadingHTTPServer):
    """Keeps folders and dashboards as Grafana does, and every change that was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folders: dict[str, str] = {}
        self.dashboards: dict[str, dict[str, Any]] = {}
        self.changes: list[str] = []
        self.below = ""
        self.stead: tuple[int, str] | None = None
        """What answers in the place of Grafana."""
        self.breaks_after: int | None = None
        """The connection breaks off at the change after so many."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Grafana

    def do_GET(self) -> None:
        kind, uid = self.path.removeprefix(f"{self.server.below}/api/").rsplit("/", 1)
        found: Any = None
        if kind == "folders" and uid in self.server.folders:
            found = {"uid": uid, "title": self.server.folders[uid]}
        elif kind == "dashboards/uid":
            found = self.server.dashboards.get(uid)
        self._answer(200 if found else 404, found or {"message": "not found"})

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if len(self.server.changes) == self.server.breaks_after:
            self.close_connection = True
            return
        self.server.changes.append(self.path)
        if self.path == f"{self.server.below}/api/folders":
            self.server.folders[sent["uid"]] = sent["title"]
            self._answer(200, sent)
            return
        dashboard, uid = sent["dashboard"], sent["dashboard"]["uid"]
        known = self.server.dashboards.get(uid)
        if known and not sent["overwrite"]:
            self._answer(412, {"message": "A dashboard with the same uid already exists", "status": "name-exists"})
            return
        version = known["dashboard"]["version"] + 1 if known else 1
        number = known["dashboard"]["id"] if known else len(self.server.dashboards) + 1
        stored = {**dashboard, "id": number, "version": version}
        self.server.dashboards[uid] = {"dashboard": stored, "meta": {"folderUid": sent["folderUid"]}}
        self._answer(200, {"uid": uid, "status": "success", "version": version})

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, content: object) -> None:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            status, content = 401, {"message": "Unauthorized"}
        body = json.dumps(content).encode()
        if self.server.stead:
            status, body = self.server.stead[0], self.server.stead[1].encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if body.startswith(b"<") else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def grafana() -> Iterator[Grafana]:
    with Grafana() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_second_push_changes_nothing(grafana: Grafana) -> None:
    first = dict(push(grafana.url, TOKEN))
    changes = len(grafana.changes)

    second = dict(push(grafana.url, TOKEN))

    assert set(first.values()) == {"created"}
    assert set(second.values()) == {"unchanged"}
    assert len(grafana.changes) == changes == 1 + len(build_all())
    assert grafana.folders == {"spanledger": "spanledger"}


def test_a_dashboard_of_an_older_version_is_updated(grafana: Grafana) -> None:
    list(push(grafana.url, TOKEN))
    grafana.dashboards["spanledger-quality"]["dashboard"]["title"] = "older"

    outcomes = dict(push(grafana.url, TOKEN))

    assert [uid for uid, outcome in outcomes.items() if outcome == "updated"] == ["spanledger-quality"]
    assert grafana.dashboards["spanledger-quality"]["dashboard"]["title"] == "spanledger: Data quality"


@pytest.mark.parametrize(
    "theirs",
    [
        {"dashboard": {"tags": ["finance"], "id": 1, "version": 1}, "meta": {"folderUid": "spanledger"}},
        {"dashboard": {"tags": ["spanledger"], "id": 1, "version": 1}, "meta": {"folderUid": "finance"}},
    ],
)
def test_what_somebody_else_made_under_our_uid_is_left_alone(grafana: Grafana, theirs: dict[str, Any]) -> None:
    grafana.dashboards["spanledger-attribution"] = theirs

    with pytest.raises(SpanledgerError, match="spanledger-attribution that is not ours"):
        list(push(grafana.url, TOKEN))

    assert grafana.dashboards["spanledger-attribution"] == theirs


def test_other_dashboards_and_folders_stay_as_they_are(grafana: Grafana) -> None:
    other = {"dashboard": {"title": "theirs", "tags": []}, "meta": {"folderUid": "finance"}}
    grafana.dashboards["theirs"], grafana.folders["finance"] = other, "Finance"

    list(push(grafana.url, TOKEN))

    assert grafana.dashboards["theirs"] is other
    assert grafana.folders["finance"] == "Finance"


def test_a_wrong_token_and_an_absent_grafana_are_said_in_a_sentence(grafana: Grafana) -> None:
    with pytest.raises(SpanledgerError, match=r"Grafana at http://127\.0\.0\.1:\d+/ refused: 401"):
        list(push(grafana.url, "wrong"))
    with pytest.raises(SpanledgerError, match="cannot be reached"):
        list(push("http://127.0.0.1:1", TOKEN))


def test_a_grafana_below_a_path_and_a_token_from_a_file_with_a_line_end_work(grafana: Grafana) -> None:
    grafana.below = "/grafana"

    assert set(dict(push(f"{grafana.url}/grafana", f"{TOKEN}\n")).values()) == {"created"}


@pytest.mark.parametrize(
    "url",
    ["grafana.example", "ftp://127.0.0.1", "http://127.0.0.1:xx", "http://", "https://ann:secret@grafana.example"],
)
def test_what_is_no_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError, match="That is no address of a Grafana") as refused:
        list(push(url, TOKEN))

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("token", ["", " ", "glsa_\u20ac"])
def test_what_is_no_token_is_refused(grafana: Grafana, token: str) -> None:
    with pytest.raises(UsageError, match="The token is empty or not one of Grafana's"):
        list(push(grafana.url, token))


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (200, "<html>Welcome", r"What answers at http://127\.0\.0\.1:\d+/ is not the API of Grafana"),
        (200, "{}", "is not the API of Grafana"),
        (200, "[1]", "is not the API of Grafana"),
        (404, "<html>", r"refused: 404\. Is there a Grafana at this address\?"),
        (403, '{"message": "Permissions needed: folders:read"}', "403 Permissions needed: folders:read. The token's service"),
        (502, "<html>Bad gateway", r"refused: 502\.$"),
    ],
)  # fmt: skip
def test_whatever_else_answers_is_told_in_a_sentence(grafana: Grafana, status: int, body: str, sentence: str) -> None:
    grafana.stead = (status, body)

    with pytest.raises(SpanledgerError, match=sentence):
        list(push(grafana.url, TOKEN))


def test_a_connection_that_breaks_off_leaves_what_is_there_and_the_next_push_does_the_rest(grafana: Grafana) -> None:
    grafana.breaks_after = 3

    with pytest.raises(SpanledgerError, match="the same command does the rest"):
        list(push(grafana.url, TOKEN))
    grafana.breaks_after = None

    outcomes = list(dict(push(grafana.url, TOKEN)).values())
    assert outcomes == ["unchanged", "unchanged", *["created"] * (len(build_all()) - 2)]


def test_the_command_says_what_became_of_each(grafana: Grafana) -> None:
    done = CliRunner().invoke(app, ["dashboards", "push", "--url", grafana.url, "--token", TOKEN])

    assert done.exit_code == 0
    assert done.output.splitlines()[0] == "created    spanledger-overview"


def test_build_writes_what_is_checked_in(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["dashboards", "build", "--to", str(tmp_path)])

    assert done.exit_code == 0
    assert {file.name for file in tmp_path.iterdir()} == set(build_all())


@pytest.mark.e2e
def test_check_runs_every_query_and_says_how_long_they_took(tmp_path: Path) -> None:
    made = spanledger("migrate", "--store", tmp_path / "store")
    assert made.code == 0, made.err

    done = spanledger("dashboards", "check", "--store", tmp_path / "store")

    assert done.code == 0, done.err
    assert "queries, 0 faults; 95 of 100 took at most" in done.out
