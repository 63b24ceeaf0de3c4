"""What the endpoint must not do, tried on it."""

import uuid
from pathlib import Path

import pytest

from .conftest import Endpoint

READ_THE_FILE = [
    "select file('{file}')",
    "select `file`('{file}')",
    "SELECT FILE('{file}')",
    "select (select file('{file}'))",
    "with (select file('{file}')) as x select x",
    "with x as (select file('{file}') as y) select * from x",
    "with recursive x as (select 1 as a, '' as b union all select a + 1, file('{file}') from x where a < 2) select * from x",
    "select 1 union all select length(file('{file}'))",
    "select 1 intersect select length(file('{file}'))",
    "select * apply(file) from (select '{file}')",
    "select * apply(x -> file(x)) from (select '{file}')",
    "select columns('.') apply file from (select '{file}')",
    "select * replace (file('{file}') as dummy) from system.one",
    "select arrayMap(x -> file(x), ['{file}'])",
    "select 1 where 'x' = file('{file}')",
    "select number from numbers(length(file('{file}')))",
    "select 1 order by file('{file}')",
    "select 1 limit length(file('{file}'))",
    "select sum(1) over (order by file('{file}'))",
    "select 1 in (select length(file('{file}')))",
    "select 'x' in file('{file}', 'LineAsString')",
    "select * from file('{file}', 'LineAsString')",
    "select * from view(select file('{file}'))",
    "select * from `{file}`",
    "select * from default.`{file}`",
    "select count() from system.one where 'top secret' in default.`{file}`",
    "select * from {{t:Identifier}}",
    "select * from default.{{t:Identifier}}",
    "select * from {{d:Identifier}}.{{t:Identifier}}",
    "show tables where file('{file}') != ''",
    "show columns from money where file('{file}') != ''",
    "describe default.`{file}`",
    "describe file('{file}')",
    "describe (select file('{file}'))",
    "describe (select * apply(file) from (select '{file}'))",
    "exists table default.`{file}`",
    "show create table default.`{file}`",
    "explain select file('{file}')",
    "explain syntax select file('{file}')",
    "explain ast select 1; select file('{file}')",
    "select 1; select file('{file}')",
    "select 1 /* ; */; -- x\n select file('{file}')",
    "/* select 1 */ select /* */ file /* */ ('{file}') -- x",
    "select * from eval('select file(''{file}'')')",
    "select * from viewExplain('EXPLAIN', '', (select file('{file}')))",
    "select * from format(Template, 'x') settings format_template_row = '{file}'",
    "select 1 format Template settings format_template_row = '{file}'",
    "select * from python('{file}')",
    "select * from executable('cat {file}', 'LineAsString', 'a String')",
    "select * from sqlite('{file}', 't')",
    "select * from loop(default.`{file}`)",
    "select * from merge('default', '.*')",
    "select * from cluster('default', default.`{file}`)",
    "select * from remote('127.0.0.1', default.private)",
    "select * from default.private",
    "select 'top secret' in default.private",
    "select * from (select * from default.private)",
    "select * from system.one join default.private on 1",
    "select hasColumnInTable('default', 'private', 'secret')",
]


@pytest.mark.parametrize("sql", READ_THE_FILE)
def test_no_query_reads_what_is_not_the_ledgers(endpoint: Endpoint, secret: Path, sql: str) -> None:
    reply = endpoint.ask(sql.format(file=secret), param_t=str(secret), param_d="default")

    assert reply.status != 200
    assert "top secret" not in reply.text
    assert int(reply.headers["x-clickhouse-exception-code"]) in {60, 62, 81, 164, 457, 497}


def test_the_gate_itself_runs_nothing(endpoint: Endpoint) -> None:
    mark = f"t{uuid.uuid4().hex}"
    for sql in (
        f"select 1; create table {mark} (a Int8) engine = Memory",
        f"insert into money values (1); create table {mark} (a Int8) engine = Memory",
    ):
        endpoint.ask(sql)
        endpoint.ask(f"explain ast {sql}")

    assert endpoint.ask("exists table " + mark).body == b"0\n"


