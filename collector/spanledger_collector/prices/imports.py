"""Reads prices from files: CSV or JSON, one row a price of a model, with the unit said in each row; all of a file or nothing.

Columns: provider, model, unit (``per_mtok`` or ``per_token``), then meters (input, output, cache_read, ...; request and web_search are
for one), and as wanted context, contract, from, to, currency, note.
"""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from spanledger_collector.exceptions import InputError, PriceError
from spanledger_collector.prices.meters import FEES, METER_NAMES
from spanledger_collector.prices.overrides import Override
from spanledger_collector.prices.segments import END, START

__all__ = ["COLUMNS", "read_prices"]

_TEXTS: Final = ("context", "contract", "note")
_UNITS: Final = {"per_mtok": -6, "per_token": 0}
COLUMNS: Final = ("provider", "model", "unit", "from", "to", "currency", *_TEXTS, *METER_NAMES)
"""What a row may hold."""
_SHOWN_MAX: Final = 10

_Check = Callable[[Override], Override]


def read_prices(file: Path, created_by: str, check: _Check) -> list[Override]:
    """Return the prices of a file, each as ``check`` gives it back; InputError names every row that cannot be right."""
    found, wrong = [], []
    for place, row in _rows(file):
        try:
            found.append(check(_override(row, created_by)))
        except (PriceError, ValueError) as error:
            wrong.append(f"{place}: {error}")
    if wrong:
        more = f" And {len(wrong) - _SHOWN_MAX} more." if len(wrong) > _SHOWN_MAX else ""
        raise InputError(f"{file}: nothing was imported. {' '.join(wrong[:_SHOWN_MAX])}{more}")
    if not found:
        raise InputError(f"{file} holds no prices.")
    _refuse_overlaps(file, found)
    return found


def _rows(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        text = file.read_text("utf-8-sig")
        if file.suffix == ".csv":
            for number, row in enumerate(csv.DictReader(text.splitlines()), 2):
                yield f"row {number}", {name: value for name, value in row.items() if value not in (None, "")}
            return
        if file.suffix != ".json":
            raise InputError(f"{file}: prices are read from .csv or .json.")
        content = json.loads(text, parse_float=Decimal)
    except FileNotFoundError as error:
        raise InputError(f"There is no file {file}: check the name.") from error
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{file} cannot be read: {error}.") from error
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise InputError(
            f"{file} is not a list of prices: write [{{provider: ..., model: ..., unit: per_mtok, input: ...}}]."
        )
    for number, row in enumerate(content, 1):
        yield f"entry {number}", row


def _override(row: Mapping[str, Any], created_by: str) -> Override:
    if unknown := [str(name) for name in row if name not in COLUMNS]:
        raise ValueError(f"there is no column {unknown[0]!r}; there are {', '.join(COLUMNS)}.")
    if missing := [name for name in ("provider", "model", "unit") if not row.get(name)]:
        raise ValueError(f"{missing[0]} is missing.")
    if row["unit"] not in _UNITS:
        raise ValueError(f"unit {row['unit']!r} is none; write per_mtok (per million tokens) or per_token.")
    prices = {}
    for name, column in METER_NAMES.items():
        if name in row:
            prices[column] = _amount(name, row[name]).scaleb(0 if column in FEES else _UNITS[str(row["unit"])])
    if not prices:
        raise ValueError("it has no price.")
    contract, context, note, currency = (str(row.get(name, "")) for name in ("contract", "context", "note", "currency"))
    span = _time(row, "from", START), _time(row, "to", END)
    new = Override(str(row["provider"]), str(row["model"]), prices, *span, contract, context, note, created_by)
    return replace(new, currency=currency.upper() or "USD")


def _amount(name: str, value: object) -> Decimal:
    try:
        amount = Decimal(str(value).strip()) if not isinstance(value, bool) else Decimal("NaN")
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise ValueError(f"{name} {value!r} is no amount.")
    return amount


def _time(row: Mapping[str, Any], name: str, default: datetime) -> datetime:
    if not row.get(name):
        return default
    try:
        at = datetime.fromisoformat(str(row[name]))
    except ValueError as error:
        raise ValueError(f"{name} {row[name]!r} is no time; write 2026-11-01.") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _refuse_overlaps(file: Path, found: list[Override]) -> None:
    spans: dict[tuple[str, str, str, str], list[Override]] = {}
    for one in found:
        others = spans.setdefault((one.contract, one.provider, one.model, one.context), [])
        if any(one.valid_from < other.valid_to and other.valid_from < one.valid_to for other in others):
            raise InputError(
                f"{file}: nothing was imported. {one.provider}/{one.model} has two prices for one time; give one an end (column to)."
            )
        others.append(one)
