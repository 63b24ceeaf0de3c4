"""What the collector answers about itself: `/ready`, `/metrics` for Prometheus, `/backup` for its owner, `/runbooks` for on-call."""

import asyncio
import resource
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from spanledger_collector.assets import assets
from spanledger_collector.database import Database
from spanledger_collector.exceptions import SpanledgerError
from spanledger_collector.operations.counting import CountingCommitter
from spanledger_collector.operations.disk import DiskWatch
from spanledger_collector.queries.errors import RefusedError
from spanledger_collector.queries.users import Users

__all__ = ["Status", "build_routes"]

_STATUS_SECONDS: Final = 5.0
_GAUGES: Final = {
    "landed_spans": "Spans in the landing table, repeated deliveries counted again.",
    "landed_logs": "Log records in the landing table.",
    "quarantined_spans": "Spans kept aside because they cannot be.",
    "waiting_traces": "Traces that wait for the election.",
    "lag_seconds": "Seconds since which calls wait to be judged or summed.",
    "price_list_age_days": "Age of the price list.",
    "unpriced_calls": "Calls of the last 30 days whose model has no price.",
}


class Status:
    """The state of one ledger and its collector, asked at most every five seconds."""

    def __init__(self, database: Database, committer: CountingCommitter, disk: DiskWatch) -> None:
        self._database, self._committer, self._disk = database, committer, disk
        self._started_at = time.time()
        self._lock = threading.Lock()
        self._asked_at = 0.0
        self._row: dict[str, Any] = {}

    def ledger(self) -> dict[str, Any]:
        """Return the row of the view ledger_status; raises what the database raises."""
        with self._lock:
            if not self._asked_at or time.monotonic() - self._asked_at >= _STATUS_SECONDS:
                with closing(self._database.client()) as client:
                    found = client.query("select * from ledger_status")
                self._row = dict(zip(found.column_names, found.result_rows[0], strict=True))
                self._asked_at = time.monotonic()
            return self._row

    def trouble(self) -> str:
        """Return why nothing can be taken or asked now, in a sentence; empty: all is well."""
        try:
            self._committer.admit()
            self.ledger()
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever restarts us must hear of it
            return str(error) or type(error).__name__
        return ""

    def metrics(self) -> Iterator[str]:
        """Yield the lines of the Prometheus text format."""
        yield from _metric("collector_requests_total", "counter", "OTLP requests by what became of them.")
        for (signal, outcome), count in sorted(self._committer.requests.items()):
            yield f'spanledger_collector_requests_total{{signal="{signal}",outcome="{outcome}"}} {count}'
        yield from _metric(
            "collector_stored_bytes_total", "counter", "Bytes of OTLP requests that were stored, unpacked."
        )
        for signal, size in sorted(self._committer.stored_bytes.items()):
            yield f'spanledger_collector_stored_bytes_total{{signal="{signal}"}} {size}'
        yield from _metric("collector_ready", "gauge", "1: data is taken and questions are answered.")
        yield f"spanledger_collector_ready {int(not self.trouble())}"
        yield from _metric("disk_free_bytes", "gauge", "Free bytes on the disk of the store.")
        yield f"spanledger_disk_free_bytes {self._disk.free_bytes}"
        yield from _metric("disk_free_bytes_min", "gauge", "Free bytes below which nothing is taken.")
        yield f"spanledger_disk_free_bytes_min {self._disk.free_bytes_min}"
        usage = resource.getrusage(resource.RUSAGE_SELF)
        yield from _metric("process_cpu_seconds_total", "counter", "Processor time of the collector.")
        yield f"spanledger_process_cpu_seconds_total {usage.ru_utime + usage.ru_stime:.3f}"
        yield from _metric("process_start_time_seconds", "gauge", "When the collector started, seconds since 1970.")
        yield f"spanledger_process_start_time_seconds {self._started_at:.3f}"
        row = self.ledger()
        for name, help_text in _GAUGES.items():
            yield from _metric(name, "gauge", help_text)
            yield f"spanledger_{name} {row[name]}"


def build_routes(status: Status, users: Users, backup: Callable[[], dict[str, Any]]) -> Sequence[BaseRoute]:
    """Return the routes; ``backup`` cuts one and says what it holds, for the store's owner only."""

    async def ready(_: Request) -> Response:
        trouble = await asyncio.to_thread(status.trouble)
        return JSONResponse({"ready": not trouble, "trouble": trouble}, 503 if trouble else 200)

    async def metrics(_: Request) -> Response:
        lines = await asyncio.to_thread(lambda: "\n".join(status.metrics()))
        return PlainTextResponse(f"{lines}\n", media_type="text/plain; version=0.0.4")

    async def cut(request: Request) -> Response:
        try:
            if users.of(request).role != "owner":
                return PlainTextResponse("Only the owner of the store may do this.\n", 403)
            return JSONResponse(await asyncio.to_thread(backup))
        except RefusedError as error:
            return PlainTextResponse(error.text, 403)
        except SpanledgerError as error:
            return PlainTextResponse(f"{error}\n", 503)

    async def runbook(request: Request) -> Response:
        page = assets("dashboards").joinpath("runbooks", request.path_params["page"])
        if not page.name.endswith(".md") or not page.is_file():
            return PlainTextResponse("There is no such runbook.\n", 404)
        return PlainTextResponse(page.read_text("utf-8"), media_type="text/plain; charset=utf-8")

    return [
        Route("/ready", ready),
        Route("/metrics", metrics),
        Route("/backup", cut, methods=["POST"]),
        Route("/runbooks/{page}", runbook),
    ]


def _metric(name: str, kind: str, help_text: str) -> Iterator[str]:
    yield f"# HELP spanledger_{name} {help_text}"
    yield f"# TYPE spanledger_{name} {kind}"
