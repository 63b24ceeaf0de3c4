"""House rules that no linter knows."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("instrumentation", "collector", "tests", "sql", "dashboards", "deploy")
FILES = [
    *(
        file
        for folder in FOLDERS
        for file in sorted((ROOT / folder).rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    ),
    *(file for file in sorted(ROOT.iterdir()) if file.is_file()),
]
PYTHON = [file for file in FILES if file.suffix == ".py"]
SOURCES = [
    file for file in PYTHON if file.is_relative_to(ROOT / "instrumentation") or file.is_relative_to(ROOT / "collector")
]
SQL = [file for file in FILES if file.parent == ROOT / "sql" and file.suffix == ".sql"]
CHECKOUT_ONLY = [pytest.param(ROOT, marks=pytest.mark.skip(reason="needs the checkout: the source files"))]
LINES_MAX = 400
FUNCTION_LINES_MAX = 50
# Tests of one noun stay together; a long one is a list of cases.
LONG_FILES = {"tests/collector/test_otlp_files.py"}


def named(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def functions(file: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def statements(text: str) -> list[str]:
    """Split at semicolons outside comments, strings and quoted names."""
    token = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^'\\]|\\.|'')*'|`[^`]*`|\"[^\"]*\"", re.DOTALL)
    return [part for part in token.sub("x", text).split(";") if part.strip(" \nx")]


def public_names(file: Path) -> set[str]:
    names = set()
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            # A decorated function of the command line is called by its decorator, not by its name.
            names |= (
                set() if any("command" in ast.unparse(decorator) for decorator in node.decorator_list) else {node.name}
            )
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return {name for name in names if not name.startswith("_")}


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    long = {named(file): count for file in PYTHON if (count := len(file.read_text("utf-8").splitlines())) > LINES_MAX}

    assert long.keys() - LONG_FILES == set()


def test_no_function_is_longer_than_a_screen() -> None:
    # A test may be longer: it compares a whole row as one literal.
    long = [
        f"{named(file)}: {name} ({lines} lines)"
        for file in SOURCES
        for name, lines in functions(file)
        if lines > FUNCTION_LINES_MAX
    ]

    assert long == []


def test_every_module_says_what_it_is_for() -> None:
    assert [
        named(file)
        for file in SOURCES
        if file.read_text("utf-8").strip() and not ast.get_docstring(ast.parse(file.read_text("utf-8")))
    ] == []


@pytest.mark.parametrize("file", SOURCES or CHECKOUT_ONLY, ids=named)
def test_every_public_name_is_listed(file: Path) -> None:
    if not public_names(file) or file.name == "__main__.py" or "demo" in file.parts:
        return  # the demo is an application to be read, nobody's library
    listed = importlib.import_module(module_name(file)).__all__

    assert public_names(file) - set(listed) == set()
    assert len(set(listed)) == len(listed)


@pytest.mark.parametrize("file", SQL or CHECKOUT_ONLY, ids=named)
def test_a_sql_file_holds_one_statement_and_says_what_it_is(file: Path) -> None:
    text = file.read_text("utf-8")

    assert len(statements(text)) == 1
    assert text.startswith("-- ")


def test_nothing_is_left_to_do_and_nothing_names_this_machine() -> None:
    words = re.compile(r"\bTO" + r"DO\b|\bFIX" + r"ME\b|\bXX" + r"X\b|/wo" + r"rk/|/ro" + r"ot/|/home/\w")
    found = [
        f"{named(file)}: {match[0]}"
        for file in FILES
        if file.suffix in {".py", ".sql", ".toml", ".md", ".json", ".yaml", ".yml", ".proto", ""}
        and file.name != "LICENSE"
        for match in words.finditer(file.read_text("utf-8"))
    ]

    assert found == []


def test_the_instrumentation_never_imports_the_operator_side() -> None:
    files = [file for file in SOURCES if file.is_relative_to(ROOT / "instrumentation")]

    assert [named(file) for file in files if "spanledger_collector" in file.read_text("utf-8")] == []


def test_every_table_and_every_column_of_the_ledger_is_explained(ledger: Any) -> None:
    kept = "engine not in ('MaterializedView', 'Dictionary') and name not like '.%' and database = currentDatabase()"
    tables = ledger.rows(f"select name from system.tables where comment = '' and {kept}")
    columns = ledger.rows(
        "select table || '.' || name as name from system.columns where comment = '' "
        f"and table in (select name from system.tables where {kept}) and database = currentDatabase()"
    )

    assert [row["name"] for row in tables] == []
    # The parts of a Nested column are explained by the column.
    assert [row["name"] for row in columns if not re.search(r"\.(Events|Links)\.", row["name"])] == []
