"""What could not be booked: seen and tried again by command, through a running collector and without one."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from spanledger_collector.cli import app
from spanledger_collector.exceptions import UsageError
from spanledger_collector.server import EmbeddedServer
from tests.otlp import chat, request

GARBAGE = b"\x1b[31mgarbage"


@pytest.fixture(scope="module")
def store(new_store: Callable[[], Path]) -> Path:
    return new_store()


@pytest.fixture(scope="module")
def server(store: Path) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(store, otlp_http_port=0, otlp_grpc_port=0, clickhouse_port=0) as server:
        yield server


def run(*arguments: object, code: int = 0) -> str:
    ended = CliRunner().invoke(app, ["quarantine", *map(str, arguments)])
    if ended.exception and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    assert ended.exit_code == code, ended.output
    return ended.output


def listed(store: Path) -> list[dict[str, Any]]:
    return list(json.loads(run("list", "--json", "--store", store)))


def post(server: EmbeddedServer, body: bytes) -> None:
    call = urllib.request.Request(f"{server.otlp_http_url}/v1/traces", body, {"Content-Type": "application/x-protobuf"})  # noqa: S310
    try:
        urllib.request.urlopen(call, timeout=120).close()  # noqa: S310
    except urllib.error.HTTPError as error:
        error.close()


def test_nothing_aside_is_said(server: EmbeddedServer, store: Path) -> None:
    assert run("list", "--store", store) == "Nothing is kept aside.\n"


def test_what_is_aside_is_listed_shown_and_tried_again_through_a_running_collector(
    server: EmbeddedServer, store: Path
) -> None:
    now = float(int(time.time()))
    late, zero = chat(now + 90_000, extra={"note": "\x1b[2J"}), replace(chat(now), span=0)
    post(server, GARBAGE)
    post(server, request([late, zero]).body)

    spans, garbage = listed(store)
    shown = run("show", spans["id"], "--store", store)
    raw = run("show", garbage["id"], "--store", store)
    with closing(server.database.client()) as client:  # a day passes
        client.command(
            "alter table quarantined_spans update start_ns = start_ns - 90600000000000, end_ns = end_ns - 90600000000000 "
            "where span_id = {id:String} settings mutations_sync = 1",
            {"id": late.span_id},
        )
    said = run("retry", "--all", "--store", store, code=1)

    assert (spans["what"], spans["count"], garbage["what"]) == ("spans", "2", "request")
    assert late.trace_id in shown
    assert "\x1b" not in shown + raw
    assert raw.splitlines()[-1] == f"body: {GARBAGE.hex(' ')}"
    assert said.endswith("Booked: 0; still aside: 2.\n")
    assert "Kept aside: span id is not 8 bytes or is all zero." in said
    assert [(entry["id"], entry["count"]) for entry in listed(store)] == [(spans["id"], "1"), (garbage["id"], "1")]
    with closing(server.database.client()) as client:
        assert client.query(
            "select count() from calls where span_id = {id:String}", {"id": late.span_id}
        ).result_rows == [(1,)]


def test_a_request_that_can_be_read_now_is_booked_for_its_tenant_and_leaves(
    server: EmbeddedServer, store: Path
) -> None:
    span = chat(float(int(time.time()) - 60))
    was_unreadable = replace(request([span]), tenant="acme")
    server.committer.refuse(was_unreadable, UsageError("An older release could not.")).exception()  # type: ignore[arg-type]
    (entry,) = [entry for entry in listed(store) if entry["tenant"]]

    said = run("retry", entry["id"], "--store", store)

    assert said == "Booked: 1; still aside: 0.\n"
    assert entry["id"] not in {entry["id"] for entry in listed(store)}
    with closing(server.database.client()) as client:
        rows = client.query("select tenant from calls where span_id = {id:String}", {"id": span.span_id}).result_rows
    assert rows == [("acme",)]


def test_an_unknown_id_is_a_usage_error(server: EmbeddedServer, store: Path) -> None:
    with pytest.raises(UsageError, match=r"'xyz' is no id"):
        run("show", "xyz", "--store", store)
    with pytest.raises(UsageError, match="Nothing with the id 12 is kept aside"):
        run("show", "12", "--store", store)
    with pytest.raises(UsageError, match="Name what to try again, or give --all"):
        run("retry", "--store", store)


def test_a_closed_store_is_tried_in_this_process(server: EmbeddedServer, store: Path) -> None:
    server.close()
    before = listed(store)

    said = run("retry", "--all", "--store", store, code=1)

    assert said.endswith("Booked: 0; still aside: 2.\n")
    assert [entry["id"] for entry in listed(store)] == [entry["id"] for entry in before]
