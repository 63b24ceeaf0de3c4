"""One incident for what shares a driver, two for what does not, whoever saw it first."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from spanledger_collector.anomalies import detect
from tests.collector.anomalies.history import NOW, Cell, cell, history
from tests.ledger import Ledger, only

DAYS = 5
USERS = 50
COLLAPSED = 14  # ten minutes, until now
INCIDENTS = """
select incident_id, status, class, feature, model, user, cause, impact_usd, arraySum(mapValues(effects)) as by_driver
from anomalies order by detected_at, class"""


def incidents(ledger: Ledger) -> list[dict[str, Any]]:
    rows = ledger.rows(INCIDENTS)
    assert all(row["by_driver"] == row["impact_usd"] for row in rows if row["status"] == "open")
    return rows


def collapsing(calls: int, *, last: int = COLLAPSED, **who: Any) -> Callable[[int], Cell]:
    """Return calls whose prompts are no longer read from the cache."""
    return lambda ago: cell(calls, size=20_000, cached=0 if ago < last else 0.5, **who)


def dearer(feature: str) -> Callable[[int], Cell]:
    """Return calls of a feature whose model costs four times as much now."""
    return lambda ago: cell(price=4 if ago < 6 else 1, feature=feature)


def actors(ledger: Ledger, first: int, *, last: int = COLLAPSED) -> None:
    """Insert the same calls by user, from the first of 50 on."""
    for number in range(first, USERS):
        who: dict[str, Any] = {"part": "actor", "team": "", "feature": "", "user": f"u{number}"}
        history(ledger, collapsing(2, last=last, **who), DAYS)


def look(ledger: Ledger, seconds: int = 0) -> None:
    ledger.client.command("truncate table series_references")
    detect(ledger.database, NOW + timedelta(seconds=seconds))


def test_a_cache_collapse_over_fifty_users_is_one_incident_and_a_loop_of_one_of_them_another(ledger: Ledger) -> None:
    history(ledger, collapsing(100), DAYS)
    actors(ledger, 0)
    look(ledger)

    found = only(incidents(ledger))
    assert (found["class"], found["feature"], found["user"]) == ("cache_collapse", "chat", "")
    assert ledger.row("select length(series) as n from incidents final") == {"n": USERS + 4}

    loop: dict[str, Any] = {"part": "actor", "team": "", "feature": "", "user": "u7", "session_calls_max": 400}
    history(ledger, lambda ago: cell(402, size=20_000, cached=0, **loop) if ago < 1 else None, DAYS)
    look(ledger, 1)

    assert [(row["class"], row["user"]) for row in incidents(ledger)] == [("cache_collapse", ""), ("retry_loop", "u7")]


def test_a_user_who_also_calls_more_is_part_of_a_price_that_is_wrong(ledger: Ledger) -> None:
    who: dict[str, Any] = {"part": "actor", "team": "", "feature": "", "user": "u7"}
    history(ledger, lambda ago: cell(price=10 if ago < 2 else 1), DAYS)
    history(
        ledger, lambda ago: cell(18, price=10, **who) if ago < 2 else cell(2, **who) if ago % 36 == 0 else None, DAYS
    )
    look(ledger)

    assert only(incidents(ledger))["class"] == "wrong_price"


def test_what_was_seen_of_two_users_first_goes_on_as_the_incident_of_their_feature(ledger: Ledger) -> None:
    history(ledger, collapsing(100, last=0), DAYS)
    actors(ledger, USERS - 2)
    look(ledger)
    early = incidents(ledger)
    history(ledger, collapsing(100), DAYS)
    actors(ledger, 0)
    look(ledger, 1)

    first, part = sorted(incidents(ledger), key=lambda row: row["status"])
    assert {row["user"] for row in early} == {"u48", "u49"}
    assert {first["incident_id"], part["incident_id"]} == {row["incident_id"] for row in early}
    assert (first["status"], first["class"], first["feature"], first["user"]) == ("open", "cache_collapse", "chat", "")
    assert (part["status"], part["cause"].partition(":")[0]) == ("resolved", f"Part of {first['incident_id']}")
    assert ledger.row("select notify_level > 3 as again from anomalies where status = 'open'") == {"again": 1}


def test_calls_that_another_model_took_over_are_a_switch(ledger: Ledger) -> None:
    history(ledger, lambda ago: cell(5 if ago < 6 else 20), DAYS)
    history(ledger, lambda ago: cell(15, price=10, model="gpt-5-pro") if ago < 6 else None, DAYS)
    look(ledger)

    assert only(incidents(ledger))["class"] == "model_switch"


def test_more_calls_of_a_dear_model_are_no_switch(ledger: Ledger) -> None:
    history(ledger, lambda _: cell(100), DAYS)
    history(ledger, lambda ago: cell(60 if ago < 7 else 2, price=10, model="gpt-5-pro", feature="report"), DAYS)
    look(ledger)

    found = only(incidents(ledger))
    assert (found["class"], found["feature"]) == ("abuse", "report")
    assert "mostly by more calls" in found["cause"]


def test_more_calls_without_a_cache_are_no_collapse_of_it(ledger: Ledger) -> None:
    history(ledger, lambda _: cell(20, size=20_000, cached=0.99), DAYS)
    history(ledger, lambda ago: cell(600 if ago < 7 else 20, cached=0, model="gpt-5-mini", feature="search"), DAYS)
    look(ledger)

    found = only(incidents(ledger))
    assert (found["class"], found["feature"]) == ("spike", "search")


def test_two_that_have_nothing_in_common_are_two(ledger: Ledger) -> None:
    history(ledger, collapsing(100), DAYS)
    other: dict[str, Any] = {"tenant": "globex", "team": "sales", "feature": "search"}
    history(ledger, lambda ago: cell(600 if ago < 6 else 60, size=20_000, **other), DAYS)
    look(ledger)

    classes = {row["feature"]: row["class"] for row in incidents(ledger)}
    assert len(incidents(ledger)) == 2
    assert classes["chat"] == "cache_collapse" != classes["search"]


def test_another_price_of_a_model_in_ten_features_is_one(ledger: Ledger) -> None:
    for number in range(10):
        history(ledger, dearer(f"f{number}"), DAYS)
    history(ledger, lambda _: cell(100, model="gpt-4o", feature="f0"), DAYS)
    look(ledger)

    found = only(incidents(ledger))
    assert (found["class"], found["model"]) == ("wrong_price", "gpt-5")
