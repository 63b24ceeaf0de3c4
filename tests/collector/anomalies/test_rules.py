"""Each rule fires, and stays quiet just below its threshold."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from spanledger_collector.anomalies import PRESETS, chosen_preset
from spanledger_collector.anomalies.signals import read_thresholds, signals_at
from spanledger_collector.exceptions import UsageError
from tests.collector.anomalies.history import NOW, cell, history
from tests.ledger import Ledger

HOUR, DAY = 6, 144
Figures = dict[str, Any]


def firing(ledger: Ledger, of: Callable[[int], Figures | None], days: int = 10) -> set[str]:
    """Return the rules that fire for the whole ledger, with a history."""
    history(ledger, of, days)
    thresholds = read_thresholds(ledger.client, "balanced", NOW)
    return {signal.rule for signal in signals_at(ledger.client, NOW, thresholds) if signal.dimension == "all"}


def lately(buckets: int, **more: Any) -> Callable[[int], Figures]:
    """Return usual ten minutes, and others lately."""
    return lambda ago: cell(**more) if ago < buckets else cell()


def prompted(buckets: int, chars: int, prompt: int) -> Callable[[int], Figures]:
    def of(ago: int) -> Figures:
        now = ago < buckets
        size = 1000 + (chars - 2000) // 4 if now else 1000
        known = {"measured_calls": 20, "system_chars": 20 * (chars if now else 2000), "system_fingerprint_calls": 20}
        return cell(size=size, **known, system_fingerprint=prompt if now else 7)

    return of


def creeping(percent: float) -> Callable[[int], Figures]:
    return lambda ago: cell(200, size=round(3000 * (1 + percent / 100) ** -(ago // DAY)))


# What fires, and what does just not; with 20 calls in each ten minutes.
CASES: list[tuple[str, Callable[[int], Figures | None], Callable[[int], Figures | None]]] = [
    ("spike", lately(HOUR + 1, calls=70), lately(HOUR + 1, calls=60)),
    ("sustained", lately(38, calls=70), lately(38, calls=62)),
    ("price", lately(HOUR + 1, price=Decimal("2.4")), lately(HOUR + 1, price=Decimal("2.2"))),
    ("tokens_6h", lately(38, size=2000), lately(38, size=1850)),
    ("tokens_24h", lately(DAY + 2, size=1600), lately(DAY + 2, size=1400)),
    ("cache", lately(HOUR + 1, cached=0.35), lately(HOUR + 1, cached=0.42)),
    ("unit_cost", lately(DAY + 2, price=3), lately(DAY + 2, price=2)),
    ("creep", creeping(3), creeping(1)),
    ("repeats", lately(2, repeated_calls=18), lately(2, repeated_calls=11)),
    ("session", lately(2, session_calls_max=40), lately(2, session_calls_max=29)),
    ("retries", lately(HOUR + 1, attempts=36), lately(HOUR + 1, attempts=32)),
    ("huge_call", lately(1, largest_usd=cell()["largest_usd"] * 11), lately(1, largest_usd=cell()["largest_usd"] * 9)),
    ("prompt", prompted(HOUR, 3000, 8), prompted(HOUR, 2300, 8)),
    ("lost_traffic", lately(38, calls=1), lately(38, calls=4)),
]


@pytest.mark.parametrize(("rule", "above", "below"), CASES, ids=[case[0] for case in CASES])
def test_a_rule_fires_above_its_threshold_and_not_below(
    ledger: Ledger, rule: str, above: Callable[[int], Figures], below: Callable[[int], Figures]
) -> None:
    fired = firing(ledger, above)
    ledger.empty()

    quiet = firing(ledger, below)

    assert rule in fired
    assert rule not in quiet


def test_a_cache_that_collapses_is_found_in_a_quiet_hour_too(ledger: Ledger) -> None:
    assert "cache" in firing(ledger, lately(HOUR + 1, calls=2, cached=0))


def test_a_dearer_model_is_found_in_a_quiet_hour_too(ledger: Ledger) -> None:
    assert "price" in firing(ledger, lately(HOUR + 1, calls=2, price=5))


def test_a_dearer_model_is_found_in_a_series_of_ten_calls_an_hour(ledger: Ledger) -> None:
    assert "price" in firing(ledger, lambda ago: cell(calls=2, price=5 if ago <= HOUR else 1))


def test_few_calls_that_are_dearer_may_be_chance(ledger: Ledger) -> None:
    assert "price" not in firing(ledger, lately(HOUR + 1, calls=2, price=Decimal("2.5")))


def test_longer_answers_are_no_dearer_model(ledger: Ledger) -> None:
    fired = firing(ledger, lately(HOUR + 1, answer=3000))

    assert "spike" in fired
    assert "price" not in fired


def test_few_calls_that_miss_the_cache_may_be_chance(ledger: Ledger) -> None:
    assert "cache" not in firing(ledger, lately(HOUR + 1, calls=2, cached=0.35))


def test_a_longer_prompt_that_is_not_new_is_no_proof(ledger: Ledger) -> None:
    assert "prompt" not in firing(ledger, prompted(HOUR, 3000, 7))


def test_a_moment_is_not_enough_unless_it_is_twice_as_much(ledger: Ledger) -> None:
    once = firing(ledger, lambda ago: cell(calls=340) if ago == 0 else cell())
    ledger.empty()

    twice_as_much = firing(ledger, lambda ago: cell(calls=700) if ago == 0 else cell())

    assert "spike" not in once
    assert "spike" in twice_as_much


def test_without_a_past_only_what_proves_itself_fires(ledger: Ledger) -> None:
    loop = {"calls": 200, "price": 30, "repeated_calls": 190, "session_calls_max": 200}

    assert firing(ledger, lambda ago: cell(**loop) if ago < HOUR else cell(), days=1) == {"repeats", "session"}


def test_without_any_past_a_loop_of_one_prompt_is_found(ledger: Ledger) -> None:
    history(ledger, lambda ago: cell(calls=90, repeated_calls=85) if ago < 2 else None, days=1)
    thresholds = read_thresholds(ledger.client, "balanced", NOW)

    assert {signal.rule for signal in signals_at(ledger.client, NOW, thresholds)} == {"repeats"}


def test_calls_of_unknown_cost_fire_no_rule_of_money(ledger: Ledger) -> None:
    nothing = {name: 0 for name in cell() if name.endswith(("_usd", "_tokens"))}

    fired = firing(
        ledger, lambda ago: cell() | nothing | {"priced_calls": 0, "unknown_calls": 20} if ago < HOUR + 1 else cell()
    )

    assert fired == set()


def test_a_series_is_told_by_each_of_its_dimensions(ledger: Ledger) -> None:
    history(ledger, lately(HOUR + 1, price=5))
    thresholds = read_thresholds(ledger.client, "balanced", NOW)

    fired = {
        (signal.dimension, signal.names)
        for signal in signals_at(ledger.client, NOW, thresholds)
        if signal.rule == "price"
    }

    assert fired == {
        ("all", ("",)),
        ("tenant", ("acme",)),
        ("feature", ("support", "chat")),
        ("model", ("openai", "gpt-5")),
    }


def test_an_incident_starts_with_the_first_ten_minutes_that_are_out_of_line(ledger: Ledger) -> None:
    history(ledger, lately(3, price=9))
    thresholds = read_thresholds(ledger.client, "balanced", NOW)

    signal = next(signal for signal in signals_at(ledger.client, NOW, thresholds) if signal.rule == "price")

    assert signal.started_at == NOW + timedelta(seconds=1) - timedelta(minutes=30)


def test_presets_are_ordered_and_an_owner_may_set_a_threshold(ledger: Ledger) -> None:
    quiet, balanced, sensitive = (read_thresholds(ledger.client, preset, NOW) for preset in PRESETS)

    for rule, threshold in balanced.rules.items():
        assert quiet.rules[rule] >= threshold >= sensitive.rules[rule], rule
    try:
        ledger.client.command(
            "insert into anomaly_thresholds (preset, rule, threshold, origin) values ('balanced', 'spike', 9, 'user')"
        )
        assert read_thresholds(ledger.client, "balanced", NOW).rules["spike"] == 9
    finally:
        ledger.client.command("delete from anomaly_thresholds where origin = 'user'")


def test_the_floor_follows_what_is_spent(ledger: Ledger) -> None:
    assert chosen_preset(ledger.client) == "balanced"
    assert read_thresholds(ledger.client, "balanced", NOW).floor_usd == pytest.approx(0.05)

    with pytest.raises(UsageError, match="no preset"):
        read_thresholds(ledger.client, "loud", NOW)
