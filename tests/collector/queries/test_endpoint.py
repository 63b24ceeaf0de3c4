"""The endpoint speaks ClickHouse's HTTP interface."""

import gzip
import json
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from spanledger_collector.queries import engine
from spanledger_collector.queries.settings import READERS

from .conftest import Endpoint


@pytest.fixture
def client(endpoint: Endpoint) -> Client:
    return clickhouse_connect.get_client(host="127.0.0.1", port=endpoint.port, compress=False)


def test_ping_and_the_bare_address_say_ok(endpoint: Endpoint) -> None:
    assert endpoint.ask(url="/ping", method="GET").body == b"Ok.\n"
    assert endpoint.ask(method="GET").body == b"Ok.\n"


def test_sql_goes_in_the_body_or_in_the_url_or_in_both(endpoint: Endpoint) -> None:
    assert endpoint.ask("select 1").body == b"1\n"
    assert endpoint.ask(method="GET", query="select 2").body == b"2\n"
    assert endpoint.ask("3", query="select").body == b"3\n"


def test_the_format_is_that_of_the_clause_else_of_the_url_else_tab_separated(endpoint: Endpoint) -> None:
    of_clause = endpoint.ask("select 1 as a format JSONEachRow", default_format="CSV")
    of_url = endpoint.ask("select 'x' as a", default_format="CSVWithNames")
    of_nobody = endpoint.ask("select 1, 'x'")

    assert (of_clause.body, of_clause.headers["x-clickhouse-format"]) == (b'{"a":1}\n', "JSONEachRow")
    assert of_clause.headers["content-type"].startswith("application/x-ndjson")
    assert (of_url.body, of_url.headers["x-clickhouse-format"]) == (b'"a"\n"x"\n', "CSVWithNames")
    assert of_url.headers["content-type"] == "text/csv; charset=UTF-8; header=present"
    assert (of_nobody.body, of_nobody.headers["x-clickhouse-format"]) == (b"1\tx\n", "TabSeparated")


@pytest.mark.parametrize(
    "form", ["Parquet", "Arrow", "ArrowStream", "Native", "RowBinary", "JSON", "XML", "Pretty", "Markdown"]
)
def test_formats_of_the_engine_come_through(endpoint: Endpoint, form: str) -> None:
    reply = endpoint.ask("select number from numbers(3)", default_format=form)

    assert reply.status == 200
    assert reply.body


def test_parameters_are_bound_by_the_engine_as_text_numbers_arrays_and_null(endpoint: Endpoint) -> None:
    sql = "select {a:String}, {b:UInt8} + 1, {c:Array(String)}, {d:Nullable(String)}"
    reply = endpoint.ask(
        sql, param_a="it's; drop \\t table", param_b="41", param_c="['x','y\\'z']", param_d="\\N", param_unused="1"
    )

    assert reply.body == b"it\\'s; drop \\t table\t42\t['x','y\\'z']\t\\N\n"


FORM = "multipart/form-data; boundary=b0"


def test_a_form_brings_the_query_and_its_parameters(endpoint: Endpoint) -> None:
    parts = {"query": "select {a:String}, {b:String}", "param_a": "two --b0 lines", "param_b": "\u00fc"}
    body = "".join(
        f'--b0\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in parts.items()
    )

    reply = endpoint.ask(f"{body}--b0--\r\n", headers={"Content-Type": FORM})

    assert reply.body.decode() == "two --b0 lines\t\u00fc\n"


def test_parts_within_the_parts_of_a_form_are_no_fields_and_not_looked_into(endpoint: Endpoint) -> None:
    nest = "".join(f"--b{depth}\nContent-Type: multipart/mixed; boundary=b{depth + 1}\n\n" for depth in range(2_000))

    reply = endpoint.ask(nest, headers={"Content-Type": FORM})

    assert (reply.status, "Form field '' is not supported" in reply.body.decode()) == (501, True)


def test_a_percent_sign_is_only_a_percent_sign(endpoint: Endpoint) -> None:
    assert endpoint.ask("select 'a' like '%a%', '%(x)s', {x:String}", param_x="%s").body == b"1\t%(x)s\t%s\n"


