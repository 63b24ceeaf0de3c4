"""Users with passwords: readers, a reader of one tenant, the writer of the OpenTelemetry Collector's exporter."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
import requests
from clickhouse_connect.driver.exceptions import DatabaseError

from spanledger_collector.exceptions import UsageError
from spanledger_collector.queries import User, read_users
from spanledger_collector.queries.coding import framed, packed, unframed, unpacked
from spanledger_collector.queries.errors import RefusedError
from spanledger_collector.queries.tenancy import VIEWS
from spanledger_collector.receiver.door import OtlpRequest
from spanledger_collector.server import EmbeddedServer
from tests.ledger import source
from tests.otlp import chat, request

WORD = "correct horse"
USERS = {
    "all": (WORD, User("all")),
    "a": (WORD, User("a", tenant="it's a")),
    "nobody": (WORD, User("nobody", tenant="")),
    "exporter": (WORD, User("exporter", "writer")),
}
NOW = datetime.now(UTC)
JSON = b'{"Timestamp": "%d.5", "TraceId": "t", "SpanName": "plain", "ServiceName": "written"}\n' % NOW.timestamp()


def spans_of(tenant: str, mark: str, at: float) -> OtlpRequest:
    names = ("team", "feature", "task")
    tags = {f"spanledger.{name}": mark for name in names} | {
        "user.id": mark,
        "session.id": mark,
        "spanledger.tenant": tenant,
    }
    unpriced = tags | {"gen_ai.request.model": mark, "gen_ai.response.model": mark}
    spans = [chat(at, extra=unpriced, service=mark), chat(at + 1, extra=tags, service=mark)]
    return request(spans, {"deployment.environment.name": mark})


@pytest.fixture(scope="module")
def server(new_store: Callable[[], Path]) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(new_store(), otlp_http_port=0, otlp_grpc_port=0, clickhouse_port=0, users=USERS) as server:
        for at in (time.time() - 600, time.time() - 5 * 3600, time.time() - 3 * 86_400):
            for tenant, mark in (("it's a", "mine"), ("b", "secret"), ("", "secret")):
                server.committer.submit(spans_of(tenant, mark, at)).result()
        server.settle()
        yield server


def ask(server: EmbeddedServer, sql: str | bytes, user: str = "", **more: Any) -> requests.Response:
    return requests.post(server.clickhouse_url, sql, timeout=120, auth=(user, WORD) if user else None, **more)


def test_with_users_nobody_else_is_let_in(server: EmbeddedServer) -> None:
    wrong = requests.post(server.clickhouse_url, "select 1", auth=("all", "wrong"), timeout=10)
    unknown = requests.post(server.clickhouse_url, "select 1", auth=("unknown", ""), timeout=10)

    for reply in (wrong, unknown, ask(server, "select 1")):
        assert (reply.status_code, reply.headers["x-clickhouse-exception-code"]) == (403, "516")
    assert ask(server, "select 1", "all").text == "1\n"
    assert ask(server, "select 1", headers={"X-ClickHouse-User": "all", "X-ClickHouse-Key": WORD}).text == "1\n"
    assert ask(server, "select 1", params={"user": "all", "password": WORD}).text == "1\n"


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_a_reader_of_a_tenant_sees_its_rows_and_no_others_in_every_view(server: EmbeddedServer, view: str) -> None:
    mine = ask(server, f"select * from {source(view)} format JSONEachRow", "a").text
    empty = ask(server, f"select count() from {source(view)}", "nobody").text

    assert mine or view == "untagged_spend"
    assert "secret" not in mine
    assert empty != "0\n", "the calls without a tenant have the tenant ''"


def test_a_view_with_a_time_range_is_called_and_nothing_else_is(server: EmbeddedServer) -> None:
    asked = "select sum(c.calls) from {}(since = '1970-01-02 00:00:00', until = '2106-01-01 00:00:00') as c"
    expected = ask(server, "select sum(c.calls) from costs as c", "all").text

    for user in ("all", "a"):
        own = ask(server, asked.format("costs_between"), user)
        assert own.text == ask(server, asked.format("spanledger.costs_between"), user).text
        assert (own.text == expected) is (user == "all"), own.text
        for denied in ("default.costs_between", "costs_betwee", "file", "system.costs_between"):
            assert ask(server, asked.format(denied), user).status_code in (403, 404, 500), denied
    inside = "select 1 from costs_between(since = (select toDateTime(max(Timestamp)) from {}), until = now())"
    assert ask(server, inside.format("otel_traces"), "a").headers["x-clickhouse-exception-code"] == "497"
    assert ask(server, inside.format("file('/etc/passwd', 'LineAsString')"), "all").status_code == 403


def test_what_a_tenant_sums_is_what_it_spent(server: EmbeddedServer) -> None:
    sql = "select sum(calls), sum(known_usd) from {}"
    own = "select count(), sum(cost_usd) from calls where tenant = {t:String}"
    expected = ask(server, own, "all", params={"param_t": "it's a"}).text

    for view in (
        "costs",
        source("costs_between"),
        source("costs_in_steps"),
        "cost_by_team",
        "cost_by_user",
        "cost_by_day",
        "cost_by_month",
        "completeness",
    ):
        assert ask(server, sql.format(view), "a").text == expected
    assert ask(server, own, "a", params={"param_t": "b"}).text == "0\t\\N\n"


@pytest.mark.parametrize(
    "sql",
    [
        "select * from otel_traces",
        "select 1 where ('x') in otel_traces",
        "select * from spanledger.otel_traces",
        "select SpanName from `otel_traces` as calls",
        "with otel_traces as (select 1) select * from otel_traces",
        "select * from (select * from trace_spans)",
        "select * from view(select * from quarantined_spans)",
        "select * from statements",
        "select * from repricings",
        "select * from {t:Identifier}",
        "select * from {d:Identifier}.{u:Identifier}",
        "select * from system.processes",
        "select * from system.parts",
        "select * from information_schema.tables",
        "select query from processes",
        "select dictGet('spanledger.outcome_dict', 'outcome', 'secret')",
        "select * from dictionary('spanledger.outcome_dict')",
        "select * from calls settings additional_table_filters = {}",
        "explain estimate select * from genai_calls",
        "show processlist",
        "describe (select * from otel_traces)",
        "select * from loop(calls)",
        "select * from merge('spanledger', '.*')",
        "select * from genai_calls union all select * from genai_calls settings final = 0, additional_table_filters = {}",
    ],
)  # fmt: skip
def test_a_reader_of_a_tenant_cannot_name_what_is_not_filtered(server: EmbeddedServer, sql: str) -> None:
    reply = ask(server, sql, "a", params={"param_t": "otel_traces", "param_d": "system", "param_u": "parts"})

    assert reply.status_code != 200
    assert "secret" not in reply.text.replace(sql, "")
    for name in ("additional_table_filters", "database"):
        assert ask(server, "select 1 from tables", "a", params={name: "system"}).status_code != 200


@pytest.mark.parametrize(
    "sql",
    [
        "select count() from genai_calls prewhere throwIf(team = 'secret') = 0",
        "select count() from genai_calls prewhere toUInt8(if(team = 'mine', '1', toString(team))) = 1",
        "select count() from calls where team in (select team from genai_calls prewhere intDiv(1, team != 'secret') = 1)",
        "select count() from genai_calls settings max_rows_to_read = 1",
        "select * from (select count() from genai_calls settings max_rows_to_read = 1)",
        "select max(_part_offset) from genai_calls",
        "select g._part from genai_calls as g",
        "select {v:Identifier} from genai_calls",
        "select spanledger_rate_of('b', 'openai', 'gpt-4o-mini', '', now(), 1)",
        "select arrayMap(x -> spanledger_tier_side_of(x), [''])",
        "select * apply(spanledger_tier_side_of) from (select '')",
    ],
)
def test_a_reader_of_a_tenant_sees_nothing_of_what_happens_before_the_filter(server: EmbeddedServer, sql: str) -> None:
    reply = ask(server, sql, "a", params={"param_v": "_part"})

    assert (reply.status_code, reply.headers["x-clickhouse-exception-code"]) == (403, "497")
    assert "secret" not in reply.text.replace(sql, "")


def test_no_condition_is_evaluated_on_the_rows_of_others(server: EmbeddedServer) -> None:
    views = ("calls", "costs", "daily_costs", source("costs_between"), source("costs_in_steps"))
    for rows in ("genai_calls", "genai_calls final", *views, "(select * from genai_calls)"):
        for condition in (
            "throwIf(team = 'secret') = 0",
            "intDiv(1, team != 'secret') = 1",
            "toUInt8(if(team = 'mine', '1', toString(team))) = 1",
            "tenant != '' and 1 % (team != 'secret') = 0 and team != ''",
        ):
            reply = ask(server, f"select count() from {rows} where {condition}", "a")
            assert (reply.status_code, reply.text != "0\n") == (200, True), (rows, condition, reply.text)


def test_the_summary_and_limits_tell_a_reader_of_one_tenant_nothing_of_the_others(server: EmbeddedServer) -> None:
    asked = {"send_progress_in_http_headers": "1"}
    mine, theirs = (ask(server, "select count() from genai_calls", user, params=asked) for user in ("a", "all"))

    assert "read_rows" not in str(mine.headers)
    assert '"read_rows"' in theirs.headers["x-clickhouse-summary"]
    assert ask(server, "select count() from calls", "a", params={"max_rows_to_read": "1"}).status_code == 403


def test_the_filter_holds_below_joins_subqueries_windows_and_final(server: EmbeddedServer) -> None:
    for sql in (
        "select * from genai_calls",
        "select * from genai_calls final",
        "select b.team from calls as a join calls as b on 1",
        "with x as (select * from calls) select * from x where team in (select team from cost_by_team)",
        "select groupArray(team) over () from calls",
        "select (select groupArray(team) from calls)",
        "select * from view(select team from calls)",
        "select team from `spanledger`.`calls` as `spanledger.genai_calls`",
        "select distinct team from calls order by team limit 10 by team",
        "select arrayJoin(groupUniqArray(tenant)) from cost_hours",
    ):
        reply = (
            ask(server, sql, "a") if "cost_hours" not in sql else ask(server, sql.replace("cost_hours", "costs"), "a")
        )
        assert (reply.status_code, "secret" in reply.text) == (200, False), sql


def test_a_readers_next_question_is_not_filtered_by_the_last_ones_tenant(server: EmbeddedServer) -> None:
    seen = {ask(server, "select uniq(tenant) from calls", user).text for _ in range(8) for user in ("a", "all")}

    assert seen == {"1\n", "3\n"}


def test_the_writer_lands_spans_and_nothing_else(server: EmbeddedServer) -> None:
    into = {"query": "INSERT INTO spanledger.otel_traces FORMAT JSONEachRow", "database": "default"}
    reply = ask(server, JSON, "exporter", params=into)
    refused = [
        ask(server, sql, "exporter")
        for sql in (
            "insert into rates format JSONEachRow\n{}",
            "insert into default.otel_traces format JSONEachRow\n{}",
            "insert into function file('/tmp/x', 'LineAsString') format LineAsString\nx",
            "insert into otel_traces select * from otel_traces",
            "insert into otel_traces from infile '/etc/passwd' format LineAsString\nx",
            "drop table otel_traces",
            "create table t (a Int8) engine = Memory",
        )
    ]
    by_reader = ask(server, JSON, "all", params=into)

    assert (reply.status_code, reply.json() if reply.text else "") == (200, "")
    assert '"written_rows":"1"' in reply.headers["x-clickhouse-summary"]
    assert ask(server, "select count() from otel_traces where ServiceName = 'written'", "all").text == "1\n"
    assert {answer.headers["x-clickhouse-exception-code"] for answer in refused} <= {"497", "164", "62"}
    assert by_reader.status_code != 200


@pytest.mark.parametrize("compress", [False, "lz4", "zstd", "gzip"])
def test_clickhouse_connect_writes_and_reads_in_every_compression(server: EmbeddedServer, compress: Any) -> None:
    port = int(server.clickhouse_url.rpartition(":")[2])
    login = {"host": "127.0.0.1", "port": port, "username": "exporter", "password": WORD, "compress": compress}
    with closing(clickhouse_connect.get_client(**login)) as client:
        service = f"connect-{compress}"
        client.insert(
            "otel_logs",
            [[NOW, service, "x" * 5000]],
            column_names=["Timestamp", "ServiceName", "Body"],
            database="spanledger",
        )
        rows = client.query("select Body from otel_logs where ServiceName = {s:String}", {"s": service}).result_rows
        with pytest.raises(DatabaseError, match=r"not into spanledger\.rates"):
            client.insert("rates", [[1]], column_names=["rate_id"], database="spanledger")

    assert rows == [("x" * 5000,)]


@pytest.mark.parametrize("method", ["LZ4", "ZSTD"])
def test_blocks_of_the_native_protocol_go_both_ways(server: EmbeddedServer, method: str) -> None:
    pytest.importorskip("clickhouse_cityhash")
    data = JSON.replace(b"written", method.encode()) * 3
    asked = {"query": "insert into otel_traces format JSONEachRow", "decompress": "1"}
    inserted = ask(server, framed(data, method), "exporter", params=asked)
    damaged = ask(server, framed(data, method)[:-1] + b"!", "exporter", params=asked)
    swollen = ask(server, framed(b" " * 1_000_000, method) * 2, "all", params={"decompress": "1"})
    answer = ask(
        server, "select number from numbers(9)", "all", params={"compress": "1", "network_compression_method": method}
    )

    assert inserted.status_code == 200, inserted.text
    assert damaged.headers["x-clickhouse-exception-code"] == "271"
    assert swollen.status_code == 413
    assert unframed(answer.content, 1000) == b"".join(b"%d\n" % number for number in range(9))


@pytest.mark.parametrize("coding", ["gzip", "deflate", "lz4", "zstd"])
def test_what_is_packed_is_unpacked_and_never_beyond_a_limit(coding: str) -> None:
    body = packed(b"select 1" * 1000, coding)

    assert unpacked(body + body, coding, 16_000) == b"select 1" * 2000
    for broken, limit in ((body, 7999), (body[:-2], 9000), (b"nothing", 9000), (body + b"!", 9000)):
        with pytest.raises(RefusedError):
            unpacked(broken, coding, limit)


def test_a_huge_question_is_refused_before_it_has_arrived(server: EmbeddedServer) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(50):
            yield b" " * 1_000_000

    try:
        status = requests.post(server.clickhouse_url, endless(), auth=("all", WORD), timeout=120).status_code
    except requests.ConnectionError:  # refused and closed while it was still being sent
        status = 413
    assert status == 413


def test_idle_connections_and_readers_that_stop_reading_keep_nobody_from_asking(server: EmbeddedServer) -> None:
    where = ("127.0.0.1", int(server.clickhouse_url.rpartition(":")[2]))
    login = "X-ClickHouse-User: all\r\nX-ClickHouse-Key: correct horse\r\n"
    sql = "select toString(number) from numbers(900000) format TSV"
    question = f"POST / HTTP/1.1\r\nHost: {where[0]}\r\n{login}Content-Length: {len(sql)}\r\n\r\n{sql}".encode()
    held = [socket.create_connection(where) for _ in range(150)]
    try:
        for connection in held[:3]:
            connection.sendall(question)
        for connection in held[3:60]:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: 127")
        answers: list[str] = []
        threads = [
            threading.Thread(target=lambda: answers.append(ask(server, "select 1", "all").text)) for _ in range(12)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == ["1\n"] * 12
    finally:
        for connection in held:
            connection.close()


def test_the_file_of_users_is_private_and_says_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "users"
    file.write_text(f"# ours\nexporter {'x' * 12} writer\n\na {'y' * 12} reader it's a\ndefault - reader\n")
    file.chmod(0o600)

    assert read_users(file)["a"] == ("y" * 12, User("a", tenant="it's a"))
    assert read_users(file)["default"] == ("", User())
    for text, said in (
        ("exporter short writer", "fewer than 12"),
        ("exporter", "Line 1 of"),
        (f"x {'y' * 12} writer a", "only readers"),
        (f"x {'y' * 12} owner", "is not"),
        (f"x {'y' * 12} reader\nx {'y' * 12} reader", "repeats"),
        ("", "names none"),
    ):
        file.write_text(text)
        with pytest.raises(UsageError, match=said):
            read_users(file)
    file.chmod(0o640)
    with pytest.raises(UsageError, match="chmod 600"):
        read_users(file)
