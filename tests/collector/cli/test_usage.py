"""What a command says about itself, and to whoever calls it wrongly."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from spanledger_collector.cli import app
from spanledger_collector.cli.cost import nothing, start_of
from spanledger_collector.cli.show import as_json, at_least, decimals, money
from spanledger_collector.cli.statement import _print_lines, _print_months
from spanledger_collector.exceptions import UsageError
from tests.collector.cli.processes import spanledger

README = Path(__file__).parents[3] / "README.md"
NOW = datetime(2026, 11, 22, 16, 43, 31, tzinfo=UTC)


def commands(command: Any = None, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every command with its path, groups included."""
    command = command or typer.main.get_command(app)
    yield path.strip(), command
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, f"{path} {name}")


COMMANDS = [(path, command) for path, command in commands() if path]


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=[path for path, _ in COMMANDS])
def test_a_command_and_its_options_and_arguments_say_what_they_are_for(path: str, command: Any) -> None:
    assert command.help
    assert [parameter.name for parameter in command.params if not getattr(parameter, "help", None)] == []


@pytest.mark.parametrize("path", [path for path, command in COMMANDS if not hasattr(command, "commands")])
def test_the_readme_knows_the_command(path: str) -> None:
    assert path in README.read_text("utf-8")


@pytest.mark.parametrize("path", ["", *(path for path, command in COMMANDS if hasattr(command, "commands"))])
def test_a_list_of_commands_cuts_no_sentence(path: str) -> None:
    shown = CliRunner().invoke(app, [*path.split(), "--help"], terminal_width=80).output.partition("Commands:")[2]

    assert shown.strip()
    assert "..." not in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["cost", "--by", "colour"], "'colour' is no dimension. There are: team, "),
        (["cost", "--by", ","], "name at least one dimension"),
        (["cost", "--by", "user,model"], "'model' cannot be combined with user or session"),
        (["cost", "--since", "yesterday"], "'yesterday' is neither a time back (30m, 24h, 7d, 4w) nor a date"),
        (["cost", "--since", "2026-13-01"], "nor a date"),
        (["cost", "--since", "999999w"], "nor a date"),
        (["cost", "--since", "9999-01-01"], "is in the future"),
        (["cost", "--store", "a", "--clickhouse", "http://b"], "not both"),
        (["query", "  "], "The statement is empty."),
        (["query", "select 1", "--format", "CSV; drop"], "is not a format's name"),
        (["cost", "--clickhouse", "localhost:8123"], "write http://user:password@host:8123"),
        (["cost", "--clickhouse", "chdb:///tmp/x"], "write http://user:password@host:8123"),
        (["cost", "--clickhouse", "http://host:99999"], "write http://user:password@host:8123"),
        (["cost", "--clickhouse", "http://host/s-ales"], "Database name 's-ales' is not an identifier"),
        (["prices", "list", "--at", "soon"], "'soon' is no time"),
        (["prices", "list", "--at", "0001-01-01"], "is outside 1970 to 2106"),
        (["prices", "set", "openai", "x", "--price", "inputs=1"], "'inputs' is no meter. There are: input, "),
        (["prices", "set", "openai", "x", "--price", "input=cheap"], "'cheap' is no amount"),
        (["prices", "set", "openai", "x", "--price", "input=1e999999999"], "is no amount"),
        (["prices", "set", "openai", "x", "--price", "input=1", "--price", "input=2"], "input is given twice"),
        (["prices", "set", "openai", "x"], "Give --price, or --withdraw"),
        (["prices", "set", "openai", "x", "--price", "input=1", "--withdraw"], "Give --price, or --withdraw"),
    ],
)
def test_wrong_usage_is_refused_before_a_ledger_is_opened(arguments: list[str], said: str, tmp_path: Path) -> None:
    done = CliRunner(env={"XDG_DATA_HOME": str(tmp_path)}).invoke(app, arguments)

    assert isinstance(done.exception, UsageError)
    assert said in str(done.exception)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["replay"], ["query"], ["cost", "--limit", "0"], ["up", "--otlp-http-port", "65536"], ["prices"]],
)
def test_a_call_that_the_parser_cannot_take_is_wrong_usage(arguments: list[str]) -> None:
    done = CliRunner().invoke(app, arguments)

    assert done.exit_code == 2
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("since", "start"),
    [
        ("30m", datetime(2026, 11, 22, 16, 13, 31, tzinfo=UTC)),
        ("60m", datetime(2026, 11, 22, 15, 43, 31, tzinfo=UTC)),
        ("7d", datetime(2026, 11, 15, 16, 43, 31, tzinfo=UTC)),
        # Without a zone it is a time of the ledger's, which may already have its tomorrow.
        ("2026-11-01", datetime(2026, 11, 1)),  # noqa: DTZ001
        ("2026-11-23", datetime(2026, 11, 23)),  # noqa: DTZ001
        ("2026-11-01T01:30+01:00", datetime(2026, 11, 1, 0, 30, tzinfo=UTC)),
        ("1066-10-14", datetime(1970, 1, 1)),  # noqa: DTZ001
    ],
)
def test_since_is_a_time_back_or_a_date(since: str, start: datetime) -> None:
    assert start_of(since, NOW) == start


