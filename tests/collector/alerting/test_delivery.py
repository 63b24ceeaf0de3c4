"""Alerts reach webhooks: whatever the receiver answers, whenever it comes back, each independent of the others."""

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from spanledger_collector.alerting.book import Book
from spanledger_collector.alerting.delivery import Delivery, deliver
from spanledger_collector.alerting.evaluation import Finding
from spanledger_collector.alerting.receivers import Receiver
from spanledger_collector.alerting.rules import WATCHDOG, rule_named
from spanledger_collector.alerting.sending import alertmanager_alerts
from spanledger_collector.listening import Tls
from tests.collector.alerting.alertmanager import free_port
from tests.collector.alerting.receiving import Hook, wait_for
from tests.collector.test_doorway import certificate

__all__ = ["certificate"]

SPEND = rule_named("SpendPerHour")


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    opened = Book(tmp_path / "alerts.sqlite")
    yield opened
    opened.close()


def note(book: Book, now: float, *usd: float) -> None:
    texts = {"summary": "Much was spent.", "generator_url": "http://ledger.example/"}
    book.note([(Finding(SPEND, {"team": f"t{n}", "feature": ""}, value), texts) for n, value in enumerate(usd)], now)


def test_a_webhook_gets_what_alertmanager_would_send(book: Book) -> None:
    note(book, 0, 120.0, 130.0)
    with Hook() as hook:
        deliver(book, Receiver("webhook", hook.url, "oncall", token="s3cret-word"), 1, 60)
        note(book, 60)
        note(book, 120)
        deliver(book, Receiver("webhook", hook.url, "oncall", token="s3cret-word"), 121, 60)

    fired, resolved = hook.messages
    assert {name: fired[name] for name in fired if name != "alerts"} == {
        "version": "4",
        "groupKey": '{}:{alertname="SpendPerHour"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "oncall",
        "groupLabels": {"alertname": "SpendPerHour"},
        "commonLabels": {"alertname": "SpendPerHour", "severity": "critical"},
        "commonAnnotations": {"summary": "Much was spent."},
        "externalURL": "http://ledger.example/",
    }
    first = fired["alerts"][0]
    assert {name: first[name] for name in first if name != "fingerprint"} == {
        "status": "firing",
        "labels": {"alertname": "SpendPerHour", "severity": "critical", "team": "t0"},
        "annotations": {"summary": "Much was spent."},
        "startsAt": "1970-01-01T00:00:00.000Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://ledger.example/",
    }
    assert resolved["status"] == "resolved"
    assert [alert["endsAt"] for alert in resolved["alerts"]] == ["1970-01-01T00:02:00.000Z"] * 2
    assert [alert["fingerprint"] for alert in resolved["alerts"]] == [alert["fingerprint"] for alert in fired["alerts"]]
    assert hook.headers[0]["Authorization"] == "Bearer s3cret-word"


def test_a_receiver_that_is_away_is_told_when_it_is_back(book: Book, caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    receiver = Receiver("webhook", f"http://127.0.0.1:{port}/hook?key=s3cret-word")
    note(book, time.time(), 120.0)
    delivery = Delivery(book, [receiver], 60)
    try:
        wait_for(lambda: book.failures(receiver.name)[0] >= 2)
        with Hook(port=port) as hook:
            wait_for(lambda: hook.alerts)
    finally:
        delivery.close()

    assert [alert["labels"]["team"] for alert in hook.alerts] == ["t0"]
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        f"webhook 127.0.0.1:{port} was not told of 1 alerts, attempt 1: It cannot be reached."
    ]
    assert "s3cret-word" not in caplog.text


def test_a_pause_that_a_wrong_clock_noted_is_not_waited_for(book: Book) -> None:
    note(book, 0, 120.0)
    with Hook(503) as hook:
        receiver = Receiver("webhook", hook.url)
        deliver(book, receiver, 1e9, 60)
        hook.status = 200
        deliver(book, receiver, 10, 60)

    assert len(hook.alerts) == 1


def test_an_alert_of_a_clock_that_was_ahead_does_not_end_before_it_began(book: Book) -> None:
    note(book, 1e9, 120.0)
    (alert,) = alertmanager_alerts(book.alerts(), 10, 240)

    assert alert["startsAt"] <= alert["endsAt"] == "1970-01-01T00:04:10.000Z"