@pytest.mark.parametrize(
    "sql",
    [
        "insert into money select now(), 1",
        "insert into money values (now(), 1)",
        "insert into money (at) format JSONEachRow {}",
        "/* select */ insert into money select now(), 1",
        "with x as (select now(), 1) insert into money select * from x",
        "insert into function file('{file}', 'LineAsString') select 'x'",
        "create table t (a Int8) engine = Memory",
        "create temporary table t (a Int8)",
        "create view v as select 1",
        "create function f as x -> x",
        "create user u",
        "drop table money",
        "truncate table money",
        "alter table money add column x Int8",
        "rename table money to gone",
        "optimize table money",
        "delete from money where 1",
        "update money set usd = 1 where 1",
        "detach table money",
        "kill query where 1",
        "system shutdown",
        "system flush logs",
        "system reload dictionaries",
        "set readonly = 0",
        "set max_memory_usage = 0",
        "use default",
        "grant all on *.* to u",
        "backup table money to Disk('default', 'x')",
        "begin transaction",
        "execute as u select 1",
        "check table money",
        "explain insert into money select now(), 1",
        "explain create table t (a Int8) engine = Memory",
        "select 1 parallel with select 2",
        "select 1 parallel with drop table money",
    ],
)
def test_no_statement_writes_or_controls(endpoint: Endpoint, secret: Path, sql: str) -> None:
    reply = endpoint.ask(sql.replace("{file}", str(secret)))

    assert (reply.status, reply.headers["x-clickhouse-exception-code"]) in {(500, "164"), (400, "62")}
    assert endpoint.ask("select count() from money").body == b"3\n"
    assert secret.read_text() == "top secret\n"


@pytest.mark.parametrize("end", ["", " format CSV", " append", " truncate", " and stdout format CSV"])
@pytest.mark.parametrize(
    "start",
    ["select 1", "select 1 union all select 2", "show tables", "explain select 1", "describe money", "exists money"],
)
def test_no_query_writes_a_file(endpoint: Endpoint, tmp_path: Path, start: str, end: str) -> None:
    target = tmp_path / "out.csv"

    reply = endpoint.ask(f"{start} into outfile '{target}'{end}")

    assert reply.status != 200
    assert not target.exists()


@pytest.mark.parametrize(
    "function",
    [
        "url('http://127.0.0.1:1/')",
        "s3('http://127.0.0.1:1/x')",
        "mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
        "postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
        "mongodb('127.0.0.1:1', 'a', 'b', 'c', 'd', 'e Int8')",
        "redis('127.0.0.1:1', 'a', 'a Int8')",
        "remote('127.0.0.1:1', system.one)",
        "hdfs('hdfs://127.0.0.1:1/x')",
        "icebergLocal('/x')",
        "deltaLake('http://127.0.0.1:1/x')",
        "input('a Int8')",
        "generateRandom('a Int8')",
        "mergeTreeIndex('spanledger', 'otel_traces')",
    ],
)
@pytest.mark.parametrize(
    "query",
    [
        "select * from {}",
        "select 1 in {}",
        "describe {}",
        "explain select * from {}",
        "select * from view(select * from {})",
    ],
)
def test_no_query_leaves_this_machine(endpoint: Endpoint, query: str, function: str) -> None:
    reply = endpoint.ask(query.format(function))

    assert (reply.status, reply.headers["x-clickhouse-exception-code"]) == (403, "497")


def test_no_query_asks_a_language_model_or_looks_into_the_process(endpoint: Endpoint) -> None:
    for call in (
        "aiGenerate('x')",
        "AIGenerate('x')",
        "addressToSymbol(1)",
        "logTrace('x')",
        "getServerSetting('path')",
    ):
        assert endpoint.ask(f"select {call}").headers["x-clickhouse-exception-code"] == "497"


@pytest.mark.parametrize(
    "name",
    ["allow_introspection_functions", "format_schema", "format_template_row", "output_format_schema", "allow_ddl", "max_table_size_to_drop",
     "additional_table_filters", "param", "custom_x", "user_files_path"],
)  # fmt: skip
def test_a_setting_that_is_not_listed_is_refused_in_the_url_and_at_any_depth_of_a_query(
    endpoint: Endpoint, name: str
) -> None:
    in_url = endpoint.ask("select 1", fields={name: "1"})
    replies = [
        endpoint.ask(sql)
        for sql in (
            f"select 1 settings {name} = 1",
            f"select * from (select 1 settings {name} = 1)",
            f"explain select 1 settings {name} = 1",
        )
    ]

    assert {(r.status, r.headers["x-clickhouse-exception-code"]) for r in [in_url, *replies]} == {(500, "164")}
    assert name in in_url.text


