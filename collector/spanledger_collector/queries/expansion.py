"""How much a statement reads once each name of its WITH is replaced by what it stands for.

The engine plans every reference by itself: twenty names, each twice the one before, are a million plans, and neither the limit of time nor
that of memory holds while it plans. EXPLAIN writes out such a plan: 32 times the view calls took more than 6 GB.
"""

from collections.abc import Mapping
from typing import Any, Final

from spanledger_collector.queries.errors import RefusedError

__all__ = ["PARAMETERIZED_VIEWS", "judge_expansion"]

PARAMETERIZED_VIEWS: Final = frozenset({"costs_between", "costs_in_steps"})
"""Views of the ledger that are called as table functions are."""

_READ_MAX: Final = 200
_EXPLAINED_MAX: Final = 8
_UNPLANNED: Final = frozenset({"EXPLAIN AST", "EXPLAIN SYNTAX"})
_MEMBERSHIP: Final = frozenset({
    "in", "notin", "globalin", "globalnotin", "nullin", "notnullin", "globalnullin", "globalnotnullin",
})  # fmt: skip
_STATEMENT: Final = -1


def judge_expansion(tree: dict[str, Any], parameters: Mapping[str, object]) -> None:
    """Raise RefusedError for a statement that would read more tables, or explain more, than the engine can plan in bounds."""
    is_explained = tree.get("type") == "ExplainQuery" and tree.get("kind") not in _UNPLANNED
    limit = _EXPLAINED_MAX if is_explained else _READ_MAX
    if _reads_more_than(limit, tree, parameters):
        what = "An explained statement" if is_explained else "A statement"
        raise RefusedError(
            168,
            "TOO_BIG_AST",
            f"{what} may name {limit} tables, each use of a name of WITH counted with all it stands for.",
        )


def _reads_more_than(limit: int, tree: dict[str, Any], parameters: Mapping[str, object]) -> bool:
    """Expand name by name, and stop at the limit. What one name means in several places is counted for all of them."""
    definitions, references = _names(tree, parameters)
    pending = [(name, frozenset[int]()) for name in references[_STATEMENT]]
    read = 0
    while pending and read + len(pending) <= limit:
        name, inside = pending.pop()
        read += 1
        for each in definitions.get(name, ()):
            if each not in inside:  # within its own definition a name means a table, or itself, with RECURSIVE
                pending.extend((used, inside | {each}) for used in references[each])
    return bool(pending)


def _names(tree: dict[str, Any], parameters: Mapping[str, object]) -> tuple[dict[str, list[int]], dict[int, list[str]]]:
    """Return the definitions of each name of WITH, and the tables that each definition and the statement itself name."""
    definitions: dict[str, list[int]] = {}
    references: dict[int, list[str]] = {_STATEMENT: []}
    pending: list[tuple[Any, int]] = [(tree, _STATEMENT)]
    while pending:
        value, inside = pending.pop()
        if isinstance(value, list):
            pending.extend((item, inside) for item in value)
        elif isinstance(value, dict):
            if value.get("type") == "WithElement":
                inside = len(references)
                references[inside] = []
                definitions.setdefault(str(value.get("name")), []).append(inside)
            if (name := _table(value, parameters)) is not None:
                references[inside].append(name)
            pending.extend((item, inside) for item in value.values())
    return definitions, references


def _table(node: dict[str, Any], parameters: Mapping[str, object]) -> str | None:
    """Return what a part of the tree names as a table: after FROM, after IN, by a parameter, or a view with parameters."""
    kind = node.get("type")
    if kind == "TableIdentifier":
        return str(node.get("name", ""))
    if kind == "QueryParameter":
        return str(parameters.get(str(node.get("name")), ""))
    if kind == "Function" and str(node.get("name")).lower() in _MEMBERSHIP:
        *_, last = (node.get("arguments") or {}).get("children") or [{}]
        return str(last.get("name", "")) if last.get("type") == "Identifier" else None
    if kind == "Function" and str(node.get("name")).rpartition(".")[2] in PARAMETERIZED_VIEWS:
        return str(node.get("name"))
    return None