@pytest.mark.parametrize(
    ("sql", "status", "code", "word"),
    [
        ("selec 1", 400, "62", "SYNTAX_ERROR"),
        ("select * from nowhere", 404, "60", "UNKNOWN_TABLE"),
        ("select nowhere()", 404, "46", "UNKNOWN_FUNCTION"),
        ("select nothing", 404, "47", "UNKNOWN_IDENTIFIER"),
        ("select * from elsewhere.t", 404, "81", "UNKNOWN_DATABASE"),
        ("select 1 format Nope", 404, "73", "UNKNOWN_FORMAT"),
        ("select throwIf(1)", 500, "395", "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"),
        ("select {x:String}", 500, "456", "UNKNOWN_QUERY_PARAMETER"),
        ("", 400, "62", "SYNTAX_ERROR"),
        ("-- nothing", 400, "62", "SYNTAX_ERROR"),
        (b"select '\xff'", 400, "62", "SYNTAX_ERROR"),
        ("select " + "(" * 3000 + "1" + ")" * 3000, 500, "306", "TOO_DEEP_RECURSION"),
        ("select " + "abs(" * 400 + "1" + ")" * 400, 400, "167", "TOO_DEEP_AST"),
        ("select '" + "x" * 300_000 + "'", 413, "229", "QUERY_IS_TOO_LARGE"),
    ],
)
def test_errors_have_clickhouse_words_codes_and_statuses(
    endpoint: Endpoint, sql: str | bytes, status: int, code: str, word: str
) -> None:
    reply = endpoint.ask(sql)

    assert (reply.status, reply.headers["x-clickhouse-exception-code"]) == (status, code)
    assert reply.text.startswith(f"Code: {code}. DB::Exception: ")
    assert word in reply.text
    assert "formatQuery" not in reply.text
    assert "parseQuery" not in reply.text


def test_answers_are_gzipped_for_who_accepts_it_and_questions_may_be(endpoint: Endpoint) -> None:
    sql = "select number from numbers(1000)"
    zipped = endpoint.ask(sql, headers={"Accept-Encoding": "gzip, deflate"})
    plain = endpoint.ask(
        gzip.compress(sql.encode()), headers={"Content-Encoding": "gzip", "Accept-Encoding": "gzip;q=0"}
    )

    assert zipped.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(zipped.body) == plain.body


@pytest.mark.parametrize(
    "body", [gzip.compress(b"select 1", mtime=0)[:-6], b"select 1", gzip.compress(b" " * 10_000_000, mtime=0)]
)
def test_a_broken_or_swollen_gzip_body_is_refused(endpoint: Endpoint, body: bytes) -> None:
    assert endpoint.ask(body, headers={"Content-Encoding": "gzip"}).status in (400, 413)


def test_settings_that_clients_send_by_themselves_do_no_harm(endpoint: Endpoint) -> None:
    reply = endpoint.ask(
        "select getSetting('max_execution_time')",
        async_insert="1",
        client_protocol_version="54460",
        max_execution_time="9",
        session_id="x",
        wait_end_of_query="1",
        readonly="0",
    )

    assert (reply.status, reply.body) == (200, b"9\n")


def test_a_setting_of_one_query_is_gone_with_it(endpoint: Endpoint) -> None:
    endpoint.ask("select 1", max_result_rows="7")
    left = {endpoint.ask("select getSetting('max_result_rows')").body for _ in range(12)}

    assert left == {b"1000000\n"}


def test_a_limit_above_ours_is_cut_in_the_url_and_refused_in_the_query(endpoint: Endpoint) -> None:
    cut = endpoint.ask("select getSetting('max_execution_time')", max_execution_time="65")
    unlimited = endpoint.ask("select getSetting('max_result_rows')", max_result_rows="0")
    refused = endpoint.ask("select 1 settings max_execution_time = 65")
    fitting = endpoint.ask("select 1 settings max_execution_time = 5")

    assert (cut.body, unlimited.body) == (b"60\n", b"1000000\n")
    assert (refused.status, refused.headers["x-clickhouse-exception-code"]) == (500, "452")
    assert fitting.body == b"1\n"


