"""`spanledger demo --incident`: what goes wrong reaches an Alertmanager with cause, money, actor, runbook; quiet traffic wakes nobody."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from spanledger_collector.demo.habits import HABITS, INCIDENTS, live_jobs
from spanledger_collector.demo.history import history
from tests.collector.alerting.alertmanager import Alertmanager
from tests.collector.alerting.conftest import alertmanager, alertmanager_program
from tests.collector.cli.processes import environment
from tests.ledger import Ledger

__all__ = ["alertmanager", "alertmanager_program"]

SECONDS = 400
# class, who it is about (labels), which driver moved the cost
EXPECTED = {
    "retry-loop": (
        "retry_loop",
        {"team": "engineering", "feature": "code-review", "user": "alex@acme.example", "session": "pr-4711"},
        "more calls",
    ),
    "context-leak": ("context_leak", {"team": "engineering", "feature": "code-review"}, "more tokens a call"),
    "wrong-price": ("wrong_price", {"team": "support", "feature": "support-chat"}, "higher prices"),
    "cache-collapse": ("cache_collapse", {"team": "content", "feature": "trip-summary"}, "less from the cache"),
    "leaked-key": ("abuse", {"tenant": "globex", "user": "bela@globex.example"}, "more calls"),
}


def demo(incident: str, store: Path, url: str) -> str:
    command = [sys.executable, "-m", "spanledger_collector", "demo", "--incident", incident, "--store", str(store)]
    done = subprocess.run(
        [*command, "--alertmanager", url],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.e2e
@pytest.mark.parametrize("incident", EXPECTED)
def test_an_incident_reaches_alertmanager_with_cause_money_actor_and_runbook(
    alertmanager: Callable[..., Alertmanager], tmp_path: Path, incident: str
) -> None:
    it = alertmanager()

    told = demo(incident, tmp_path / "ledger", it.url)

    class_, labels, driver = EXPECTED[incident]
    found = [alert for alert in it.alerts() if alert["labels"]["alertname"].startswith("SpendIncident")]
    assert len(found) == 1, found
    (alert,) = found
    assert alert["labels"]["class"] == class_
    assert labels.items() <= alert["labels"].items()
    assert alert["annotations"]["drivers"].startswith(driver)
    assert re.match(
        r"[\d.,]+ USD more than the [\d.,]+ USD expected; [\d.,]+ USD an hour now\.", alert["annotations"]["impact"]
    )
    assert re.search(r"/runbooks/incidents\.md#spend-incident-(critical|warning)$", alert["annotations"]["runbook_url"])
    assert alert["annotations"]["cause"] in told
    assert f"anomalies list --store {tmp_path / 'ledger'}" in told


@pytest.mark.e2e
def test_quiet_traffic_wakes_nobody(alertmanager: Callable[..., Alertmanager], tmp_path: Path) -> None:
    it = alertmanager()

    told = demo("none", tmp_path / "ledger", it.url)

    assert "Nobody was woken." in told
    assert {alert["labels"]["alertname"] for alert in it.alerts()} == {"Watchdog"}


def test_each_incident_of_the_command_has_its_jobs_and_its_expectation() -> None:
    from spanledger_collector.cli.demo import Incident

    assert {incident.value for incident in Incident} == set(INCIDENTS) == {*EXPECTED, "none"}


@pytest.mark.parametrize("incident", INCIDENTS)
def test_the_same_seed_makes_the_same_jobs(incident: str) -> None:
    assert live_jobs(incident, 1) == live_jobs(incident, 1)
    assert live_jobs(incident, 1) != live_jobs(incident, 2)


def test_the_replayed_week_is_booked_with_the_tags_and_tokens_of_its_habits(ledger: Ledger, recently: float) -> None:
    ledger.deliver_requests(*history("demo-company", "demo", days=1, until=recently, seed=1))
    ledger.settle()

    rows = ledger.rows(
        "select team, feature, model, completeness, count() > 200 as many, min(input_tokens - uncached_input_tokens) as cached, "
        "count(distinct user) as users from calls group by all order by feature"
    )
    assert [
        (row["team"], row["feature"], row["model"], row["completeness"], row["many"], row["users"]) for row in rows
    ] == [
        (habit.feature.team, habit.feature.name, habit.model, "priced", 1, len(habit.people))
        for habit in sorted(HABITS, key=lambda habit: habit.feature.name)
    ]
    assert [row["cached"] for row in rows] == [0, 0, 60_000]
