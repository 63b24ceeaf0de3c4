"""Commands on a ledger that no process serves: replay, questions, and everything that can be wrong with the store."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.collector.cli.processes import Ended, environment, python, spanledger
from tests.collector.cli.recorded import CALLS, COST_USD, OF_RECORDED, Files
from tests.otlp import chat, request

pytestmark = pytest.mark.e2e

# Runs the command line with one migration more, or with another text of an applied one.
WITH_MIGRATIONS = """
import sys
from dataclasses import replace
from spanledger_collector import migrations
from spanledger_collector.cli import run
files = migrations.read_migrations()
broken = migrations.Migration(999, "broken", "create tabel {db}.broken (x UInt8) engine = Memory")
edited = [replace(files[0], text=files[0].text + "-- edited"), *files[1:]]
chosen = {"broken": [*files, broken], "edited": edited}[sys.argv.pop(1)]
migrations.read_migrations = lambda: chosen
run()
"""
HOLDS_THE_LOCK = """
import sys, time
from pathlib import Path
from spanledger_collector.database import open_embedded
database = open_embedded(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.readline()
database.close()
"""
# Presses Ctrl-C at the moment when the command line is imported.
INTERRUPTED_AT_ITS_IMPORT = """
import signal, sys
class Finder:
    def find_spec(self, name, path, target=None):
        if name == "spanledger_collector.cli":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Finder())
from spanledger_collector.__main__ import main
main()
"""
# Runs the command line as a user who may write only what file modes allow, also where the tests run as root.
WITHOUT_POWERS = """
import ctypes, os, sys
for power in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    ctypes.CDLL(None).prctl(24, power, 0, 0, 0)  # PR_CAPBSET_DROP: gone after the exec
os.execv(sys.executable, [sys.executable, "-m", "spanledger_collector", *sys.argv[1:]])
"""
OPENS_WITH_CHDB = """
import sys
from chdb import session
held = session.Session(sys.argv[1] + "/clickhouse")
held.query("select 1")
print("open", flush=True)
sys.stdin.readline()
"""


def holding(program: str, store: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", program, store],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(),
    )
    assert process.stdout
    assert process.stdout.readline() == "open\n"
    return process


@pytest.fixture
def foreign_process(store: Path) -> Iterator[None]:
    with holding(OPENS_WITH_CHDB, store) as process:
        yield
        process.kill()


def test_replay_counts_the_good_files_and_names_each_bad_one(replayed: tuple[Path, Ended], files: Files) -> None:
    _, ended = replayed

    complaints = ended.err.splitlines()
    assert f"\n{CALLS} new calls" in ended.out
    assert ended.code == 1
    assert f"The ledger holds {CALLS} billed calls: 0.003360 USD, 0 calls of unknown cost." in ended.out
    assert len(complaints) == len(files.bad)
    for (said, file), complaint in zip(files.bad.items(), complaints, strict=True):
        assert said in complaint
        assert str(file) in complaint


def test_a_second_replay_changes_no_number(store: Path, files: Files) -> None:
    ended = spanledger("replay", *files.good, *files.good, "--json", "--store", store)

    assert ended.code == 0
    assert ended.err == ""
    summary = json.loads(ended.out)
    assert summary["added"] == {"spans": 2 * CALLS, "calls": 0}
    assert summary["ledger"].pop("spans") >= 3 * CALLS
    assert summary["ledger"] == {
        "calls": CALLS,
        "known_usd": COST_USD,
        "unknown_calls": 0,
        "quarantined_spans": 0,
    }


def test_cost_is_a_table_for_people_and_exact_for_programs(store: Path) -> None:
    shown = spanledger("cost", "--by", "team,model", "--store", store, COLUMNS="80", NO_COLOR="1")
    exact = spanledger("cost", "--by", "team,model", "--json", "--store", store)

    lines = shown.out.splitlines()
    assert lines[0].startswith("Cost by team, model since ")
    assert lines[1].split() == ["team", "model", "calls", "input", "tok.", "output", "tok.", "USD"]
    assert lines[3].split() == ["search", "gpt-4o-mini", "16", "16,000", "1,600", "0.003360"]
    assert lines[-1].split() == ["total", "16", "16,000", "1,600", "0.003360"]
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in shown.out
    assert (shown.err, exact.err) == ("", "")
    assert json.loads(exact.out) == [
        {
            "team": "search",
            "model": "gpt-4o-mini",
            "calls": CALLS,
            "input_tokens": 16_000,
            "output_tokens": 1_600,
            "known_usd": COST_USD,
            "cost_usd": COST_USD,
            "unknown_calls": 0,
            "unknown_tokens": 0,
            "behind_since": None,
        }
    ]


def test_a_price_of_ones_own_prices_history_again_until_it_is_withdrawn(store: Path) -> None:
    def set_price(*options: str) -> str:
        ended = spanledger("prices", "set", "openai", "gpt-4o-mini", *options, "--yes", "--store", store)
        assert ended.code == 0, ended.err
        return str(json.loads(spanledger("query", OF_RECORDED, "--store", store).out)["cost_usd"])

    assert set_price("--price", "input=1", "--price", "output=2") == "0.0192"
    assert set_price("--withdraw") == COST_USD


def test_a_statement_that_cannot_run_gets_one_sentence(store: Path) -> None:
    ended = spanledger("query", "selec 1", "--store", store)

    assert ended.code == 1
    assert ended.sentence == "The statement failed. Syntax error: failed at position 7 (1): 1 (code 62, SYNTAX_ERROR)."


def test_a_command_waits_for_another_that_has_the_store_for_a_moment(store: Path) -> None:
    with holding(HOLDS_THE_LOCK, store) as other:
        asked = subprocess.Popen(
            [sys.executable, "-m", "spanledger_collector", "query", "select 1", "--format", "CSV", "--store", store],
            stdout=subprocess.PIPE,
            env=environment(),
        )
        time.sleep(1)
        assert asked.poll() is None
        other.communicate("\n")

    assert asked.communicate(timeout=120)[0] == b"1\n"
    assert asked.returncode == 0


@pytest.mark.usefixtures("foreign_process")
def test_a_store_that_a_foreign_process_opened_is_in_use(store: Path) -> None:
    ended = spanledger("cost", "--store", store)

    assert ended.code == 1
    assert f"{store} is in use by a process that is not spanledger" in ended.sentence


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("broken", "Migration 999 (broken) failed: "),
        ("edited", " was changed after it was applied. An applied file is frozen"),
        ("edited", "go on with the version that made it."),
    ],
)
def test_a_migration_that_cannot_be_applied_says_which(case: str, said: str, store: Path) -> None:
    ended = python("-c", WITH_MIGRATIONS, case, "migrate", "--store", store)

    assert ended.code == 1
    assert said in ended.sentence


def test_after_a_broken_migration_the_store_works_again(store: Path) -> None:
    ended = spanledger("migrate", "--store", store)

    assert ended.code == 0
    assert ended.out.startswith("Schema ")


@pytest.mark.parametrize("command", [["cost"], ["query", "select 1"], ["prices", "list"]], ids=" ".join)
def test_reading_where_there_is_no_ledger_makes_none(command: list[str], tmp_path: Path) -> None:
    ended = spanledger(*command, XDG_DATA_HOME=str(tmp_path))

    assert ended.code == 1
    assert ended.sentence.startswith(f"There is no ledger at {tmp_path}/spanledger. ")
    assert list(tmp_path.iterdir()) == []


def test_a_replay_of_nothing_makes_no_ledger(tmp_path: Path) -> None:
    ended = spanledger("replay", tmp_path / "nothing.pb", "--store", tmp_path / "ledger")

    assert ended.code == 1
    assert ended.sentence == f"There is no file {tmp_path}/nothing.pb: check the name."
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["cost"], ["migrate"], ["up"]], ids=" ".join)
def test_a_file_is_no_store(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "ledger").touch()
    free = ["--otlp-http-port", 0, "--otlp-grpc-port", 0, "--clickhouse-port", 0] if command == ["up"] else []

    ended = spanledger(*command, *free, "--store", tmp_path / "ledger")

    assert ended.code == 1
    assert ended.sentence.startswith(f"The store {tmp_path}/ledger cannot be used: a file is in its place. ")


def test_a_store_on_a_path_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    # /proc refuses everybody, root included.
    ended = spanledger("migrate", "--store", "/proc/ledger")

    assert ended.code == 1
    assert ended.sentence.startswith("The store /proc/ledger cannot be used: ")


@pytest.fixture
def copied(store: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of the store, whose modes may be changed."""
    copy = Path(shutil.copytree(store, tmp_path / "copy", symlinks=True))
    yield copy
    for folder in (copy, copy / "clickhouse"):
        folder.chmod(0o700)


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (
            ".",
            "The store {store} cannot be used: Permission denied. Choose another folder with --store, or give this user",
        ),
        ("clickhouse", "The store {store} cannot be used: Permission denied for some of its files. Where another user"),
    ],
)
def test_a_store_whose_files_are_not_ours_to_write_says_so_and_can_be_asked_later(
    kept: str, said: str, copied: Path
) -> None:
    (copied / kept).chmod(0o500)
    ended = python("-c", WITHOUT_POWERS, "cost", "--store", copied)
    (copied / kept).chmod(0o700)
    later = spanledger("cost", "--json", "--store", copied)

    assert ended.code == 1
    assert ended.sentence.startswith(said.format(store=copied))
    assert "damaged" not in ended.sentence
    assert COST_USD in later.out


