"""The documents say what is true today: commands, outputs, links, columns, settings, programs."""

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer

import spanledger
import spanledger_collector
from spanledger_collector.assets import assets
from spanledger_collector.cli import app
from spanledger_collector.database import Serving, serving_of
from spanledger_collector.demo.vendor import VendorServer
from spanledger_collector.prices.cache import cache_folder
from tests.ledger import Ledger
from tests.otlp import chat, request

ROOT = Path(__file__).parents[1]
FOLDERS = ("instrumentation", "collector", "sql", "dashboards", "deploy", "tests")
README = (ROOT / "README.md").read_text("utf-8")
SQL_README = assets("sql").joinpath("README.md").read_text("utf-8")
PAGES = (
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *ROOT.glob("*/README.md"),
    ROOT / "collector" / "money.md",
    ROOT / "collector" / "otelcol" / "README.md",
    *(page for pages in ("*/guides/*.md", "deploy/[a-z]*.md") for page in ROOT.glob(pages)),
)
DOCUMENTS = [file for file in PAGES if file.is_file()]
needs_checkout = pytest.mark.skipif(
    not (ROOT / "collector").is_dir(), reason="needs the checkout: the folders' READMEs and the Makefile"
)

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
TIME = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d)?")
FRAME = re.compile(r"[\u2500-\u257f]")
CALLS_OF_THE_PROGRAM = 3
SECONDS = 120


def blocks(text: str, language: str) -> list[str]:
    return [body for kind, body in BLOCK.findall(text) if kind == language]


def command_lines(text: str) -> list[str]:
    """Return the commands of a document that can be pasted, one a line, comments and prompts left out."""
    lines = [line for block in blocks(text, "sh") for line in block.splitlines()]
    lines += [line[2:] for block in blocks(text, "text") for line in block.splitlines() if line.startswith("$ ")]
    return lines


def mentioned_commands(text: str) -> list[list[str]]:
    """Return every `spanledger ...` of a document, in words."""
    inline = [words for words in re.findall(r"`([^`\n]+)`", text) if words.startswith("spanledger ")]
    pasted = [line for line in command_lines(text) if line.startswith("spanledger ")]
    return [shlex.split(line, comments=True) for line in inline + pasted]


def programs(text: str) -> list[str]:
    return blocks(text, "python")


def words(output: str) -> list[str]:
    """Return what a table says: its words, without frame, widths and times."""
    return FRAME.sub(" ", TIME.sub("", output)).split()


def commands_of(command: Any) -> dict[str, Any]:
    """Return the commands of a group by name; nothing for a command."""
    return dict(getattr(command, "commands", {}))


def leaf_commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if not commands_of(command):
        yield path
    for name, child in commands_of(command).items():
        yield from leaf_commands(child, (*path, name))


