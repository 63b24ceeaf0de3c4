"""`spanledger up` as a service: ready, measured, never full, backed up while it serves, and looked after by a doctor."""

import json
import logging
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
import requests
from typer.testing import CliRunner, Result

from spanledger_collector.cli import app
from spanledger_collector.exceptions import StoreError, UsageError
from spanledger_collector.operations.backup import restore
from spanledger_collector.operations.disk import DiskWatch
from spanledger_collector.operations.logs import set_up_logging
from spanledger_collector.queries import User
from spanledger_collector.receiver.commit import UnavailableError
from spanledger_collector.server import EmbeddedServer
from tests.collector.cli.processes import Up, up
from tests.otlp import chat, request

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[3]
WORD = "correct horse"
CALLS = 3


def spanledger(*arguments: object, **variables: str) -> Result:
    """Run a command in this process: starting one each time would cost more than all the rest."""
    ended = CliRunner(env=variables).invoke(app, [str(argument) for argument in arguments])
    if ended.exception and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return ended


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[socket.socket]:
    """A service manager that listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path_factory.mktemp("s") / "notify"))
        listener.settimeout(30)
        yield listener


@pytest.fixture(scope="module")
def served(manager: socket.socket, new_store: Callable[[], Path]) -> Iterator[Up]:
    with up(new_store(), NOTIFY_SOCKET=manager.getsockname(), WATCHDOG_USEC="500000") as running:
        body = request([chat(time.time() - 600, extra={"spanledger.team": "ops"}) for _ in range(CALLS)]).body
        answer = requests.post(
            f"{running.otlp_http_url}/v1/traces", body, headers={"Content-Type": "application/x-protobuf"}, timeout=120
        )
        assert answer.status_code == 200
        yield running
        assert running.stop().code == 0


def test_the_service_manager_hears_that_it_is_ready_and_that_it_lives(served: Up, manager: socket.socket) -> None:
    assert manager.recv(1000).startswith(b"READY=1\nSTATUS=Serving http://127.0.0.1:")
    assert manager.recv(1000) == b"WATCHDOG=1"


def test_it_says_that_it_is_ready_and_what_it_did(served: Up) -> None:
    ready = requests.get(f"{served.clickhouse_url}/ready", timeout=120)
    text = requests.get(f"{served.clickhouse_url}/metrics", timeout=120).text
    measured = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))

    assert (ready.status_code, ready.json()) == (200, {"ready": True, "trouble": ""})
    assert measured['spanledger_collector_requests_total{signal="traces",outcome="stored"}'] == "1"
    assert measured["spanledger_landed_spans"] == str(CALLS)
    assert measured["spanledger_collector_ready"] == "1"
    assert int(measured["spanledger_disk_free_bytes"]) > int(measured["spanledger_disk_free_bytes_min"]) == 10**9
    assert set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE)) >= {name.partition("{")[0] for name in measured}


def test_the_doctor_finds_a_running_collector_well_and_leaves_nothing_behind(served: Up) -> None:
    found = spanledger("doctor", "--json", "--store", served.store, OTEL_EXPORTER_OTLP_ENDPOINT=served.otlp_http_url)
    left = "select (select count() from otel_traces), (select count() from genai_calls final), (select count() from calls) format TSV"

    parts = {finding["part"]: finding for finding in json.loads(found.stdout)}
    assert [finding for finding in json.loads(found.stdout) if finding["state"] == "fail"] == []
    assert "this collector" in parts["endpoint"]["sentence"]
    assert parts["canary"]["state"] == "ok"
    assert parts["services"]["sentence"].startswith("app: last heard of")
    assert found.exit_code == 0
    assert requests.post(served.clickhouse_url, left, timeout=120).text == f"{CALLS}\t{CALLS}\t{CALLS}\n"


def test_the_doctor_says_where_programs_would_send_instead_and_that_nobody_listens(served: Up, tmp_path: Path) -> None:
    elsewhere = spanledger("doctor", "--store", served.store, SPANLEDGER_OTLP_ENDPOINT="http://other:4318")
    nobody = spanledger("doctor", "--store", tmp_path / "none")

    assert "SPANLEDGER_OTLP_ENDPOINT is http://other:4318, but this collector takes OTLP/HTTP at" in elsewhere.stdout
    assert nobody.exit_code == 1
    assert "Nobody serves" in nobody.stdout


@pytest.fixture(scope="module")
def backup(served: Up, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of the served ledger."""
    folder = tmp_path_factory.mktemp("copies") / "backup"
    copied = spanledger("backup", folder, "--json", "--store", served.store)
    assert json.loads(copied.stdout) == json.loads((folder / "backup.json").read_text())
    return folder


def test_a_backup_of_a_served_ledger_restores_to_the_same_totals(served: Up, backup: Path, tmp_path: Path) -> None:
    made = spanledger("restore", backup, "--store", tmp_path / "new")

    totals = json.loads((backup / "backup.json").read_text())["totals"]
    assert totals["calls"] == totals["rolled_up_calls"] == CALLS
    assert Decimal(totals["cost_usd"]) == Decimal(totals["rolled_up_usd"]) > 0
    assert (made.exit_code, f"{CALLS} calls" in made.stdout) == (0, True)
    assert not list((served.store / "clickhouse" / "shadow").glob("backup_*"))
    assert backup.stat().st_mode & 0o077 == 0
    with pytest.raises(UsageError, match="exists already"):
        spanledger("backup", backup, "--store", served.store)