@pytest.mark.parametrize("command", [["cost"], ["migrate"]], ids=" ".join)
def test_a_server_that_does_not_answer_is_named_without_its_password(command: list[str]) -> None:
    ended = spanledger(*command, "--clickhouse", "http://me:secret@127.0.0.1:1")

    assert ended.code == 1
    assert ended.sentence == "No ledger can be reached at http://127.0.0.1:1. Connection refused."


def test_a_log_level_that_is_none_is_wrong_usage() -> None:
    ended = spanledger("cost", SPANLEDGER_LOG_LEVEL="loud")

    assert ended.code == 2
    assert "'LOUD' is no level" in ended.sentence


def test_calls_older_than_raw_spans_are_kept_are_counted_like_others(tmp_path: Path) -> None:
    now = time.time()
    file = tmp_path / "history.pb"
    file.write_bytes(request([chat(now - days * 86_400) for days in (1, 45, 60)]).body)

    first, second = (spanledger("replay", file, "--store", tmp_path / "ledger").out.splitlines() for _ in range(2))

    assert first[1] == "3 new calls."
    assert second[1].startswith("0 new calls")
    assert first[2] == second[2]


def test_ctrl_c_while_the_command_is_still_being_imported_ends_it_without_a_traceback() -> None:
    ended = python("-c", INTERRUPTED_AT_ITS_IMPORT)

    assert (ended.code, ended.out, ended.err) == (130, "", "")