def test_calls_that_wait_for_their_sums_are_not_called_no_calls() -> None:
    assert nothing("2026-11-20 04:00 UTC", waits=False) == "No calls since 2026-11-20 04:00 UTC."
    assert "Some wait: ask again" in nothing("2026-11-20 04:00 UTC", waits=True)


def test_json_holds_amounts_as_strings_to_the_last_digit() -> None:
    amount = Decimal("12345678901234.123456789012345678901234")

    assert json.loads(as_json([amount, Decimal("0E-24"), Decimal("100.50")])) == [str(amount), "0", "100.5"]


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "0.000000"),
        ("1234567.891", "1,234,567.891000"),
        ("12345678901234.1234567890125", "12,345,678,901,234.123456789012"),
        ("1", "1.000000"),
        ("1E-13", "0.0000000000001"),
        ("0.999999", "0.999999"),
        ("0.000001", "0.000001"),
        ("0.000000000075", "0.000000000075"),
    ],
)
def test_money_for_people_is_never_0_for_what_is_not_0(amount: str, shown: str) -> None:
    assert money(Decimal(amount)) == shown


def test_a_column_adds_up_to_its_total_as_they_are_printed() -> None:
    cells = [Decimal("3.30"), Decimal("0.455130"), Decimal("0.0000000375")]
    total = sum(cells, Decimal(0))
    places = decimals([*cells, total])

    shown = [money(amount, places) for amount in (*cells, total)]

    assert shown == ["3.3000000000", "0.4551300000", "0.0000000375", "3.7551300375"]
    assert sum(map(Decimal, shown[:-1])) == Decimal(shown[-1])


def test_a_bound_is_never_rounded_up() -> None:
    assert at_least(Decimal("2.9999999999999")) == "≥ 2.999999999999"
    assert at_least(Decimal(0)) == "unknown"


STATED = {
    "calls": 3, "adjustment_calls": 0, "known_booked_usd": Decimal(1), "known_adjustment_usd": Decimal(0), "known_usd": Decimal(1),
    "adjusts": [], "is_closed": 0,
}  # fmt: skip


@pytest.mark.parametrize("by_month", [True, False])
def test_a_mark_has_its_footnote_and_only_over_months_another_row_takes_it_from_the_total(
    by_month: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    rows: list[dict[str, Any]] = [
        {**STATED, "month": date(2026, 10, 1), "team": "a", "unknown_calls": 1, "unknown_adjustment_calls": 0},
        {**STATED, "month": date(2026, 11, 1), "team": "b", "unknown_calls": 0, "unknown_adjustment_calls": -1},
    ]
    if by_month:
        _print_months(rows)
    else:
        _print_lines("2026-11", ["team"], rows)

    shown = capsys.readouterr().out
    (total,) = [line for line in shown.splitlines() if line.startswith("total")]
    assert "≥: a lower bound. The cost of 1 call is unknown" in shown
    assert total.rstrip().endswith("≥ 2.000000") != by_month


def test_the_version_is_said() -> None:
    assert spanledger("--version").out == f"spanledger {version('spanledger')}\n"
