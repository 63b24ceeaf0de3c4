"""Decides whether a statement may run: it only reads, and only the ledger.

The engine's own parser is asked, never a pattern of ours. ``EXPLAIN AST`` alone is not enough: it runs what follows a
semicolon, and it hides the function of ``APPLY``, the ``WHERE`` of ``SHOW TABLES`` and the names in ``SETTINGS``. So
the first question is ``formatQuerySingleLine``, which refuses more than one statement; the second is
``parseQueryToJSON``, which shows all and runs nothing; ``EXPLAIN AST`` of the canonical text answers for the few
statements that have no JSON. What runs is the canonical text. Unknown kinds are refused.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from spanledger_collector.queries.errors import RefusedError, of_engine
from spanledger_collector.queries.expansion import PARAMETERIZED_VIEWS, judge_expansion
from spanledger_collector.queries.settings import allowed, within_limit
from spanledger_collector.queries.statements import read_statement
from spanledger_collector.queries.tenancy import Confinement

__all__ = ["Gate", "Parameter", "Statement"]

_READING: Final = frozenset({"SELECT", "WITH", "SHOW", "DESCRIBE", "EXPLAIN", "EXISTS"})
_ROOTS: Final = frozenset(
    {"SelectWithUnionQuery", "ShowTablesQuery", "ShowColumnsQuery", "ShowIndexesQuery", "ExplainQuery"}
)
_PARTS: Final = _ROOTS | {"SelectQuery", "SelectIntersectExceptQuery", "TablesInSelectQuery", "SetQuery"}
_TABLE_FUNCTIONS: Final = frozenset(
    {
        "dictionary",
        "generate_series",
        "generateseries",
        "null",
        "numbers",
        "numbers_mt",
        "values",
        "view",
        "zeros",
        "zeros_mt",
    }
)
# Scalar functions beside the engine's categories: they read files, call hosts, or tell about the machine.
_FUNCTIONS: Final = frozenset({
    "catboostevaluate", "currentrequesturl", "evalmlmethod", "file", "filesystemavailable", "filesystemcapacity",
    "filesystemunreserved", "fuzzquery", "getmacro", "getserversetting", "hascolumnintable", "python",
    "showcertificate", "zookeepersessionuptime",
})  # fmt: skip
_WITHOUT_JSON: Final = re.compile(
    r"(Describe|Exists(Table|View|Dictionary|Database)|ShowCreate(Table|View|Dictionary|Database)|ShowProcesslist)Query\b.*"
    r"|ShowFunctions|ShowSetting|ShowEngineQuery"
)
_PLAIN_NODE: Final = re.compile(r"(TableExpression|TableIdentifier|Identifier)\b(?: (\S+))?.*")
_DESCRIBED_QUERY: Final = re.compile(r"DESCRIBE TABLE \(((?:SELECT|WITH) .*)\)((?: FORMAT \w+)?)", re.DOTALL)
_FORMAT: Final = re.compile(r" FORMAT (\w+)\Z")
# Levels of the tree, lists included; Python's own reader of JSON gives up at about a thousand, or never, by its version.
_DEPTH_MAX: Final = 900
_NAME: Final = re.compile(r"[A-Za-z_]\w{0,200}")


class Parameter:
    """The value of a query parameter as the client sent it: the driver passes on its text and quotes nothing."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


@dataclass(frozen=True)
class Statement:
    """One statement that may run, in the engine's own writing. ``format`` is that of its FORMAT clause, or empty."""

    text: str
    format: str
    parameters: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Node:
    """A part of the syntax tree: its kind, its members, and the name of the member that holds it."""

    kind: str
    members: dict[str, Any]
    role: str
    holder: str


