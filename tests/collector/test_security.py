"""What strangers can put into a ledger or an operator into a command: it stays text, and secrets stay secret."""

import json
import re
from pathlib import Path

import pytest
from rich.text import Text

from spanledger_collector.cli.show import Column, console, print_table
from spanledger_collector.database import open_embedded
from spanledger_collector.exceptions import StoreError
from tests.collector.cli.processes import spanledger
from tests.ledger import Ledger
from tests.otlp import chat

INJECTIONS = (
    "x'; drop table genai_calls; --",
    "x\\'; drop table genai_calls; --",
    "' or 1 = 1 --",
    "{db}_cost_of(1)",
    "{name:String}",
    "%(name)s",
    "`; detach database spanledger; --",
    "x\\N\t\n\0y",
    "=1+1",
    "[red]x[/red]",
)
SECRET = "a-secret-of-the-operator-0123456789"


@pytest.mark.parametrize("text", INJECTIONS)
def test_sql_in_tags_and_names_of_models_is_text_all_the_way(ledger: Ledger, recently: float, text: str) -> None:
    tags = dict.fromkeys(
        ("spanledger.team", "spanledger.tenant", "spanledger.feature", "spanledger.task", "user.id", "session.id"), text
    )
    model = {"gen_ai.request.model": text, "gen_ai.response.model": text, "gen_ai.response.id": text}

    (call,) = ledger.settled(chat(recently, extra=tags | model, service=text))

    kept = {
        call[name]
        for name in ("team", "tenant", "feature", "task", "user", "session", "model_raw", "response_id", "service")
    }
    assert kept == {text}
    assert ledger.row("select sum(calls) as calls from cost_by_team where team = {text:String}", text=text) == {
        "calls": 1
    }
    assert ledger.rows("select model, calls from unpriced_models") == [{"model": call["model"], "calls": 1}]
    assert ledger.row("select count() as n from genai_calls") == {"n": 1}


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("[/b]", "[/b]"),
        ("[red]x[/red]", "[red]x[/red]"),
        (":smile:", ":smile:"),
        ("\x1b]0;mine\x9b2J", "\\x1b]0;mine\\x9b2J"),
        ("\u202eDSU 1", "\\u202eDSU 1"),
    ],
)
def test_a_tag_is_text_on_a_terminal_too(capsys: pytest.CaptureFixture[str], text: str, printed: str) -> None:
    print_table(console(), [Column("team", "team")], [{"team": text}])
    console().print(Text(text))

    assert [line.strip() for line in capsys.readouterr().out.splitlines()][2:] == [printed, printed]


def test_no_command_tells_a_password_whatever_goes_wrong(tmp_path: Path) -> None:
    url = f"http://root:{SECRET}@127.0.0.1:9/spanledger"
    users = tmp_path / "users"
    users.write_text(f"root {SECRET} nonsense\n")
    users.chmod(0o600)
    tokens = tmp_path / "tokens"
    tokens.write_text(f"{SECRET[:8]} x y\n")
    tokens.chmod(0o600)

    ends = [
        spanledger("cost", "--clickhouse", url, SPANLEDGER_LOG_LEVEL="DEBUG"),
        spanledger("migrate", SPANLEDGER_CLICKHOUSE_URL=url, SPANLEDGER_LOG_LEVEL="DEBUG"),
        spanledger("access", users, "--clickhouse", url),
        spanledger("up", "--users", users, "--store", tmp_path / "ledger"),
        spanledger("up", "--tokens", tokens, "--store", tmp_path / "ledger"),
    ]

    assert [end.code for end in ends] == [1, 1, 2, 2, 2]
    assert [number for number, end in enumerate(ends) if SECRET[:8] in end.out + end.err] == []


@pytest.mark.parametrize("name", ["it's a ledger; --", "a b", "..x", "ä%41"])
def test_a_store_may_have_any_name_that_a_folder_may_have(tmp_path: Path, name: str) -> None:
    path = tmp_path / name

    done = spanledger("migrate", "--store", path)

    assert done.code == 0, done.err
    assert (path / "clickhouse").is_dir()


@pytest.mark.parametrize("name", ["x?config-file=users.xml", "x?mode=ro", "?"])
def test_a_name_of_a_store_is_never_an_option_of_the_engine(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError, match="question mark"):
        open_embedded(tmp_path / name)

    assert list(tmp_path.iterdir()) == []


def test_files_of_a_command_are_read_as_data_only(tmp_path: Path) -> None:
    file = tmp_path / "spans.jsonl"
    file.write_text(
        json.dumps(
            {"resourceSpans": [{"resource": {"attributes": [{"key": "x", "value": {"stringValue": "../../etc"}}]}}]}
        )
        + "\n"
    )

    done = spanledger("replay", file, "--store", tmp_path / "ledger")

    assert done.code == 0, done.err
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["ledger", "spans.jsonl"]
    assert re.search(r"etc", done.out + done.err) is None
