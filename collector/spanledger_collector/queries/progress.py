"""What a query has read so far, as the engine tells it, and how ClickHouse writes that into headers.

The driver passes on neither: its connection to the engine is watched. Each statement begins anew, so those with which the driver sets
and restores the settings of a query are not counted.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from clickhouse_connect.driver.client import Client

__all__ = ["Progress", "Watch", "headers_of"]

# Python's own client takes a hundred lines of headers at most, and the engine may report ten times a second for a minute.
_HEADERS_MAX: Final = 20
_COUNTS: Final = ("read_rows", "read_bytes", "written_rows", "written_bytes", "total_rows_to_read")


@dataclass
class Progress:
    """What the engine told during one statement, and how many rows it gave."""

    statement: str
    reports: list[Mapping[str, int]] = field(default_factory=list)
    result_rows: int | None = None


class Watch:
    """Stands between a driver and its connection to the engine; keeps what was told since ``begin``."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._seen: list[Progress] = []
        connection.set_progress_callback(self._report)

    @classmethod
    def on(cls, client: Client) -> "Watch":
        """Watch the connection of an embedded client from now on."""
        handle = client._backend._handle  # type: ignore[attr-defined]  # noqa: SLF001 - it has no other way
        handle.conn = cls(handle.conn)
        return handle.conn  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def query(self, sql: str | bytes, *arguments: Any, **named: Any) -> Any:
        """Run a statement of the driver, and keep what it tells."""
        progress = Progress(sql if isinstance(sql, str) else "")
        self._seen.append(progress)
        result = self._connection.query(sql, *arguments, **named)
        progress.result_rows = int(result.rows_read())
        return result

    @contextlib.contextmanager
    def watching(self, text: str) -> Iterator[Progress]:
        """Yield what, after the block, holds the progress of the statement with this text that ran in it."""
        self._seen = []
        found = Progress(text)
        try:
            yield found
        finally:
            own = next((seen for seen in self._seen if seen.statement.startswith(text)), found)
            found.reports, found.result_rows = own.reports, own.result_rows
            self._seen = []

    def _report(self, payload: Mapping[str, int]) -> None:
        if self._seen:
            self._seen[-1].reports.append(dict(payload))


def headers_of(progress: Progress | None, more: Mapping[str, int], *, each: bool) -> list[tuple[str, str]]:
    """Return the header X-ClickHouse-Summary, and before it, if asked for, some of X-ClickHouse-Progress."""
    if progress is None:  # a writer's connection is not watched: what is not known is left out
        return [("X-ClickHouse-Summary", _written({}, more))]
    reports = progress.reports
    step = -(-len(reports) // _HEADERS_MAX) or 1
    shown = [_written(report, {"elapsed_ns": report["elapsed_ns"]}) for report in reports[::step]] if each else []
    last = reports[-1] if reports else dict.fromkeys(_COUNTS, 0)
    summary = _written(last, {"result_rows": progress.result_rows or 0, **more})
    return [*(("X-ClickHouse-Progress", text) for text in shown), ("X-ClickHouse-Summary", summary)]


def _written(report: Mapping[str, int], more: Mapping[str, int]) -> str:
    """Write counts as ClickHouse does: as JSON, the numbers as text."""
    counts = {name: str(report[name]) for name in _COUNTS if name in report}
    return json.dumps(counts | {name: str(value) for name, value in more.items()}, separators=(",", ":"))
