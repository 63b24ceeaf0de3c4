"""`spanledger alerts thresholds`: the numbers at which the rules fire are the owner's."""

import json
from pathlib import Path

from tests.collector.cli.processes import spanledger, up


def test_a_threshold_is_set_while_the_collector_serves_listed_and_reset(tmp_path: Path) -> None:
    store = ("--store", str(tmp_path / "ledger"))

    with up(tmp_path / "ledger"):
        done = spanledger("alerts", "thresholds", "spend_usd_per_hour", "500", *store)
        listed = spanledger("alerts", "thresholds", "spend_usd_per_hour", "--json", *store)
        large = spanledger("alerts", "thresholds", "unpriced_tokens", "1234567", *store)
        spanledger("alerts", "thresholds", "unpriced_tokens", "--shipped", *store)
    reset = spanledger("alerts", "thresholds", "spend_usd_per_hour", "--shipped", *store)
    every = spanledger("alerts", "thresholds", "--json", *store)

    says = "USD of a feature of a team in an hour"
    assert (done.code, reset.code) == (0, 0), done
    assert "500" in done.out
    assert "1,234,567" in large.out
    assert json.loads(listed.out) == [{"threshold": "spend_usd_per_hour", "number": 500, "shipped": 100, "says": says}]
    assert [row for row in json.loads(every.out) if row["number"] != row["shipped"]] == []


def test_a_threshold_that_cannot_be_is_refused_in_words(tmp_path: Path) -> None:
    store = ("--store", str(tmp_path / "ledger"))

    wrong = [
        spanledger("alerts", "thresholds", *arguments, *store)
        for arguments in (
            ["spend_usd_per_our", "5"],
            ["call_usd", "0"],
            ["unknown_share", "5"],
            ["--shipped"],
            ["call_usd", "nan"],
        )
    ]

    assert [done.code for done in wrong] == [2] * 5
    assert "Did you mean spend_usd_per_hour" in wrong[0].sentence
    assert "0 is no number for call_usd (USD of one call): give one above 0" in wrong[1].sentence
    assert "up to 1" in wrong[2].sentence
    assert "--shipped needs the name" in wrong[3].sentence
    assert "nan is no number" in wrong[4].sentence