def table_after(heading: str, text: str) -> list[list[str]]:
    """Return the cells of the first table below a heading, without its head."""
    section = text.partition(f"\n{heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def test_the_readme_fits_on_a_few_screens() -> None:
    assert len(README.splitlines()) <= 150


@needs_checkout
def test_every_folder_opens_with_a_readme_that_says_what_comes_in_and_what_goes_out() -> None:
    for folder in FOLDERS:
        text = (ROOT / folder / "README.md").read_text("utf-8")
        assert text.startswith(f"# {folder}\n")
        assert "**In:**" in text, folder
        assert "**Out:**" in text, folder


@needs_checkout
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_relative_links_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", document.read_text("utf-8"))

    assert [to for to in targets if "://" not in to and not (document.parent / to).exists()] == []


@needs_checkout
def test_every_folder_is_linked_from_the_readme() -> None:
    assert [folder for folder in FOLDERS if f"]({folder}/README.md)" not in README] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_every_command_that_is_written_down_exists(document: Path) -> None:
    main: Any = typer.main.get_command(app)
    for mention in mentioned_commands(document.read_text("utf-8")):
        command, (name, *arguments) = main, mention
        while commands_of(command) and arguments:
            assert arguments[0] in commands_of(command), f"{name} {' '.join(arguments)}"
            command, arguments = commands_of(command)[arguments[0]], arguments[1:]
        if arguments:  # a bare name is a mention, not a call
            command.make_context(name, arguments)


def test_every_command_is_in_the_readme() -> None:
    commands = {" ".join(path) for path in leaf_commands(typer.main.get_command(app))}
    described = {
        cell for row in table_after("## Commands", README) for cell in re.findall(r"`spanledger ([^`]+)`", row[0])
    }

    assert described == commands


@needs_checkout
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_every_make_target_that_is_written_down_exists(document: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)

    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", document.read_text("utf-8"), re.MULTILINE)) <= set(targets)


@needs_checkout
def test_every_setting_is_documented_and_no_other() -> None:
    pattern = re.compile(r"SPANLEDGER_[A-Z_]*[A-Z]")
    packages = [Path(package.__path__[0]) for package in (spanledger, spanledger_collector)]
    read = {
        name
        for package in packages
        for file in package.rglob("*.py")
        for name in pattern.findall(file.read_text("utf-8"))
    }
    deployed = {name for file in ROOT.glob("deploy/**/*.yaml") for name in pattern.findall(file.read_text("utf-8"))}
    # The defaults of tags are built from their names in the code, and written as one on the page.
    read |= {f"SPANLEDGER_{tag}" for tag in ("TEAM", "FEATURE", "TENANT", "TASK")}
    text = "\n".join(file.read_text("utf-8") for file in {*DOCUMENTS, *ROOT.glob("instrumentation/**/*.md")})
    written = set(
        pattern.findall(re.sub(r"(SPANLEDGER_)TEAM\|FEATURE\|TENANT\|TASK", r"\1TEAM \1FEATURE \1TENANT \1TASK", text))
    )

    assert read <= written <= read | deployed


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_programs_are_python_and_use_public_names(document: Path) -> None:
    for program in programs(document.read_text("utf-8")):
        compile(program, str(document), "exec")
        assert set(re.findall(r"\bspanledger\.(\w+)\(", program)) <= set(spanledger.__all__)


def test_every_state_of_a_call_is_explained_in_the_readme() -> None:
    sql = assets("sql").joinpath("068_completeness_of.sql").read_text("utf-8")
    states = set(re.findall(r"'(\w+)'", re.sub(r"dictGet\([^)]*\)", "", sql)))
    explained = {
        state for row in table_after("## What unknown means", README) for state in re.findall(r"`(\w+)`", row[0])
    }

    # states of the usage, and the source of a rate, not states of the cost
    assert explained == states - {"reported", "unsplit", "override"}


def test_every_column_of_calls_is_listed_in_its_order(ledger: Ledger) -> None:
    columns = [row["name"] for row in ledger.rows("describe table calls")]

    listed = table_after("## Columns of `calls`", SQL_README)
    assert [name for row in listed for name in re.findall(r"`(\w+)`", row[1])] == columns


def test_every_view_is_documented(ledger: Ledger) -> None:
    views = ledger.rows("select name from system.tables where database = currentDatabase() and engine = 'View'")

    assert [row["name"] for row in views if f"`{row['name']}`" not in SQL_README] == []


def test_every_view_that_the_readme_lists_exists(ledger: Ledger) -> None:
    existing = {
        str(row["name"]) for row in ledger.rows("select name from system.tables where database = currentDatabase()")
    }
    listed = {name for row in table_after("## Views", README) for name in re.findall(r"`(\w+)`", row[0])}

    assert {f"cost_by{name}" if name.startswith("_") else name for name in listed} <= existing
    assert {"calls", "spans_judged", "completeness", "ledger_check", "cost_by_team"} <= listed


def test_every_sql_file_belongs_to_a_line_of_the_stages() -> None:
    numbers = {int(entry.name[:3]) for entry in assets("sql").iterdir() if re.match(r"\d{3}_", entry.name)}
    covered: set[int] = set()
    for files, *_ in table_after("## The stages", SQL_README):
        for first, last in re.findall(r"(\d{3})(?:-(\d{3}))?", files):
            covered |= set(range(int(first), int(last or first) + 1))

    assert numbers - covered == set()


def test_the_invariants_of_the_sql_page_hold_as_it_says(ledger: Ledger, recently: float) -> None:
    assert len(ledger.settled(chat(recently), chat(recently + 60, tokens=None))) == 2
    check, rollups, election = (
        text.strip() for text in re.split(r";.*\n", blocks(SQL_README, "sql")[0]) if text.strip()
    )

    assert ledger.rows(check) == []
    assert ledger.rows(rollups) == []
    time.sleep(6)  # a trace is due once more when the inserts of its time have ended
    ledger.settle()
    assert ledger.row(election)["traces"] == 0


def test_the_rows_of_the_sql_page_teach_the_ledger_what_they_say(ledger: Ledger, recently: float) -> None:
    for statement in blocks(SQL_README, "sql")[1].split(";\n"):
        ledger.client.command(statement)
    for name in ("attribute_dict", "operation_dict", "usage_rule_dict", "host_dict", "alias_dict"):
        ledger.client.command(f"system reload dictionary {name}")

    spoken = {
        "gen_ai.operation.name": "acme_completion",
        "gen_ai.usage.cache_read.input_tokens": 24,
        "cost_center": "r-and-d",
    }
    own_name = {"gen_ai.request.model": "our-deployment", "gen_ai.response.model": "our-deployment"}
    first, second, third = ledger.booked(
        chat(recently, scope="acme.llm", extra=spoken),
        chat(recently + 1, extra={"server.address": "llm.example.com", "gen_ai.response.model": "deepseek-chat"}),
        chat(recently + 2, extra=own_name),
    )
    assert (first["team"], first["operation"], first["usage_rule"]) == ("r-and-d", "chat", "acme")
    assert (first["input_tokens"], first["uncached_input_tokens"]) == (1024, 1000)
    assert (second["provider"], second["completeness"]) == ("deepseek", "priced")
    assert (third["model"], third["completeness"]) == ("gpt-5", "priced")


@dataclass(frozen=True)
class Machine:
    """A user's machine: a home of its own, a served ledger at the default place, the vendor of the demo."""

    home: Path
    vendor: VendorServer
    environ: dict[str, str]

    @property
    def store(self) -> Path:
        return self.home / ".local" / "share" / "spanledger"

    def run(self, *command: str, **variables: str) -> str:
        done = subprocess.run(
            command,
            env=self.environ | variables,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def spanledger(self, line: str) -> str:
        name, *arguments = shlex.split(line, comments=True)
        assert name == "spanledger"
        return self.run(sys.executable, "-m", "spanledger_collector", *arguments)

    def served(self) -> Serving:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            serving = serving_of(self.store)
            if serving and serving.clickhouse_url:
                return serving
            time.sleep(0.05)
        raise AssertionError("spanledger up does not serve")


@contextmanager
def machine(home: Path) -> Iterator[Machine]:
    foreign = ("OTEL_", "SPANLEDGER_", "OPENAI_", "XDG_")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    ports = {f"SPANLEDGER_{name}_PORT": "0" for name in ("OTLP_HTTP", "OTLP_GRPC", "CLICKHOUSE")}
    with VendorServer() as vendor:
        environ |= ports | {"HOME": str(home), "SPANLEDGER_CACHE_DIR": str(cache_folder()), "OPENAI_API_KEY": "k"}
        yield Machine(home, vendor, environ | {"OPENAI_BASE_URL": f"{vendor.url}/v1", "COLUMNS": "160"})


@contextmanager
def serving(user: Machine) -> Iterator[Serving]:
    """Run `spanledger up` as a process of its own."""
    command = [sys.executable, "-m", "spanledger_collector", "up"]
    with subprocess.Popen(command, env=user.environ, stderr=subprocess.DEVNULL) as up:
        try:
            yield user.served()
        finally:
            up.terminate()
            assert up.wait(SECONDS) == 0


@dataclass(frozen=True)
class QuickStart:
    """What the README's quick start led to: its outputs by command, and the machine, where nothing runs any more."""

    user: Machine
    outputs: dict[str, str]


@pytest.fixture(scope="module")
def quick_start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QuickStart]:
    (program,) = programs(README)
    with machine(tmp_path_factory.mktemp("home")) as user:
        with serving(user) as collector:
            (user.home / "app.py").write_text(program)
            user.run(sys.executable, "app.py", OTEL_EXPORTER_OTLP_ENDPOINT=collector.otlp_http_url)
            wait_for_the_calls(user)
            outputs = {line: user.spanledger(line) for line, _ in examples()}
        yield QuickStart(user, outputs)


def examples() -> list[tuple[str, str]]:
    """Return the README's commands that are shown with their output."""
    parts = [block.removeprefix("$ ").partition("\n") for block in blocks(README, "text")]
    return [(line, shown) for line, _, shown in parts]


def wait_for_the_calls(user: Machine) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if f'"calls":{CALLS_OF_THE_PROGRAM}' in user.spanledger(
            "spanledger query 'select sum(calls)::UInt32 as calls from costs' --format JSONEachRow"
        ):
            return
    raise AssertionError("the program's calls are not in the ledger")


@pytest.mark.e2e
@pytest.mark.parametrize(("line", "shown"), examples(), ids=["cost", "query"])
def test_the_outputs_in_the_readme_are_what_its_program_leads_to(
    quick_start: QuickStart, line: str, shown: str
) -> None:
    assert words(quick_start.outputs[line]) == words(shown)


@pytest.mark.e2e
def test_the_program_of_the_sql_page_teaches_a_stopped_store(quick_start: QuickStart) -> None:
    (program,) = programs(SQL_README)
    query = "spanledger query \"select operation from operations where name = 'acme_completion'\" --format TSV"

    quick_start.user.run(sys.executable, "-c", program)

    assert quick_start.user.spanledger(query) == "chat\n"


@pytest.mark.e2e
@needs_checkout
def test_the_case_of_the_money_page_leads_from_a_contract_to_an_adjustment(tmp_path: Path) -> None:
    first_of_this = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    last_day = first_of_this - timedelta(hours=12)
    calls = [chat(last_day.timestamp() + number, extra={"spanledger.tenant": "acme"}) for number in range(2)]
    lines = command_lines((ROOT / "collector" / "money.md").read_text("utf-8"))
    with machine(tmp_path) as user:
        (tmp_path / "first.pb").write_bytes(request(calls[:1]).body)
        user.spanledger("spanledger replay first.pb")
        (tmp_path / "late.pb").write_bytes(request(calls[1:]).body)

        said = [
            user.spanledger(line.replace("$MONTH", f"{last_day:%Y-%m}").replace("late.json", "late.pb"))
            for line in lines
        ]

    # 1,000 tokens of gpt-4o-mini in at 0.15 USD per million and 100 out at 0.60, less 10 %
    assert "acme" in said[2]
    assert "0.000189" in said[2]
    assert "0.000189" in said[4]
    assert "\n1 new call." in said[5]
    assert f"adjusts {last_day:%Y-%m}: +1 call, +0.000189 USD" in said[6]
