"""An incident of the ledger becomes one alert that says what, who, how much, since when, why; and is told once more when it is over."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from spanledger_collector.alerting.book import Alert, Book
from spanledger_collector.alerting.evaluation import evaluate
from spanledger_collector.alerting.rules import RULES
from spanledger_collector.alerting.texts import Links
from spanledger_collector.alerting.watcher import Watcher, Watching
from spanledger_collector.anomalies.incidents import Incident, write_incidents
from tests.collector.alerting.incident import INCIDENT, incident
from tests.ledger import Ledger

RULES_OF_INCIDENTS = [rule for rule in RULES if rule.query == "incidents"]


@pytest.fixture
def watcher(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watcher]:
    """A watcher that looks when it is told to. Incidents are written by hand: the detection would find no calls of theirs."""
    monkeypatch.setattr("spanledger_collector.alerting.watcher.detect", lambda *_: None)
    links = Links("http://ledger.example", "https://grafana.example", "https://runbooks.example")
    it = Watcher(ledger.database, Book(tmp_path / "alerts.sqlite"), Watching(3600, (), links))
    end = time.monotonic() + 180
    while not it.book.alerts() and time.monotonic() < end:  # its first look
        time.sleep(0.05)
    yield it
    it.close()


def known(ledger: Ledger, *incidents: Incident) -> None:
    write_incidents(ledger.client, list(incidents))


def of_incident(alerts: list[Alert]) -> list[Alert]:
    return [alert for alert in alerts if "incident" in alert.labels]


def fired(ledger: Ledger) -> list[tuple[str, str, float]]:
    findings, problems = evaluate(ledger.client, RULES_OF_INCIDENTS)
    assert problems == []
    return [(finding.rule.name, finding.labels["who"], finding.value) for finding in findings]


def test_an_open_incident_fires_by_its_severity(ledger: Ledger) -> None:
    known(ledger, incident(), incident(incident_id="0c", severity="warning", impact_usd=Decimal(3)))

    who = "tenant acme, team search, feature help, user ada, session s-1"
    assert fired(ledger) == [("SpendIncidentCritical", who, 12.4), ("SpendIncidentWarning", who, 3.0)]


@pytest.mark.parametrize(
    "changed",
    [{"severity": "info"}, {"status": "resolved", "resolved_at": datetime.now(UTC).replace(microsecond=0)}],
    ids=["info", "resolved"],
)
def test_an_incident_that_is_only_shown_or_over_does_not_fire(ledger: Ledger, changed: dict[str, Any]) -> None:
    known(ledger, incident(**changed))

    assert fired(ledger) == []


def test_its_alert_says_what_who_how_much_since_when_and_why(ledger: Ledger, watcher: Watcher) -> None:
    known(ledger, incident())
    watcher.look(time.time())

    (alert,) = of_incident(watcher.book.alerts())
    texts = {name: text for name, text in alert.annotations.items() if name != "since"}
    assert alert.labels == {
        "severity": "critical", "incident": INCIDENT, "class": "retry_loop", "tenant": "acme", "team": "search", "feature": "help",
        "model": "", "user": "ada", "session": "s-1", "who": "tenant acme, team search, feature help, user ada, session s-1",
    }  # fmt: skip
    assert texts == {
        "summary": "retry_loop: tenant acme, team search, feature help, user ada, session s-1 costs 12.40 USD more than expected.",
        "impact": "12.40 USD more than the 0.5000 USD expected; 24.80 USD an hour now.",
        "cause": "User ada repeats itself: up to 400 calls with one prompt in ten minutes.",
        "action": "Look at the example calls; then roll back, route, cap or kill.",
        "explained_by": "feature=search/help, user=ada",
        "drivers": "more calls +12.50 USD",
        "calls": "800",
        "traces": f"{'0a' * 16}, {'0b' * 16}",
        "deploy": "shop 1.4",
        "runbook_url": "https://runbooks.example/incidents.md#spend-incident-critical",
        "dashboard_url": f"https://grafana.example/d/spanledger-anomalies?var-incident={INCIDENT}",
        "generator_url": f"https://grafana.example/d/spanledger-anomalies?var-incident={INCIDENT}",
    }
    assert alert.annotations["since"].endswith(" UTC")


def test_it_is_told_again_when_its_impact_has_doubled(ledger: Ledger, watcher: Watcher) -> None:
    for impact in ("12.4", "24.7", "24.8"):
        # a later version of the same incident
        known(ledger, incident(impact_usd=Decimal(impact), updated_at=datetime.now(UTC).replace(microsecond=0)))
        watcher.look(time.time())
        time.sleep(1.1)

    assert [alert.notice for alert in of_incident(watcher.book.alerts())] == [2]


def test_when_it_is_over_the_end_is_told_at_once_with_the_final_impact(ledger: Ledger, watcher: Watcher) -> None:
    known(ledger, incident())
    watcher.look(time.time())
    time.sleep(1.1)
    now = datetime.now(UTC).replace(microsecond=0)
    known(
        ledger,
        replace(
            incident(),
            status="resolved",
            resolved_at=now,
            updated_at=now,
            impact_usd=Decimal("18.2"),
            actual_usd=Decimal("18.7"),
        ),
    )
    watcher.look(time.time())

    assert of_incident(watcher.book.alerts()) == []
    (alert,) = of_incident(watcher.book.alerts(resolved=True))
    assert alert.annotations["impact"] == "18.20 USD more than the 0.5000 USD expected; it is over."


def test_a_ledger_that_does_not_answer_ends_no_alert_and_is_told(
    ledger: Ledger, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(ledger, incident())
    watcher.look(time.time())

    def unreachable(_: str) -> Any:
        raise OSError("no route to the ledger")

    broken = replace(ledger.database, connect=unreachable)
    monkeypatch.setattr(watcher, "_database", broken)
    for seconds in range(0, 600, 60):
        watcher.look(time.time() + seconds)

    assert len(of_incident(watcher.book.alerts())) == 1
    failed = {alert.labels["rule"] for alert in watcher.book.alerts() if alert.rule == "RuleFailed"}
    assert {"SpendPerHour", "Watchdog"} <= failed
    watchdog = next(alert for alert in watcher.book.alerts() if alert.rule == "Watchdog")
    assert watchdog.seen_at < time.time() + 1


def test_what_waits_to_be_judged_is_known(ledger: Ledger) -> None:
    """Nothing is looked at meanwhile: a call seen twice would count twice."""
    from spanledger_collector.alerting.watcher import unjudged
    from tests.otlp import chat

    ledger.deliver(chat(time.time() - 60))
    with closing(ledger.database.client()) as client:
        before = unjudged(client)
        ledger.settle()
        time.sleep(6)  # a trace is due once more when the inserts of its time have ended
        ledger.settle()
        after = unjudged(client)

    assert (before, after) == (True, False)
