"""Evaluates rules on a ledger, and reads the answer as Grafana does: string columns are labels, the one number is the value."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from spanledger_collector.alerting.rules import Rule, rule_named
from spanledger_collector.exceptions import QueryError
from spanledger_collector.refusals import refusal

__all__ = ["Finding", "Problem", "evaluate", "filled", "number_table", "readable", "usd"]

_STRINGS: Final = re.compile(r"(LowCardinality\()?(Nullable\()?(String|FixedString\(\d+\)|Enum(8|16)\(.*)\)*")
_NUMBERS: Final = re.compile(r"(LowCardinality\()?(Nullable\()?(U?Int\d+|Float\d+|Decimal\(\d+, \d+\))\)*")
_SECONDS_MAX: Final = 30
_UNNAMED: Final = "(not tagged)"


@dataclass(frozen=True)
class Finding:
    """One row of a rule's answer: it is true now. ``texts`` say more than the rule's own texts, where somebody knows more."""

    rule: Rule
    labels: Mapping[str, str]
    value: float
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Problem:
    """A rule that could not be evaluated, and why."""

    rule: str
    reason: str

    @property
    def finding(self) -> Finding:
        """What it is as an alert: whoever relies on the rule must hear that it is blind."""
        told = rule_named("RuleFailed")
        return Finding(told, {"rule": self.rule}, 1, {"cause": self.reason})


def evaluate(client: Client, rules: Iterable[Rule]) -> tuple[list[Finding], list[Problem]]:
    """Ask every rule that has a query; one that fails costs the others nothing."""
    findings: list[Finding] = []
    problems: list[Problem] = []
    for rule in rules:
        if not rule.query:
            continue
        try:
            found = client.query(rule.sql, settings={"max_execution_time": _SECONDS_MAX})
            types = [str(column.name) for column in found.column_types]
            rows = number_table(found.column_names, types, found.result_rows)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other rules must be asked
            problems.append(Problem(rule.name, refusal(error)))
        else:
            findings += [Finding(rule, labels, value) for labels, value in rows]
    return findings, problems


def number_table(
    names: Sequence[str], types: Sequence[str], rows: Iterable[Sequence[Any]]
) -> list[tuple[dict[str, str], float]]:
    """Return labels and number of each row; QueryError for what Grafana would not take as a table of numbers."""
    if not names:  # an answer without rows has no columns either, where the engine runs in this process
        return []
    numeric = [place for place, kind in enumerate(types) if _NUMBERS.fullmatch(kind) and kind != "Bool"]
    strings = [place for place, kind in enumerate(types) if _STRINGS.fullmatch(kind)]
    if len(numeric) != 1 or len(numeric) + len(strings) != len(types):
        shown = ", ".join(f"{name} {kind}" for name, kind in zip(names, types, strict=True))
        raise QueryError(f"A rule's answer needs columns of text and exactly one of numbers, and has: {shown}.")
    (at,) = numeric
    return [({names[place]: str(row[place] or "") for place in strings}, float(row[at])) for row in rows]


def filled(text: str, finding: Finding) -> str:
    """Return a rule's text with labels and number in it; a label that is empty reads as what it is."""
    known = {name: label or _UNNAMED for name, label in finding.labels.items()}
    known["value"] = readable(finding.value, finding.rule.unit)
    return re.sub(r"\{(\w+)\}", lambda match: known.get(match[1], match[0]), text)


def readable(value: float, unit: str) -> str:
    """Return a number as it is read aloud: money to the cent, small money to four digits, shares in percent."""
    if unit == "usd":
        return usd(Decimal(str(value)))
    if unit == "share":
        return f"{value:.0%}"
    return f"{value:,.1f}" if unit == "percent" else f"{value:,.0f}"


def usd(amount: Decimal) -> str:
    """Return an amount to the cent; below a dollar to four decimals."""
    return f"{amount:,.2f}" if abs(amount) >= 1 else f"{amount:,.4f}"
