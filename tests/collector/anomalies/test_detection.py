"""From spans to incidents: what fires, what it says, and that a pass can be run again."""

import random
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from spanledger_collector.anomalies import detect, say
from tests.collector.anomalies.history import NOW, NOW_SECONDS, cell, history
from tests.ledger import Ledger, only
from tests.otlp import SpanSpec, chat
from tests.sql.landing import land

HOUR = 3600


def call(at: float, **extra: str | int) -> SpanSpec:
    names = {
        "tenant": "spanledger.tenant",
        "team": "spanledger.team",
        "feature": "spanledger.feature",
        "user": "user.id",
    }
    names |= {"session": "session.id", "prompt": "spanledger.prompt.fingerprint"}
    return chat(at, extra={names[name]: value for name, value in extra.items()})


def usual(now: float, days: int = 4) -> list[SpanSpec]:
    """Return calls of three tenants and many users, eight an hour."""
    dice = random.Random(7)
    return [
        call(
            now - hour * HOUR - dice.uniform(600, HOUR),
            tenant=dice.choice("abc"),
            team="support",
            feature=dice.choice(["chat", "search"]),
            user=f"u{dice.randrange(9)}",
            prompt=f"{dice.getrandbits(60):016x}",
        )
        for hour in range(days * 24)
        for _ in range(8)
    ]


def test_a_session_that_repeats_its_prompt_is_found_with_who_where_how_much_and_traces(ledger: Ledger) -> None:
    now = float(NOW_SECONDS)  # the end of ten minutes, so that the loop is in one of them
    land(ledger, usual(now))
    loop = [
        call(
            now - 2 * n,
            tenant="a",
            team="support",
            feature="chat",
            user="mallory",
            session="s1",
            prompt="00000000000000ab",
        )
        for n in range(300)
    ]
    land(ledger, loop)
    ledger.settle()

    done = detect(ledger.database, datetime.fromtimestamp(now, UTC))

    incident = only(ledger.rows("select * from anomalies"))
    assert [found.incident_id for found in done.opened] == [incident["incident_id"]]
    assert (incident["class"], incident["status"], incident["severity"]) == ("retry_loop", "open", "critical")
    place = {name: incident[name] for name in ("tenant", "team", "feature", "user", "session")}
    assert place == {"tenant": "a", "team": "support", "feature": "chat", "user": "mallory", "session": "s1"}
    assert "session s1 repeats itself" in incident["cause"]
    assert incident["actual_usd"] == 300 * Decimal("0.00021")
    assert (
        sum(incident["effects"].values()) == incident["impact_usd"] == incident["actual_usd"] - incident["expected_usd"]
    )
    assert set(incident["trace_ids"]) <= {span.trace_id for span in loop}
    assert len(incident["trace_ids"]) == 5


def test_usual_calls_open_nothing(ledger: Ledger) -> None:
    now = time.time()
    land(ledger, usual(now))
    ledger.settle()

    detect(ledger.database, datetime.fromtimestamp(now, UTC))

    assert ledger.rows("select * from anomalies") == []


def test_a_ledger_without_calls_has_no_incidents(ledger: Ledger) -> None:
    done = detect(ledger.database)

    assert (done.opened, done.changed, done.resolved) == ((), (), ())


def test_a_second_pass_at_the_same_time_changes_nothing(ledger: Ledger) -> None:
    history(ledger, lambda ago: cell(price=10 if ago < 6 else 1))
    detect(ledger.database, NOW)
    before = ledger.rows("select * from incidents")

    again = detect(ledger.database, NOW)

    assert (again.opened, again.changed, again.resolved) == ((), (), ())
    assert ledger.rows("select * from incidents") == before
    assert only(before)["status"] == "open"


def test_what_was_expected_is_closed_and_not_told_again_unless_it_is_worse(ledger: Ledger) -> None:
    history(ledger, lambda ago: cell(price=10 if ago < 6 else 1))
    found = only([vars(incident) for incident in detect(ledger.database, NOW).opened])
    say(ledger.client, found["incident_id"], "expected", said_by="ana")

    done = detect(ledger.database, NOW + timedelta(seconds=1))

    assert [incident.incident_id for incident in done.resolved] == [found["incident_id"]]
    assert done.opened == ()
    history(ledger, lambda ago: cell(price=60 if ago < 6 else 1))
    ledger.client.command("truncate table series_references")
    assert len(detect(ledger.database, NOW + timedelta(seconds=2)).opened) == 1
