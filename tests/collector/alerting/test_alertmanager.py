"""`spanledger up` and a real Alertmanager: what is true arrives there, grouped and explained, whatever is killed in between."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.collector.alerting.alertmanager import Alertmanager
from tests.collector.alerting.receiving import Hook, wait_for
from tests.collector.cli.processes import Up, spanledger, up
from tests.otlp import SpanSpec, chat, request

pytestmark = pytest.mark.e2e

Start = Callable[..., Alertmanager]
USD_PER_MILLION_IN = 0.15


def spending(usd: float, team: str = "search", minutes: float = 10) -> list[SpanSpec]:
    """Calls of gpt-4o-mini that cost so much together, none of them too dear by itself."""
    calls = 20
    tokens = round(usd / calls / USD_PER_MILLION_IN * 1e6)
    tags = {"spanledger.team": team, "spanledger.feature": "help"}
    return [chat(time.time() - minutes * 60 - n, tokens=(tokens, 0), extra=tags) for n in range(calls)]


def deliver(running: Up, spans: list[SpanSpec]) -> None:
    body = request(spans).body
    answer = requests.post(
        f"{running.otlp_http_url}/v1/traces", body, headers={"content-type": "application/x-protobuf"}, timeout=120
    )
    assert answer.status_code == 200


def telling(alertmanager: Alertmanager, folder: Path) -> dict[str, str]:
    """The settings of an `up` that looks each second and holds back the end of an alert for three."""
    file = folder / "receivers.toml"
    file.write_text(f'[[alertmanager]]\nurl = "{alertmanager.url}"\nhold_seconds = 3\n')
    file.chmod(0o600)
    return {"SPANLEDGER_RECEIVERS": str(file), "SPANLEDGER_ALERT_SECONDS": "1"}


def test_an_alert_arrives_with_labels_and_texts_and_goes_on_to_on_call_in_one_message(
    alertmanager: Start, new_store: Callable[[], Path], tmp_path: Path
) -> None:
    with Hook() as oncall, Hook() as deadman:
        it = alertmanager(oncall=oncall, deadman=deadman)
        with up(new_store(), **telling(it, tmp_path)) as running:
            deliver(running, spending(150) + spending(170, "labs"))
            wait_for(lambda: len(oncall.alerts) >= 2)
            wait_for(lambda: deadman.alerts)

            (labs,) = it.alerts(alertname="SpendPerHour", team="labs")
            page = requests.get(labs["annotations"]["runbook_url"], timeout=10).text

    assert labs["labels"] == {"alertname": "SpendPerHour", "severity": "critical", "team": "labs", "feature": "help"}
    assert (
        labs["annotations"]["summary"] == "Feature help of team labs (tenant (not tagged)) spent 170.00 USD in an hour."
    )
    assert set(labs["annotations"]) == {"summary", "impact", "cause", "action", "runbook_url", "dashboard_url"}
    assert "## Spend per hour" in page
    assert {alert["labels"]["team"] for alert in oncall.messages[0]["alerts"]} == {"labs", "search"}
    assert {alert["labels"]["alertname"] for alert in deadman.alerts} == {"Watchdog"}


def test_an_alert_is_not_lost_while_alertmanager_is_away_and_the_collector_is_killed(
    alertmanager: Start, new_store: Callable[[], Path], tmp_path: Path
) -> None:
    store = new_store()
    with Hook() as oncall:
        it = alertmanager(oncall=oncall)
        it.stop()
        settings = telling(it, tmp_path)
        with up(store, **settings) as running:
            deliver(running, spending(150, minutes=10))
            wait_for(lambda: "SpendPerHour" in (told := listed(store)) and "has not been told of" in told)
            running.stop(signal.SIGKILL)
        waits = spanledger("alerts", "list", "--store", store).out
        it.start()
        with up(store, **settings):
            wait_for(lambda: oncall.alerts)

    assert "has not been told of" in waits
    assert [alert["labels"]["team"] for alert in oncall.alerts] == ["search"]


def test_an_alert_ends_in_alertmanager_when_its_cause_has_ended(
    alertmanager: Start, new_store: Callable[[], Path], tmp_path: Path
) -> None:
    def told() -> list[str]:
        return [alert["status"] for alert in chat_room.alerts if alert["labels"]["alertname"] == "UnpricedModel"]

    store = new_store()
    with Hook() as chat_room:
        it = alertmanager(chat=chat_room)
        with up(store, **telling(it, tmp_path)) as running:
            own = {"gen_ai.request.model": "own-7b", "gen_ai.response.model": "own-7b"}
            deliver(running, [chat(time.time() - 600, tokens=(200_000, 100), extra=own)])
            wait_for(lambda: "firing" in told())
            price = ("--price", "input=0.1", "--price", "output=0.2", "--yes", "--force")
            done = spanledger("prices", "set", "openai", "own-7b", *price, "--store", store)
            wait_for(lambda: "resolved" in told())

            assert done.code == 0, done.err
            assert it.alerts(alertname="UnpricedModel") == []

    assert told() == ["firing", "resolved"]


def test_on_call_is_told_again_when_the_money_has_doubled(
    alertmanager: Start, new_store: Callable[[], Path], tmp_path: Path
) -> None:
    with Hook() as oncall:
        it = alertmanager(oncall=oncall)
        with up(new_store(), **telling(it, tmp_path)) as running:
            deliver(running, spending(150))
            wait_for(lambda: oncall.messages)
            deliver(running, spending(160))
            wait_for(lambda: any("notice" in alert["labels"] for alert in oncall.alerts))

    again = next(alert for alert in oncall.alerts if alert["labels"].get("notice") == "2")
    assert "310.00 USD" in again["annotations"]["summary"]
    assert again["status"] == "firing"


def test_the_watchdog_falls_silent_in_alertmanager_when_the_collector_dies(
    alertmanager: Start, new_store: Callable[[], Path], tmp_path: Path
) -> None:
    it = alertmanager()
    with up(new_store(), **telling(it, tmp_path)) as running:
        wait_for(lambda: it.alerts(alertname="Watchdog"))
        running.stop(signal.SIGKILL)
        wait_for(lambda: not it.alerts(alertname="Watchdog"), 60)


def test_a_test_alert_arrives(alertmanager: Start) -> None:
    with Hook() as chat_hook:
        it = alertmanager(chat=chat_hook)
        told = spanledger("alerts", "test", "--alertmanager", it.url, "--webhook", chat_hook.url)

        assert [alert["labels"]["alertname"] for alert in it.alerts()] == ["SpanledgerTest"]

    assert told.code == 0
    assert told.out.count("told.") == 2


def listed(store: Path) -> str:
    return spanledger("alerts", "list", "--store", store).out