def test_a_query_that_takes_too_long_or_gives_too_much_ends(endpoint: Endpoint) -> None:
    slow = endpoint.ask(
        "select count() from numbers(100000000000) where sipHash64(number) = 1", max_execution_time="0.3"
    )
    wide = endpoint.ask("select number from numbers(100)", max_result_rows="99")
    heavy = endpoint.ask("select groupArray(number) from numbers(100000000)", max_memory_usage="10000000")

    assert (slow.status, slow.headers["x-clickhouse-exception-code"]) == (408, "159")
    assert wide.headers["x-clickhouse-exception-code"] == "396"
    assert heavy.headers["x-clickhouse-exception-code"] == "241"


def test_a_slow_query_does_not_keep_a_quick_one_waiting(endpoint: Endpoint) -> None:
    slow = threading.Thread(target=endpoint.ask, args=("select sleep(2)",))
    slow.start()
    started = time.monotonic()
    replies = [endpoint.ask("select 1").body for _ in range(5)]
    took_seconds = time.monotonic() - started
    slow.join()

    assert replies == [b"1\n"] * 5
    assert took_seconds < 1.5


def test_who_waited_long_for_a_slow_query_is_told_to_come_again(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "WAITING_SECONDS_MAX", 1.0)
    slow = "select sum(sleepEachRow(1)) from numbers(3) settings max_block_size = 1"
    with ThreadPoolExecutor(READERS) as pool:
        running = [pool.submit(endpoint.ask, slow) for _ in range(READERS)]
        time.sleep(0.5)
        late = endpoint.ask("select 1")

    assert (late.status, late.headers["retry-after"]) == (503, "1")
    assert [each.result().status for each in running] == [200] * READERS


def test_unqualified_tables_are_the_ledgers_whichever_database_a_client_names_by_default(endpoint: Endpoint) -> None:
    for name in ("", "default", "spanledger"):
        assert endpoint.ask("select count() from money", fields={"database": name} if name else {}).body == b"3\n"
    assert endpoint.ask("select count() > 0 from tables where name = 'money'", database="system").body == b"1\n"
    assert endpoint.ask("select 1", database="nowhere").headers["x-clickhouse-exception-code"] == "81"


def test_what_grafana_and_other_tools_ask_is_answered(endpoint: Endpoint) -> None:
    assert endpoint.ask("select version()").text.startswith("2")
    assert "spanledger" in endpoint.ask("SHOW DATABASES").text
    assert "money" in endpoint.ask('SHOW TABLES FROM "spanledger"').text
    assert endpoint.ask('DESC TABLE "spanledger"."money"').text.startswith("at\tDateTime64(6, \\'UTC\\')")
    assert endpoint.ask("DESCRIBE (select 1 as a) FORMAT TSV").text.startswith("a\tUInt8")
    assert endpoint.ask("EXISTS TABLE spanledger.money").body == b"1\n"
    assert "CREATE TABLE" in endpoint.ask("SHOW CREATE TABLE money FORMAT TSVRaw").text
    assert endpoint.ask("SHOW COLUMNS FROM money FROM spanledger").status == 200
    assert "ReadFromMergeTree" in endpoint.ask("EXPLAIN select usd from money").text
    assert (
        endpoint.ask(
            "SELECT name, type, table FROM system.columns WHERE database IN ('spanledger') AND table='money'"
        ).status
        == 200
    )


def test_curl_can_ask(endpoint: Endpoint) -> None:
    command = ["curl", "-s", f"http://localhost:{endpoint.port}/", "-d", "select 40 + 2"]

    assert subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout == "42\n"


def test_the_summary_counts_what_the_query_read_and_not_what_its_settings_took(endpoint: Endpoint) -> None:
    def summary(sql: str, **settings: str) -> dict[str, str]:
        told = json.loads(endpoint.ask(sql, fields=settings).headers["x-clickhouse-summary"])
        assert all(isinstance(value, str) for value in told.values())
        return {name: told[name] for name in ("read_rows", "read_bytes", "total_rows_to_read", "result_rows")}

    thousand = {"read_rows": "1000", "read_bytes": "8000", "total_rows_to_read": "1000", "result_rows": "1"}
    assert summary("select sum(number) from numbers(1000)") == thousand
    assert summary("select sum(number) from numbers(1000) format JSON", max_threads="1") == thousand
    assert summary("select usd from money where usd > 1e30", max_threads="1")["result_rows"] == "0"