@pytest.mark.parametrize("status", [301, 400, 401, 404, 429, 500, 503])
def test_a_receiver_that_refuses_is_tried_again_later_and_later(book: Book, status: int) -> None:
    note(book, 0, 120.0)
    patience = []
    with Hook(status) as hook:
        receiver, now = Receiver("webhook", hook.url), 0.0
        for _ in range(12):
            deliver(book, receiver, now, 60)
            _, retry_at = book.failures(receiver.name)
            deliver(book, receiver, retry_at - 0.001, 60)
            patience.append(retry_at - now)
            now = retry_at
        refused = hook.refused
        hook.status = 200
        deliver(book, receiver, now, 60)

    assert refused == 12
    most = 60 if status in (400, 404) else 300  # who refuses a message is there, and may take the next
    expected = [min(seconds, most) for seconds in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)]
    assert all(0.5 * least <= seconds <= least for seconds, least in zip(patience, expected, strict=True))
    assert len(hook.alerts) == 1
    assert book.failures(receiver.name) == (0, 0.0)


def test_a_message_that_is_refused_holds_no_other_of_the_round(book: Book) -> None:
    calls = rule_named("SpendPerCall")
    book.note([(Finding(rule, {"team": "search"}, 1.0), {}) for rule in (calls, SPEND)], 0)
    with Hook() as hook:
        receiver = Receiver("webhook", hook.url)
        hook.refuses = calls.name.encode()  # it is the first
        deliver(book, receiver, 0, 60)
        refused, told = hook.refused, [alert["labels"]["alertname"] for alert in hook.alerts]
        waits = [place.reason for place in book.waiting()]
        hook.refuses = b""
        deliver(book, receiver, 10, 60)

    assert (refused, told, waits) == (1, [SPEND.name], ["It answered with HTTP status 400."])
    assert [alert["labels"]["alertname"] for alert in hook.alerts] == [SPEND.name, calls.name]


@pytest.mark.parametrize("status", [302, 401, 403, 429, 500, 503])
def test_a_receiver_that_takes_nothing_is_not_asked_for_each_message(book: Book, status: int) -> None:
    book.note([(Finding(rule_named(name), {}, 1.0), {}) for name in ("SpendPerCall", "SpendPerHour")], 0)
    with Hook(status) as hook:
        deliver(book, Receiver("webhook", hook.url), 0, 60)

    assert hook.refused == 1


def test_a_slow_receiver_keeps_no_other_from_being_told(book: Book) -> None:
    note(book, time.time(), 120.0)
    with Hook(stall_seconds=3) as slow, Hook() as quick:
        delivery = Delivery(
            book,
            [Receiver("webhook", slow.url, "slow", timeout_seconds=1), Receiver("webhook", quick.url, "quick")],
            60,
        )
        wait_for(lambda: quick.alerts)
        wait_for(lambda: book.failures("slow")[0])
        delivery.close()

    assert [place.reason for place in book.waiting() if place.failures] == ["It did not answer in time."]


def test_a_server_whose_certificate_nobody_trusts_is_not_told(book: Book, certificate: Tls) -> None:
    note(book, 0, 120.0)
    with Hook(tls=certificate) as hook:
        deliver(book, Receiver("webhook", hook.url, "stranger"), 0, 60)
        deliver(book, Receiver("webhook", hook.url, "friend", ca=str(certificate.certificate)), 0, 60)

    assert "certificate is not trusted" in book.waiting()[1].reason
    assert len(hook.alerts) == 1


def test_a_heartbeat_beats_at_each_interval_and_stops_with_the_evaluations(book: Book) -> None:
    book.note([(Finding(WATCHDOG, {}, 1), {})], 0)
    with Hook() as hook:
        receiver = Receiver("heartbeat", hook.url)
        for now in (0, 30, 60, 120, 239, 240, 300, 600):
            deliver(book, receiver, now, 60)

    assert len(hook.messages) == 4  # at 0, 60, 120 and 239; from 240 on, a watcher that looked last at 0 is dead
    assert {alert["labels"]["alertname"] for alert in hook.alerts} == {"Watchdog"}


def test_many_alerts_go_in_a_few_requests(book: Book) -> None:
    note(book, 0, *[120.0] * 450)
    with Hook() as hook:
        deliver(book, Receiver("webhook", hook.url), 0, 60)

    assert [len(message["alerts"]) for message in hook.messages] == [200, 200, 50]
    assert json.dumps(hook.messages[0])