@dataclass(frozen=True)
class Gate:
    """The rules for one ledger: readable databases, all others, and the names of functions that are refused."""

    databases: frozenset[str]
    foreign_databases: frozenset[str]
    table_functions: frozenset[str] = field(repr=False)
    functions: frozenset[str] = field(repr=False)
    confinement: Confinement | None = None

    @classmethod
    def of(cls, client: Client, database: str) -> "Gate":
        """Ask the engine for its databases and functions."""
        readable = frozenset({database, "system", "information_schema", "INFORMATION_SCHEMA"})
        existing = {str(row[0]) for row in client.query(read_statement("databases")).result_rows}
        rows = client.query(read_statement("functions")).result_rows
        table = frozenset(str(name) for name, kind in rows if kind == "table") - _TABLE_FUNCTIONS
        scalar = {str(name) for name, kind in rows if kind != "table"}
        # The scalar function format() has the name of a table function and is harmless.
        return cls(
            readable, frozenset(existing | {"default"}) - readable, table, _FUNCTIONS | scalar | (table - {"format"})
        )

    def admit(self, client: Client, text: str, parameters: Mapping[str, Parameter]) -> Statement:
        """Return the one statement of a text, if it may run; RefusedError in ClickHouse's words if not."""
        canonical = _asked(client, "canonical", text)
        word = canonical.lstrip("(").split(" ", 1)[0]
        if word not in _READING:
            raise _readonly(
                f"This endpoint only reads: {word} is not executed. Write with the spanledger command or as OTLP."
            )
        tree = _tree(client, canonical)
        if tree is None:
            return self._admit_without_tree(client, canonical, parameters)
        if tree.get("type") not in _ROOTS:
            raise _readonly(f"This endpoint only reads: a statement of kind {tree.get('type')} is not executed.")
        used = set()
        for node in _nodes(tree):
            self._judge(node)
            if self.confinement:
                self.confinement.judge(node.kind, node.members)
            if node.kind == "QueryParameter":
                used.add(self._judged_parameter(node.members, parameters))
        judge_expansion(tree, parameters)
        form = tree.get("format_ast") or {}
        return Statement(canonical, str(form.get("name", "")), frozenset(used))

    def _judge(self, node: _Node) -> None:
        if node.kind.endswith("Query") and node.kind not in _PARTS:
            raise _readonly(f"This endpoint only reads: a statement of kind {node.kind} is not executed.")
        if "out_file" in node.members:
            raise _readonly("INTO OUTFILE is not allowed: the answer is sent, not written.")
        if node.kind == "Function":
            self._judge_function(str(node.members.get("name")), is_table=node.role == "table_function")
        if "func_name" in node.members:
            self._judge_function(str(node.members["func_name"]), is_table=False)
        if node.kind == "SetQuery" and node.holder != "ExplainQuery":
            _judge_settings(node.members)
        self._judge_databases(node)

    def _judge_function(self, name: str, *, is_table: bool) -> None:
        if is_table and not self._is_own_view(name) and name.lower() not in _TABLE_FUNCTIONS:
            there_are = ", ".join(sorted(_TABLE_FUNCTIONS | PARAMETERIZED_VIEWS))
            raise _denied(f"Table function {name} is not allowed; there are {there_are}")
        if not is_table and name.lower() in self.functions:
            raise _denied(f"Function {name} is not allowed: it reaches beyond the ledger")

    def _is_own_view(self, name: str) -> bool:
        database, _, view = name.rpartition(".")
        return view in PARAMETERIZED_VIEWS and (not database or database in self.databases)

    def _judge_databases(self, node: _Node) -> None:
        parts = node.members.get("name_parts") or []
        named = [parts[0]] if len(parts) > 1 else []
        # Elsewhere the first part may also be the alias of a table.
        if named and (node.kind == "TableIdentifier" or named[0] in self.foreign_databases):
            self._judge_database(named[0])
        source = node.members.get("from")
        if node.kind == "ShowTablesQuery" and isinstance(source, dict):
            self._judge_database(str(source.get("name", "")))
        if isinstance(node.members.get("database"), str):
            self._judge_database(node.members["database"])

    def _judge_database(self, name: str) -> None:
        if name and name not in self.databases:
            readable = ", ".join(sorted(self.databases - {"INFORMATION_SCHEMA"}))
            raise RefusedError(81, "UNKNOWN_DATABASE", f"Database {name} cannot be read here; there are {readable}.")

    def _judged_parameter(self, members: dict[str, Any], parameters: Mapping[str, Parameter]) -> str:
        name = str(members.get("name"))
        if name not in parameters:
            raise RefusedError(
                456, "UNKNOWN_QUERY_PARAMETER", f"Substitution `{name}` is not set: send it as param_{name}."
            )
        value = str(parameters[name])
        if "identifier" in str(members.get("param_type")).lower() and (
            not _NAME.fullmatch(value) or value in self.foreign_databases
        ):
            raise RefusedError(
                457,
                "BAD_QUERY_PARAMETER",
                f"Value {value!r} of parameter {name} is not the name of anything in the ledger.",
            )
        if self.confinement:
            self.confinement.judge_parameter(value)
        return name

    def _admit_without_tree(self, client: Client, canonical: str, parameters: Mapping[str, Parameter]) -> Statement:
        inner = _DESCRIBED_QUERY.fullmatch(canonical)
        form = _FORMAT.search(canonical)
        name = form[1] if form else ""
        if inner:
            return Statement(canonical, name, self.admit(client, inner[1], parameters).parameters)
        kind, *nodes = _explained(client, canonical)
        if not _WITHOUT_JSON.fullmatch(kind):
            raise _readonly(f"This endpoint only reads: a statement of kind {kind} is not executed.")
        if self.confinement:
            self.confinement.judge(kind.partition(" ")[0], {})
        for node in nodes:
            plain = _PLAIN_NODE.fullmatch(node)
            if not plain:
                raise _denied(f"{node.split(' ', 1)[0]} is not allowed in this statement: name a table of the ledger")
            database, dot, _ = (plain[2] or "").partition(".")
            if database in self.foreign_databases or (dot and plain[1] == "TableIdentifier"):
                self._judge_database(database)
            if self.confinement:
                self.confinement.judge_name((plain[2] or "").split("."))
        return Statement(canonical, name)


