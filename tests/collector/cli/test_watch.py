"""`spanledger watch` on a ledger that another process serves: it detects, tells a webhook, and hears what people say of it."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.collector.alerting.receiving import Hook, wait_for
from tests.collector.anomalies.test_detection import call, usual
from tests.collector.cli.processes import environment, spanledger, up
from tests.otlp import request

pytestmark = pytest.mark.e2e
SECONDS = 240


@contextmanager
def watching(store: Path, hook: Hook, book: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "spanledger_collector", "watch", "--store", str(store), "--book", str(book)]
    command += ["--webhook", hook.url, "--alert-seconds", "1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment()) as process:
        try:
            yield process
        finally:
            process.kill()


def of_incidents(hook: Hook, status: str) -> list[dict[str, Any]]:
    return [alert for alert in hook.alerts if "incident" in alert["labels"] and alert["status"] == status]


def test_it_tells_of_an_incident_and_that_people_call_it_expected(tmp_path: Path) -> None:
    now, store = time.time(), tmp_path / "ledger"
    who = {"tenant": "a", "team": "support", "feature": "chat", "user": "mallory", "session": "s1"}
    loop = [call(now - 2 * n, **who, prompt="00000000000000ab") for n in range(300)]
    with up(store, SPANLEDGER_ALERTS="false") as running, Hook() as hook:
        for spans in (usual(now), loop):
            headers = {"content-type": "application/x-protobuf"}
            requests.post(f"{running.otlp_http_url}/v1/traces", request(spans).body, headers=headers, timeout=60)
        with watching(store, hook, tmp_path / "alerts.sqlite") as watcher:
            alert = wait_for(lambda: of_incidents(hook, "firing"), SECONDS)[0]
            incident = alert["labels"]["incident"]
            real = spanledger("anomalies", "feedback", incident, "real", "--store", store)
            listed = json.loads(spanledger("anomalies", "list", "--json", "--store", store).out)
            expected = spanledger("anomalies", "feedback", incident, "expected", "--note", "a test", "--store", store)
            ended = wait_for(lambda: of_incidents(hook, "resolved"), SECONDS)[0]
            watcher.send_signal(signal.SIGTERM)
            _, said = watcher.communicate(timeout=SECONDS)

    assert (alert["labels"]["class"], alert["labels"]["user"]) == ("retry_loop", "mallory")
    assert alert["annotations"]["runbook_url"].startswith(running.clickhouse_url)
    assert (real.out, [row["feedback"] for row in listed]) == (f"{incident}: real.\n", ["real"])
    assert expected.out == f"{incident}: expected.\n"
    assert ended["labels"]["incident"] == incident
    assert ended["annotations"]["impact"].endswith("it is over.")
    assert (watcher.returncode, "Watching, and telling" in said) == (0, True)
