"""Reads an INSERT out of a request: the engine's own parser says what it is, and only plain ones into a table are known."""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from spanledger_collector.queries.errors import RefusedError, of_engine
from spanledger_collector.queries.statements import read_statement

__all__ = ["Insertion", "read_insertion", "split_insert"]

_HEAD_ALONE: Final = re.compile(r"\s*insert\s", re.IGNORECASE)
# Where statement and data share the body: the data begins behind the line, or the blank, that ends the FORMAT clause.
_HEAD_AND_DATA: Final = re.compile(rb"\s*insert\s+into\s[^;]*?\sformat\s+\w+[ \t]*(\r?\n|\s|\Z)", re.IGNORECASE)
_HEAD_BYTES_MAX: Final = 65_536
_KNOWN: Final = frozenset({"type", "database", "table", "columns", "format", "settings_ast"})


@dataclass(frozen=True)
class Insertion:
    """Where data goes and how it is written; no columns: all of the table."""

    database: str
    table: str
    columns: tuple[str, ...]
    format: str


def split_insert(query: str, body: bytes) -> tuple[str, bytes] | None:
    """Return statement and data of a request that inserts; None when it does something else, or has no data of its own."""
    if _HEAD_ALONE.match(query):
        return (query, body) if body else None
    match = None if query else _HEAD_AND_DATA.match(body[:_HEAD_BYTES_MAX])
    if match is None or match.end() == len(body):
        return None
    try:
        return match[0].decode(), body[match.end() :]
    except UnicodeDecodeError as error:
        raise RefusedError(62, "SYNTAX_ERROR", f"The statement is not UTF-8: {error.reason}.") from error


def read_insertion(client: Client, statement: str) -> Insertion:
    """Return what a statement inserts; RefusedError when it is more than a plain INSERT INTO a table."""
    try:
        text = client.query(read_statement("tree"), {"statement": statement}).result_rows[0][0]
    except DatabaseError as error:
        raise of_engine(error) from error
    tree: dict[str, Any] = json.loads(text)
    if tree.get("type") != "InsertQuery" or set(tree) - _KNOWN or "table" not in tree or not tree.get("format"):
        raise RefusedError(
            164,
            "READONLY",
            "Only INSERT INTO a table, with columns and a FORMAT, takes data here; no SELECT, file or function.",
        )
    columns = tree.get("columns", {}).get("children", [])
    if any(column.get("type") != "Identifier" for column in columns):
        raise RefusedError(62, "SYNTAX_ERROR", "Name the columns of an INSERT one by one.")
    return Insertion(
        str(tree.get("database", {}).get("name", "")),
        str(tree["table"].get("name")),
        tuple(str(column["name"]) for column in columns),
        str(tree["format"]),
    )
