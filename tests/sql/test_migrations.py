"""The schema: one set of files for three kinds of target, applied forward, recorded, resumable."""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from spanledger_collector.database import Database, open_embedded
from spanledger_collector.exceptions import MigrationError, UsageError
from spanledger_collector.migrations import Migration, migrate, read_migrations, render
from spanledger_collector.target import Target

TARGETS = {
    "embedded": Target(),
    "server": Target(kind="server", database="costs", user="dictionaries", password="it's"),
    "cluster": Target(kind="cluster", database="costs", cluster="main", user="dictionaries", password="secret"),
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with closing(open_embedded(tmp_path_factory.mktemp("store"))) as database:
        yield database


def tables_of(database: Database, name: str) -> set[str]:
    with closing(database.bare_client()) as client:
        return {
            str(row[0])
            for row in client.query(
                "select name from system.tables where database = {name:String}", {"name": name}
            ).result_rows
        }


@pytest.mark.parametrize("kind", TARGETS)
def test_every_statement_parses_for_every_kind_of_target(database: Database, kind: str) -> None:
    target = TARGETS[kind]

    with closing(database.bare_client()) as client:
        for migration in read_migrations():
            for statement in migration.statements(target):
                assert client.query("select formatQuery({sql:String})", {"sql": statement}).result_rows, migration.name
        assert client.query("select formatQuery({sql:String})", {"sql": target.create_database()}).result_rows


def test_a_cluster_gets_replicated_tables_and_the_others_do_not() -> None:
    statement = "create table {db}.t (x UInt8) engine = {engine:ReplacingMergeTree(x)} order by x;"

    assert (
        render(statement, TARGETS["cluster"])
        == "create table costs.t (x UInt8) engine = ReplicatedReplacingMergeTree(x) order by x"
    )
    assert (
        render(statement, TARGETS["server"])
        == "create table costs.t (x UInt8) engine = ReplacingMergeTree(x) order by x"
    )


def test_dictionaries_of_a_server_log_in_and_their_password_is_quoted() -> None:
    alias_dict = next(migration for migration in read_migrations() if migration.name == "alias_dict")

    assert "user 'dictionaries' password 'it\\'s' " in next(alias_dict.statements(TARGETS["server"]))


def test_a_placeholder_without_a_value_is_an_error() -> None:
    with pytest.raises(MigrationError, match=r"\{colour\}"):
        render("select {colour}", Target())


def test_a_database_name_that_is_no_identifier_is_refused() -> None:
    with pytest.raises(UsageError, match="not an identifier"):
        Target(database="x; drop database y")


def test_migrating_twice_applies_nothing_the_second_time(database: Database) -> None:
    target = replace(database.target, database="twice")

    with closing(database.bare_client()) as client:
        first = migrate(client, target)
        second = migrate(client, target)

    assert [migration.number for migration in first] == [migration.number for migration in read_migrations()]
    assert second == []


def test_a_failed_migration_says_which_and_the_next_run_goes_on_there(database: Database) -> None:
    target = replace(database.target, database="resumed")
    good = [
        Migration(number, f"table_{number}", f"create table if not exists {{db}}.t{number} (x UInt8) engine = Memory")
        for number in (1, 2, 3)
    ]
    broken = [good[0], Migration(2, "table_2", "create table {db}.t2 (x Nonsense) engine = Memory"), good[2]]

    with closing(database.bare_client()) as client:
        with pytest.raises(MigrationError, match=r"Migration 002 \(table_2\) failed: .*Nonsense"):
            migrate(client, target, broken)
        after_failure = tables_of(database, "resumed")
        done = migrate(client, target, good)

    assert after_failure == {"schema_migrations", "settings", "t1"}
    assert [migration.number for migration in done] == [2, 3]


def test_an_applied_file_is_frozen(database: Database) -> None:
    target = replace(database.target, database="frozen")
    original = Migration(1, "one", "create table if not exists {db}.t (x UInt8) engine = Memory")

    with closing(database.bare_client()) as client:
        migrate(client, target, [original])
        with pytest.raises(MigrationError, match=r"001 \(one\) was changed after it was applied"):
            migrate(client, target, [replace(original, text=original.text + " ")])


def test_an_edited_definition_is_made_again_with_all_that_read_it(database: Database) -> None:
    target = replace(database.target, database="edited")
    table = Migration(1, "t", "create table if not exists {db}.t (x UInt8) engine = MergeTree order by x")
    function = Migration(2, "f", "create or replace function {db}_f as (x) -> x + 1")
    view = Migration(3, "v", "create or replace view {db}.v (y UInt16) as select {db}_f(x) as y from {db}.t")
    column = Migration(1001, "z", "alter table {db}.t add column if not exists z UInt8 default 5")
    better = replace(function, text="create or replace function {db}_f as (x) -> x + z")

    with closing(database.bare_client()) as client:
        migrate(client, target, [table, function, view])
        client.command("insert into edited.t (x) values (10)")
        before = client.query("select y from edited.v").result_rows
        done = migrate(client, target, [table, column, better, view])
        after = client.query("select y from edited.v").result_rows
        again = migrate(client, target, [table, column, better, view])

    assert before == [(11,)]
    assert after == [(15,)]
    assert [migration.label for migration in done] == ["001a", "002"]
    assert again == []


def test_a_definition_that_failed_leaves_its_neighbours_to_be_made_again(database: Database) -> None:
    target = replace(database.target, database="halfway")
    function = Migration(1, "f", "create or replace function {db}_f as (x) -> x + 1")
    view = Migration(2, "v", "create or replace view {db}.v (y UInt16) as select {db}_f(1) as y")
    broken = Migration(3, "w", "create or replace view {db}.w as select nonsense(1) as y")

    with closing(database.bare_client()) as client:
        with pytest.raises(MigrationError, match=r"003 \(w\) failed"):
            migrate(client, target, [function, view, broken])
        done = migrate(
            client, target, [function, view, replace(broken, text=broken.text.replace("nonsense", "toUInt16"))]
        )

    assert [migration.number for migration in done] == [1, 2, 3]


def test_released_files_are_as_they_were_released() -> None:
    """`python -m tests.sql.freeze` writes the list anew: for new files, and before the first release for changed ones."""
    pinned = dict(re.findall(r"^(\S+) (\S+)$", Path(__file__).with_name("frozen.txt").read_text(), re.MULTILINE))

    frozen = [migration for migration in read_migrations() if not migration.is_definition]
    assert {f"{migration.label}_{migration.name}": migration.digest for migration in frozen} == pinned