def test_readonly_cannot_be_lifted(endpoint: Endpoint) -> None:
    assert endpoint.ask("select getSetting('readonly')", readonly="0").body == b"2\n"
    assert endpoint.ask("select 1 settings readonly = 0").headers["x-clickhouse-exception-code"] == "164"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8123",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "192.168.0.1",
        "[::2]",
        "",
    ],
)
def test_a_request_for_another_host_is_refused(endpoint: Endpoint, host: str) -> None:
    reply = endpoint.ask("select 1", headers={"Host": host})

    assert reply.status == 403
    assert "127.0.0.1" in reply.text or host == "127.0.0.1.evil.example"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8123", "127.0.0.1:1", "[::1]:8123"])
def test_a_request_for_this_machine_is_answered(endpoint: Endpoint, host: str) -> None:
    assert endpoint.ask("select 1", headers={"Host": host}).body == b"1\n"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost"])
def test_a_page_of_another_origin_is_refused_even_a_ping(endpoint: Endpoint, origin: str) -> None:
    assert endpoint.ask("select 1", headers={"Origin": origin}).status == 403
    assert endpoint.ask(url="/ping", method="GET", headers={"Origin": origin}).status == 403


def test_a_page_of_the_servers_own_origin_is_answered(endpoint: Endpoint) -> None:
    assert endpoint.ask("select 1", headers={"Origin": f"http://127.0.0.1:{endpoint.port}"}).body == b"1\n"


def doubled(times: int, first: str = "select usd from money") -> str:
    """A statement that reads a table two to the power of ``times`` times, in a text that grows by a line for each."""
    names = "".join(f", a{n} as (select * from a{n - 1} union all select * from a{n - 1})" for n in range(1, times + 1))
    return f"with a0 as ({first}){names} select count() from a{times}"


@pytest.mark.parametrize(
    "sql",
    [
        doubled(20),
        f"select 1 union all {doubled(20)}",
        f"select * from view({doubled(20)})",
        f"describe ({doubled(20)})",
        "with a as (select 1 as x), "
        + ", ".join(f"a{n} as (select 1 as x where 1 in a{n - 1} or 2 in a{n - 1})" for n in range(21)).replace(
            "a-1", "a"
        )
        + " select x from a20",
        " union all ".join(["select calls from costs_between(since = now(), until = now())"] * 201),
        f"explain plan {doubled(3)}",
        f"explain pipeline {doubled(3)}",
        f"explain query tree {doubled(3)}",
        f"explain estimate {doubled(3)}",
        "explain select * from (" + " union all ".join(["select usd from money"] * 9) + ")",
    ],
)
def test_no_statement_is_planned_that_the_limits_would_not_stop(endpoint: Endpoint, sql: str) -> None:
    reply = endpoint.ask(sql)

    assert (reply.status, reply.headers["x-clickhouse-exception-code"]) == (400, "168")
    assert "each use of a name of WITH counted" in reply.text


def test_a_table_named_by_parameter_counts_as_the_name_that_it_is(endpoint: Endpoint) -> None:
    sql = doubled(20).replace("from a19", "from {t:Identifier}")

    assert endpoint.ask(sql, param_t="a19").headers["x-clickhouse-exception-code"] == "168"


@pytest.mark.parametrize(
    "sql",
    [
        doubled(4),
        f"explain syntax {doubled(4)}",
        f"explain ast {doubled(4)}",
        f"explain {doubled(1)}",
        "with money as (select usd from money) select count() from money",
        "with recursive n as (select 1 as x union all select x + 1 from n where x < 9) select max(x) from n",
    ],
)
def test_names_of_with_may_be_used_more_than_once(endpoint: Endpoint, sql: str) -> None:
    assert endpoint.ask(sql).status == 200