def _asked(client: Client, name: str, text: str) -> str:
    try:
        rows = client.query(read_statement(name), parameters={"statement": text}).result_rows
    except DatabaseError as error:
        raise of_engine(error) from error
    return str(rows[0][0])


def _tree(client: Client, canonical: str) -> dict[str, Any] | None:
    """Return the syntax tree; None for the kinds of statement that the engine has no JSON for."""
    try:
        tree = json.loads(_asked(client, "tree", canonical))
    except RefusedError as error:
        if "does not support JSON serialization" in str(error):
            return None
        raise
    except RecursionError as error:
        raise _too_deep() from error
    return tree if isinstance(tree, dict) else {}


def _explained(client: Client, canonical: str) -> list[str]:
    """Return the lines of EXPLAIN AST, without counts; the canonical text is one statement, so nothing runs."""
    try:
        text = client.raw_query(
            f"explain ast {canonical}", fmt=None if _FORMAT.search(canonical) else "TSVRaw"
        ).decode()
    except DatabaseError as error:
        raise of_engine(error) from error
    lines = text.replace("\\n", "\n").splitlines()
    return [re.sub(r" \(children \d+\)$", "", line.strip().strip('"')) for line in lines if line.strip()]


def _nodes(tree: dict[str, Any]) -> Iterator[_Node]:
    pending: list[tuple[Any, str, str, int]] = [(tree, "", "", 0)]
    while pending:
        value, role, holder, depth = pending.pop()
        if depth > _DEPTH_MAX:
            raise _too_deep()
        if isinstance(value, list):
            pending.extend((item, role, holder, depth + 1) for item in value)
        elif isinstance(value, dict):
            kind = str(value.get("type", ""))
            if kind:
                yield _Node(kind, value, role, holder)
            pending.extend((item, key, kind or holder, depth + 1) for key, item in value.items())


def _judge_settings(members: dict[str, Any]) -> None:
    if set(members) - {"type", "changes", "is_standalone"}:
        raise _readonly("Only plain settings are allowed in a query.")
    for change in members.get("changes", []):
        name, value = str(change["name"]), change.get("value", {}).get("value")
        if not allowed(name):
            raise _readonly(
                f"Cannot modify '{name}' setting in readonly mode: it is not one that a query may have here."
            )
        if not within_limit(name, str(value)):
            raise RefusedError(
                452, "SETTING_CONSTRAINT_VIOLATION", f"Setting {name} shouldn't be greater than its limit here, nor 0."
            )


def _too_deep() -> RefusedError:
    return RefusedError(167, "TOO_DEEP_AST", "The statement is nested too deeply.")


def _readonly(message: str) -> RefusedError:
    return RefusedError(164, "READONLY", message)


def _denied(message: str) -> RefusedError:
    return RefusedError(497, "ACCESS_DENIED", f"{message}.")
