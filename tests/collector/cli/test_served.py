"""Commands while `spanledger up` runs: they go through it, and what it acknowledged is never lost."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spanledger_collector.demo.vendor import VendorServer
from tests.collector.cli.processes import Up, environment, python, spanledger, up
from tests.collector.cli.recorded import CALLS, COST_USD, OF_RECORDED, Files

pytestmark = pytest.mark.e2e

PROGRAM = """
import sys
import openai, spanledger
spanledger.instrument(service_name="program")
with openai.OpenAI(base_url=sys.argv[1], api_key="sk-test") as client, spanledger.tags(team="growth"):
    client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "hi"}])
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with up(tmp_path_factory.mktemp("data") / "ledger") as running:
        yield running
        # Under nohup a hang-up is nothing to stop for.
        is_heard = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
        assert running.stop(signal.SIGHUP if is_heard else signal.SIGTERM).code == 0


def test_a_program_with_the_sdk_shows_in_cost_within_seconds(served: Up) -> None:
    with VendorServer() as vendor:
        ran = python("-c", PROGRAM, f"{vendor.url}/v1", OTEL_EXPORTER_OTLP_ENDPOINT=served.otlp_http_url)
    assert ran.code == 0, ran.err

    rows: list[dict[str, Any]] = []
    end = time.monotonic() + 120
    # A model that the ledger sees for the first time gets its name and its price a moment after the call is there.
    while not any(row["cost_usd"] for row in rows) and time.monotonic() < end:
        asked = spanledger("cost", "--by", "team,model", "--since", "1h", "--json", "--store", served.store)
        rows = json.loads(asked.out)
    assert [(row["team"], row["model"], row["calls"], row["cost_usd"]) for row in rows] == [
        # 120 tokens in at 0.15 USD per million, 30 out at 0.60.
        ("growth", "gpt-4o-mini", 1, "0.000036")
    ]


def test_a_replay_goes_through_the_collector_and_gives_the_totals_of_a_closed_store(served: Up, files: Files) -> None:
    photo = files.bad["is not OTLP in protobuf"]

    ended = spanledger("replay", *files.good, photo, "--store", served.store)

    asked = spanledger("query", OF_RECORDED, "--store", served.store)
    assert json.loads(asked.out) == {"calls": CALLS, "cost_usd": COST_USD}
    assert ended.code == 1
    assert "Requests read: 5 of traces." in ended.out
    assert "still behind" not in ended.out + ended.err
    assert ended.err.startswith(f"{photo} is not OTLP in protobuf")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("selec 1", "The statement failed. Syntax error: failed at position 7 (1): 1 (code 62, SYNTAX_ERROR)."),
        ("select * from nope", "The statement failed. Unknown table expression identifier 'nope'."),
        ("drop table rates", "The statement failed. This endpoint only reads: DROP is not executed."),
        ("select 1 format Nope", "The statement failed. Unknown format Nope."),
    ],
)
def test_a_statement_that_cannot_run_gets_one_sentence(sql: str, said: str, served: Up) -> None:
    ended = spanledger("query", sql, "--store", served.store)

    assert ended.code == 1
    assert ended.sentence.startswith(said)
    assert "Expected one of" not in ended.sentence
    assert "http://" not in ended.sentence


def test_the_format_of_a_statement_goes_before_that_of_the_option(served: Up) -> None:
    own = spanledger("query", "select 1 as a format CSVWithNames", "--store", served.store)
    chosen = spanledger("query", "select 1 as a;", "--format", "JSONEachRow", "--store", served.store)

    assert own.out == '"a"\n1\n'
    assert chosen.out == '{"a":1}\n'


def test_output_that_nobody_reads_on_is_no_reason_for_a_traceback(served: Up) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "spanledger_collector", "prices", "list", "--store", served.store],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr
        assert process.stderr.read() == b""


@pytest.mark.parametrize("command", [["up"], ["migrate"]])
def test_what_needs_the_store_for_itself_names_the_process_that_has_it(command: list[str], served: Up) -> None:
    free = ["--otlp-http-port", 0, "--otlp-grpc-port", 0, "--clickhouse-port", 0] if command == ["up"] else []

    ended = spanledger(*command, *free, "--store", served.store)

    assert ended.code == 1
    assert f"{served.store} is in use by process {served.process.pid}" in ended.sentence


@pytest.mark.parametrize(
    ("option", "name"), [("otlp-http", "OTLP/HTTP"), ("otlp-grpc", "OTLP/gRPC"), ("clickhouse", "ClickHouse HTTP")]
)
def test_a_port_in_use_is_named(option: str, name: str, served: Up, store: Path) -> None:
    urls = {"otlp-http": served.otlp_http_url, "otlp-grpc": served.otlp_grpc_url, "clickhouse": served.clickhouse_url}
    ports = dict.fromkeys(urls, "0") | {option: urls[option].rpartition(":")[2]}
    options = [part for key, port in ports.items() for part in (f"--{key}-port", port)]

    ended = spanledger("up", *options, "--store", store)

    assert ended.code == 1
    assert ended.sentence.startswith(f"Port {ports[option]} for {name} cannot be used: Address already in use.")


def test_a_server_that_is_not_clickhouse_is_said_to_be_none(served: Up) -> None:
    ended = spanledger("cost", "--clickhouse", served.otlp_http_url)

    assert ended.code == 1
    assert ended.sentence == (
        f"No ledger can be reached at {served.otlp_http_url}. What answers there is not ClickHouse (HTTP status 404)."
    )
