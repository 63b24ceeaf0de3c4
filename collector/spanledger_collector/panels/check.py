"""Runs the query of every panel against a ledger, and says which do not work."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from spanledger_collector.panels.catalogue import QUERIES
from spanledger_collector.panels.model import Kind, Panel, Unit
from spanledger_collector.panels.queries import Window, expand, interval_seconds, read_query
from spanledger_collector.refusals import refusal

__all__ = ["Ran", "run_queries", "window_of"]

_POINTS_MAX: Final = 200
# Grafana takes Decimal for a float by itself, but sums and thresholds are safer with what it is in the end.
_NUMBER: Final = re.compile(r"(Nullable\()?(U?Int\d+|Float64)\)?")
_TEXT: Final = re.compile(r"(LowCardinality\()?String\)?")
_TIME: Final = re.compile(r"(Nullable\()?DateTime(64)?(\([^()]*\))?\)?")
_TYPES: Final = {Unit.TEXT: _TEXT, Unit.TIME: _TIME}


@dataclass(frozen=True)
class Ran:
    """How one query went. ``fault`` is empty when it worked."""

    name: str
    milliseconds: float
    rows: int
    fault: str


def window_of(seconds: int, now: float | None = None, least: int = 3600) -> Window:
    """Return the time range of the last seconds, with the step of its axis."""
    end = int(time.time() if now is None else now)
    return Window(end - seconds, end, interval_seconds(seconds, _POINTS_MAX, least))


def run_queries(client: Client, seconds: int) -> Iterator[Ran]:
    """Run every query over the last seconds, those of variables and annotations too."""
    for name, panel in sorted(QUERIES.items()):
        yield _run(client, name, panel, window_of(seconds, least=panel.step if panel else 3600))


def _run(client: Client, name: str, panel: Panel | None, window: Window) -> Ran:
    started = time.perf_counter()
    try:
        # Unlike the engine's own format, this one names the columns of an empty answer too.
        answer = json.loads(client.raw_query(expand(read_query(name), window, {}), fmt="JSONCompact"))
    except ClickHouseError as error:
        return Ran(name, 0, 0, refusal(error))
    taken = (time.perf_counter() - started) * 1000
    types = {column["name"]: column["type"] for column in answer["meta"]}
    return Ran(name, taken, len(answer["data"]), " ".join(_faults(panel, types)) if panel else "")


def _faults(panel: Panel, types: Mapping[str, str]) -> Iterator[str]:
    """Say which columns a panel draws that its query does not give, or not in a type that can be drawn."""
    wanted = {field.name: _TYPES.get(field.unit, _NUMBER) for field in panel.fields}
    if panel.kind is Kind.TIME_SERIES:
        wanted |= {"time": _TIME} | ({"series": _TEXT} if panel.split else {})
    for name, pattern in wanted.items():
        found = types.get(name, "nothing")
        if not pattern.fullmatch(found):
            yield f"Column {name} is {found}."