def test_a_damaged_backup_is_not_restored(served: Up, backup: Path, tmp_path: Path) -> None:
    manifest = json.loads((backup / "backup.json").read_text())
    copy = shutil.copytree(backup, tmp_path / "less", symlinks=True)
    (copy / "backup.json").write_text(json.dumps(manifest | {"totals": manifest["totals"] | {"calls": 99}}))

    with pytest.raises(StoreError, match=rf"calls is {CALLS} and was 99"):
        restore(copy, tmp_path / "new")
    spoilt = shutil.copytree(backup, tmp_path / "spoilt", symlinks=True)
    data = next(file for file in (spoilt / "clickhouse" / "store").rglob("data.bin") if file.stat().st_size > 1000)
    data.write_bytes(data.read_bytes()[:-1] + b"!")
    with pytest.raises(StoreError, match="has the part"):
        restore(spoilt, tmp_path / "new")
    with pytest.raises(StoreError, match="is no backup"):
        restore(tmp_path, tmp_path / "new")
    assert not (tmp_path / "new" / "clickhouse").exists()
    with pytest.raises(StoreError, match="a ledger at"):
        restore(backup, served.store)


def test_a_check_says_whether_it_would_start(served: Up, tmp_path: Path) -> None:
    free = [option for name in ("otlp-http", "otlp-grpc", "clickhouse") for option in (f"--{name}-port", 0)]
    fits = spanledger("up", "--check", "--store", tmp_path / "new", *free)

    assert fits.exit_code == 0
    assert "it would be made" in fits.stdout
    assert not (tmp_path / "new").exists()
    with pytest.raises(StoreError, match="is in use by process"):
        spanledger("up", "--check", "--store", served.store, *free)


@pytest.fixture(scope="module")
def full(new_store: Callable[[], Path]) -> Iterator[EmbeddedServer]:
    users = {"exporter": (WORD, User("exporter", "writer"))}
    with EmbeddedServer(
        new_store(), otlp_http_port=0, otlp_grpc_port=0, clickhouse_port=0, users=users, disk_free_min=10**18
    ) as server:
        yield server


def test_nothing_is_taken_while_the_disk_is_nearly_full_and_all_that_is_there_can_be_asked(
    full: EmbeddedServer,
) -> None:
    body = request([chat(time.time() - 600)]).body
    headers = {"Content-Type": "application/x-protobuf"}
    sent = requests.post(f"{full.otlp_http_url}/v1/traces", body, headers=headers, timeout=120)
    written = requests.post(
        full.clickhouse_url,
        b"{}",
        params={"query": "insert into otel_traces format JSONEachRow"},
        auth=("exporter", WORD),
        timeout=120,
    )
    asked = requests.post(full.clickhouse_url, "select count() from otel_traces", auth=("exporter", WORD), timeout=120)
    ready = requests.get(f"{full.clickhouse_url}/ready", timeout=120)

    assert (sent.status_code, sent.headers["retry-after"]) == (503, "1")
    assert b"MB left" in sent.content
    assert (written.status_code, written.headers["retry-after"]) == (503, "1")
    assert asked.text == "0\n"
    assert ready.status_code == 503
    assert "MB left" in ready.json()["trouble"]
    assert full.committer.requests == {("traces", "unavailable"): 1}
    assert full.database.path
    doctor = spanledger("doctor", "--json", "--store", full.database.path)
    (disk,) = [finding for finding in json.loads(doctor.stdout) if finding["part"] == "disk"]
    assert (disk["state"], "below 1,000,000,000,000 MB nothing is taken" in disk["sentence"]) == ("fail", True), (
        "its own limit"
    )


def test_a_store_that_is_gone_is_said_to_be_gone(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"gone cannot be found any more: No such file"):
        DiskWatch(tmp_path / "gone").check()


def test_a_backup_waits_for_what_is_being_written_and_only_the_owner_cuts_one(full: EmbeddedServer) -> None:
    asked = requests.post(f"{full.clickhouse_url}/backup", auth=("exporter", WORD), timeout=120)

    assert asked.status_code == 403
    with full.committer.held():
        with pytest.raises(StoreError, match="Another backup"), full.committer.held():
            pass
        assert "A backup is being cut" in full.status.trouble()
    assert "A backup is being cut" not in full.status.trouble()


def test_the_log_is_one_json_object_a_line_on_demand(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    try:
        set_up_logging("", "json")
        logging.getLogger("spanledger_collector.x").info("It is %s.\nTwo lines.", "full")
        line = json.loads(capsys.readouterr().err)
    finally:
        root.handlers[:] = kept
        root.setLevel(level)

    assert (line["level"], line["message"]) == ("INFO", "It is full.\nTwo lines.")
    for level_name, form in (("LOUD", ""), ("", "xml")):
        with pytest.raises(UsageError, match=level_name or form):
            set_up_logging(level_name, form)


def test_systemd_finds_nothing_to_complain_about(tmp_path: Path) -> None:
    unit = ROOT / "deploy" / "systemd" / "spanledger.service"
    if not unit.is_file() or not shutil.which("systemd-analyze"):
        pytest.skip("needs the checkout and systemd-analyze")
    text = unit.read_text().replace("/opt/spanledger/bin/spanledger", shutil.which("true") or "")
    (tmp_path / unit.name).write_text(text)

    found = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / unit.name],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert (found.returncode, [line for line in found.stderr.splitlines() if unit.name in line]) == (0, [])


def test_views_of_status_and_services_are_right_for_an_empty_ledger(full: EmbeddedServer) -> None:
    with closing(full.database.client()) as client:
        assert client.query("select count() from services_seen").result_rows == [(0,)]
        assert client.query("select landed_spans, last_span_at, lag_seconds from ledger_status").result_rows == [
            (0, None, 0)
        ]
