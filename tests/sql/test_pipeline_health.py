"""The view that tells how the pipeline fares, one signal a row."""

import time
from typing import Any

import pytest
from clickhouse_connect.driver.exceptions import ClickHouseError

from spanledger_collector.refresh import refresh
from tests.ledger import Ledger
from tests.otlp import chat


def health(ledger: Ledger) -> dict[str, Any]:
    return {row["signal"]: row["value"] for row in ledger.rows("select signal, value from pipeline_health")}


def test_an_empty_ledger_is_healthy_and_has_heard_of_nobody(ledger: Ledger) -> None:
    found = health(ledger)

    assert 0 <= found.pop("price_book_age") < 1
    assert {name: value for name, value in found.items() if value != 0} == {"silence": None}


def test_a_missing_number_of_a_process_is_a_lost_span(ledger: Ledger) -> None:
    start = time.time() - 1800
    numbered = [chat(start + number, extra={"spanledger.sequence": number}) for number in (5, 6, 8)]

    ledger.deliver(*numbered, resource={"service.name": "shop", "service.instance.id": "one"})

    assert health(ledger)["lost_spans"] == 1


def test_what_waits_and_what_was_kept_aside_shows(ledger: Ledger) -> None:
    start = time.time() - 1800

    ledger.deliver(chat(start), chat(start + 90 * 86400))

    found = health(ledger)
    assert (found["waiting_traces"], found["quarantined_spans"]) == (1, 1)
    assert 1700 < found["silence"] < 3000


def test_a_view_that_failed_shows_until_it_runs_again(ledger: Ledger) -> None:
    ledger.client.command("rename table cost_minutes to cost_minutes_away")
    with pytest.raises(ClickHouseError):
        refresh(ledger.client, "cost_minutes_mv")
    failed = ledger.rows(
        "select view from system.view_refreshes where database = currentDatabase() and exception != ''"
    )
    ledger.client.command("rename table cost_minutes_away to cost_minutes")

    refresh(ledger.client, "cost_minutes_mv")

    assert failed == [{"view": "cost_minutes_mv"}]
    assert health(ledger)["failed_refreshes"] == 0
