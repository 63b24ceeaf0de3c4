"""`spanledger up` under load, and a signal: it ends well, and what it acknowledged is stored."""

import signal
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

import pytest

from tests.collector.cli.processes import spanledger, up
from tests.otlp import SpanSpec, request

pytestmark = pytest.mark.e2e

STORED = "select count() from otel_traces where ServiceName = '{service}'"


class Load:
    """Sends one span after the other from two threads until told to stop; counts what was acknowledged."""

    def __init__(self, url: str, service: str) -> None:
        self.acknowledged = 0
        self._service = service
        self._url = f"{url}/v1/traces"
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(2)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        while self.acknowledged < 4:
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        headers = {"Content-Type": "application/x-protobuf"}
        while not self._is_over.is_set():
            body = request([SpanSpec(time.time() - 2, time.time() - 1, {}, service=self._service)]).body
            try:
                urllib.request.urlopen(urllib.request.Request(self._url, body, headers), timeout=120).close()  # noqa: S310
            except (urllib.error.URLError, ConnectionError):
                return
            with self._lock:
                self.acknowledged += 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_under_load_ends_it_well_and_loses_nothing_acknowledged(number: signal.Signals, store: Path) -> None:
    service = f"load-{number.name}"
    with up(store) as running, Load(running.otlp_http_url, service) as load:
        ended = running.stop(number)

    stored = spanledger("query", STORED.format(service=service), "--format", "TSV", "--store", store)
    assert ended.code == 0
    assert ended.err.endswith("Stopped.\n")
    assert "Traceback" not in ended.err
    assert int(stored.out) >= load.acknowledged >= 4