def test_curl_sees_how_the_query_went_on_in_headers_and_no_more_of_them_than_clients_take(endpoint: Endpoint) -> None:
    asked = "send_progress_in_http_headers=1&wait_end_of_query=1&http_headers_progress_interval_ms=10"
    sql = "select count() from numbers(60000000) where sipHash64(number, number) % 3 = 0"
    command = ["curl", "-si", f"http://localhost:{endpoint.port}/?{asked}", "-d", sql]

    lines = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout.splitlines()
    told = [json.loads(line.split(": ", 1)[1]) for line in lines if line.lower().startswith("x-clickhouse-progress")]

    assert 1 <= len(told) <= 20
    rows = [int(report["read_rows"]) for report in told]
    assert rows == sorted(rows)
    assert {report["total_rows_to_read"] for report in told} == {"60000000"}
    assert not [name for name in endpoint.ask("select 1").headers if "progress" in name]


def test_clickhouse_connect_has_the_summary(client: Client) -> None:
    assert client.query("select sum(number) from numbers(1000)").summary["read_rows"] == "1000"


def test_clickhouse_connect_reads_money_and_time_exactly(client: Client) -> None:
    result = client.query("select at, usd from money order by at")

    assert result.column_names == ("at", "usd")
    assert result.result_rows == [
        # UTC comes without a zone, as clickhouse-connect gives it by default.
        (datetime(2026, 11, 22, 10, 0, 0, 1), Decimal("0.000000000000000000000001")),  # noqa: DTZ001
        (datetime(2026, 11, 22, 11), Decimal("12345678901234.123456789012345678901234")),  # noqa: DTZ001
        (datetime(2026, 11, 22, 12), None),  # noqa: DTZ001
    ]


def test_clickhouse_connect_binds_parameters_and_knows_columns_without_rows(client: Client) -> None:
    bound = client.query(
        "select {names:Array(String)} as names, {n:UInt8} as n", parameters={"names": ["a", "it's"], "n": 7}
    )
    empty = client.query("select usd, at from money where usd > 1e20")
    long = client.query("select length({x:String})", parameters={"x": "y" * 100_000})

    assert bound.result_rows == [(["a", "it's"], 7)]
    assert (empty.column_names, empty.result_rows) == (("usd", "at"), [])
    assert long.result_rows == [(100_000,)]


def test_clickhouse_connect_commands_raw_queries_and_errors_work(client: Client) -> None:
    assert client.command("select count() from money") == 3
    assert client.command("show tables from spanledger like 'mone%'") == "money"
    assert json.loads(client.raw_query("select 1 as a", fmt="JSONEachRow")) == {"a": 1}
    assert client.ping()
    with pytest.raises(DatabaseError, match="UNKNOWN_TABLE") as caught:
        client.query("select * from nowhere")
    assert caught.value.code == 60
    with pytest.raises(DatabaseError, match="READONLY"):
        client.insert("money", [[datetime(2026, 1, 1, tzinfo=UTC), None]], column_names=["at", "usd"])


def test_clickhouse_connect_with_its_default_compression_works(endpoint: Endpoint) -> None:
    client = clickhouse_connect.get_client(
        host="localhost", port=endpoint.port, database="spanledger", username="any", password="x"
    )

    assert client.query("select sum(number) from numbers(100000)").result_rows == [(4999950000,)]
    assert len(client.query("select number from numbers(100000)").result_rows) == 100_000


def test_the_first_question_of_clickhouse_go_is_answered_in_its_framing(endpoint: Endpoint) -> None:
    reply = endpoint.ask(
        "SELECT displayName(), version(), revision(), timezone()",
        default_format="Native",
        client_protocol_version="54460",
    )

    assert reply.body.startswith(
        b"\x01\x00\x02\xff\xff\xff\xff\x00\x04\x01\x0ddisplayName()\x06String\x00\x0aspanledger"
    )
    assert b"\x0arevision()\x06UInt32\x00\x00\x00\x00\x00" in reply.body
