"""What becomes of an incident: planned, it is none; late calls add to it; it ends with a final sum; a corrected price takes it back."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from spanledger_collector.anomalies import detect, plan
from spanledger_collector.prices import Override, set_override
from tests.collector.anomalies.history import NOW, NOW_SECONDS, cell, history
from tests.collector.anomalies.test_detection import call, usual
from tests.ledger import Ledger, only
from tests.otlp import SpanSpec
from tests.sql.landing import land

HOUR = timedelta(hours=1)


def loop(first: float, count: int) -> list[SpanSpec]:
    """Return calls of one session, a second apart."""
    who = {"tenant": "a", "team": "support", "feature": "chat", "user": "mallory", "session": "s1"}
    return [call(first + number, **who, prompt="00000000000000ab") for number in range(count)]


def dearer(ledger: Ledger, tenant: str, feature: str) -> None:
    history(ledger, lambda ago: cell(price=10 if ago < 6 else 1, tenant=tenant, feature=feature))


def test_what_is_planned_is_quiet_in_its_place_and_time_and_nowhere_else(ledger: Ledger) -> None:
    dearer(ledger, "acme", "chat")
    plan(ledger.client, NOW - 9 * HOUR, NOW - HOUR, "tenant", "acme", planned_by="ana", note="is over")
    plan(ledger.client, NOW + HOUR, NOW + 9 * HOUR, "tenant", "acme", planned_by="ana", note="is yet to come")
    plan(ledger.client, NOW - HOUR, NOW + HOUR, "tenant", "globex", planned_by="ana", note="is elsewhere")
    assert only([vars(found) for found in detect(ledger.database, NOW).opened])["class_"] == "wrong_price"

    ledger.client.command("truncate table incidents")
    plan(ledger.client, NOW - HOUR, NOW + HOUR, "tenant", "acme", planned_by="ana", note="a launch")
    assert detect(ledger.database, NOW).opened == ()

    dearer(ledger, "initech", "search")
    ledger.client.command("truncate table series_references")
    opened = detect(ledger.database, NOW).opened
    assert [incident.place.feature for incident in opened] == ["search"]


def test_calls_that_arrive_hours_late_are_in_the_sums_of_their_incident(ledger: Ledger) -> None:
    then = NOW - 3 * HOUR
    calls = loop(then.timestamp() - 599, 600)
    land(ledger, usual(NOW_SECONDS))
    land(ledger, calls[::2])
    ledger.settle()
    found = only([vars(incident) for incident in detect(ledger.database, then).opened])

    land(ledger, calls[1::2])
    ledger.settle()
    detect(ledger.database, NOW)

    incident = ledger.row("select actual_usd as usd, i.calls as n from anomalies as i")
    truth = ledger.row(
        "with (select any((started_at, scope)) from incidents final) as it "
        "select sum(cost_usd) as usd, count() as n from calls as c where c.ts >= it.1 and (it.2.tenant in ('', c.tenant)) "
        "and it.2.feature in ('', c.feature) and it.2.user in ('', c.user)"
    )
    assert (found["calls"], found["actual_usd"]) == (300, 300 * Decimal("0.00021"))
    assert incident == truth
    assert incident["n"] >= 600


def test_an_incident_that_is_over_keeps_its_final_impact(ledger: Ledger) -> None:
    history(ledger, lambda ago: cell(price=4 if 12 <= ago < 24 else 1))
    opened = only([vars(incident) for incident in detect(ledger.database, NOW - 2 * HOUR).opened])

    done = detect(ledger.database, NOW - HOUR)

    incident = ledger.row("select * from anomalies")
    assert [found.incident_id for found in done.resolved] == [opened["incident_id"]]
    assert (incident["status"], incident["resolved_at"]) == ("resolved", (NOW - HOUR).replace(tzinfo=None))
    assert incident["impact_usd"] == incident["actual_usd"] - incident["expected_usd"]
    assert abs(incident["impact_usd"] - 3 * 12 * cell()["known_usd"]) < Decimal("1e-12")
    assert sum(incident["effects"].values()) == incident["impact_usd"]


def test_an_incident_of_a_wrong_price_is_closed_when_the_price_is_corrected(ledger: Ledger) -> None:
    who = {"tenant": "acme", "team": "support", "feature": "chat"}
    usual_price = Decimal("0.075")  # what gpt-4o-mini costs, of the prices of `cell`
    history(ledger, lambda ago: cell(100, cached=0, price=usual_price, model="gpt-4o-mini") if ago >= 6 else None)
    land(ledger, [call(NOW_SECONDS - 6 * number - 1, **who) for number in range(600)])
    wrong = {"input_usd_per_token": Decimal("0.00000075"), "output_usd_per_token": Decimal("0.000003")}
    since = datetime.fromtimestamp(NOW_SECONDS // 900 * 900 - 2 * 3600, UTC)
    try:
        set_override(ledger.client, Override("openai", "gpt-4o-mini", wrong, valid_from=since))
        ledger.settle()
        opened = only([vars(incident) for incident in detect(ledger.database, NOW).opened])
    finally:
        set_override(ledger.client, Override("openai", "gpt-4o-mini", {}, valid_from=since))
    ledger.settle()

    detect(ledger.database, NOW + timedelta(seconds=1))

    incident = ledger.row("select class, status, impact_usd from anomalies")
    assert (incident["class"], incident["status"]) == ("wrong_price", "resolved")
    assert abs(incident["impact_usd"]) < opened["impact_usd"] / 100
