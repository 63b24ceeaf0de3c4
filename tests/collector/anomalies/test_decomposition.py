"""The split of a change by driver: it sums exactly, whatever the numbers, and names what moved."""

from datetime import timedelta
from decimal import Decimal, localcontext
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spanledger_collector.anomalies.analysis import Change, Window, change, explain
from spanledger_collector.anomalies.places import Place
from tests.collector.anomalies.history import NOW, cell, history
from tests.ledger import Ledger

DAY = 144
HOUR = Window(NOW + timedelta(seconds=1, hours=-1), NOW + timedelta(seconds=1))


def split(
    ledger: Ledger, now: dict[str, Any], usual: dict[str, Any] | None = None, *, by_ratio: bool = False
) -> Change:
    """Return the change of the last hour, for cells of now and of the eight days before."""
    history(ledger, lambda ago: cell(**now) if ago < 6 else cell(**(usual or {})), days=8)
    return change(ledger.client, Place(), HOUR, by_ratio=by_ratio)


def moved(found: Change) -> set[str]:
    """Return the drivers of more than a hundredth of the impact."""
    return {name for name, usd in found.effects.items() if abs(usd) > abs(found.impact_usd) / 100}


FIGURES = st.fixed_dictionaries(
    {
        "calls": st.integers(1, 100_000),
        "size": st.integers(1, 200_000),
        "cached": st.sampled_from([0, 0.001, 0.3, 0.9, 1]),
        "price": st.sampled_from([Decimal("0.001"), 1, Decimal("1.0000001"), 40]),
    }
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(now=FIGURES, usual=FIGURES, new=st.none() | FIGURES, gone=st.none() | FIGURES, by_ratio=st.booleans())
def test_the_effects_sum_to_the_impact_to_the_last_digit(
    ledger: Ledger,
    now: dict[str, Any],
    usual: dict[str, Any],
    new: dict[str, Any] | None,
    gone: dict[str, Any] | None,
    by_ratio: bool,
) -> None:
    ledger.client.command("truncate table spend_buckets")
    history(ledger, lambda ago: cell(**now) if ago < 6 else cell(**usual) if ago % DAY < 12 else None, days=8)
    if new:
        history(ledger, lambda ago: cell(**new, model="new") if ago < 6 else None, days=8)
    if gone:
        history(ledger, lambda ago: cell(**gone, model="gone") if ago % DAY < 6 and ago > 6 else None, days=8)

    found = change(ledger.client, Place(), HOUR, by_ratio=by_ratio)

    with localcontext(prec=76):
        assert sum(found.effects.values(), Decimal(0)) == found.impact_usd == found.actual_usd - found.expected_usd
    # Effects that cancel each other may be far larger than what they sum to.
    moved = float(max(found.actual_usd, found.expected_usd, *(abs(effect) for effect in found.effects.values())))
    assert found.relative_error * abs(float(found.impact_usd)) <= 1e-9 * moved


@pytest.mark.parametrize(
    ("driver", "now", "by_ratio"),
    [
        ("volume", {"calls": 60}, False),
        ("tokens_per_call", {"size": 3000}, True),
        ("cache", {"cached": 0.0}, True),
        ("unit_price", {"price": 10}, True),
    ],
)
def test_one_thing_that_moved_is_the_only_driver(
    ledger: Ledger, driver: str, now: dict[str, Any], by_ratio: bool
) -> None:
    found = split(ledger, now, by_ratio=by_ratio)

    # Output is a part of the tokens, and its part of them may move with the input's.
    assert moved(found) == {driver}
    assert found.relative_error < 1e-9


def test_calls_that_moved_to_another_model_are_a_change_of_the_mix(ledger: Ledger) -> None:
    history(ledger, lambda ago: cell(5) if ago < 6 else cell(20), days=8)
    history(ledger, lambda ago: cell(15, price=10, model="large") if ago < 6 else None, days=8)

    found = change(ledger.client, Place(), HOUR, by_ratio=True)

    assert moved(found) == {"mix"}
    assert found.effects["volume"] == 0
    assert found.moved == 1


def test_calls_of_another_model_on_top_of_the_usual_took_none_over(ledger: Ledger) -> None:
    history(ledger, lambda _: cell(20), days=8)
    history(ledger, lambda ago: cell(15, price=10, model="large") if ago < 6 else None, days=8)

    assert change(ledger.client, Place(), HOUR, by_ratio=True).moved == 0


def test_features_of_one_model_are_no_models(ledger: Ledger) -> None:
    history(ledger, lambda ago: cell(5) if ago < 6 else cell(20), days=8)
    history(ledger, lambda ago: cell(15, feature="search") if ago < 6 else None, days=8)

    assert change(ledger.client, Place(provider="openai", model="gpt-5"), HOUR, by_ratio=True).moved == 0


def test_nothing_that_changed_is_no_impact(ledger: Ledger) -> None:
    found = split(ledger, {})

    assert found.impact_usd == 0
    assert set(found.effects.values()) == {Decimal(0)}


def test_the_same_time_of_day_is_what_volume_is_compared_with(ledger: Ledger) -> None:
    history(ledger, lambda ago: cell(90 if ago % DAY < 6 else 10), days=8)

    assert change(ledger.client, Place(), HOUR, by_ratio=False).impact_usd == 0


def test_with_hours_of_past_the_mean_of_them_is_expected(ledger: Ledger) -> None:
    history(ledger, lambda ago: cell(40 if ago < 6 else 20) if ago < 18 else None, days=1)

    found = change(ledger.client, Place(), HOUR, by_ratio=False)

    assert (found.reference_days, found.actual_usd) == (0, 2 * found.expected_usd)


def test_without_any_past_nothing_is_expected(ledger: Ledger) -> None:
    history(ledger, lambda ago: cell() if ago < 6 else None, days=1)

    found = change(ledger.client, Place(), HOUR, by_ratio=False)

    assert found.expected_usd == 0
    assert sum(found.effects.values(), Decimal(0)) == found.impact_usd == found.actual_usd


def test_the_place_of_a_change_is_named_in_one_and_in_two_dimensions(ledger: Ledger) -> None:
    for tenant in "ab":
        for model in ("small", "large"):
            lately = 90 if (tenant, model) == ("b", "large") else 20
            names = {"tenant": tenant, "model": model}
            history(ledger, partial(_stepped, lately, names), days=8)

    found = explain(ledger.client, Place(), HOUR, by_ratio=False)

    assert set(found[0].cause) == {"tenant=b", "model=large"}
    assert found[0].share == pytest.approx(1)


def test_a_user_is_named_though_cells_have_none(ledger: Ledger) -> None:
    actor: dict[str, Any] = {"part": "actor", "team": "", "feature": ""}
    history(ledger, lambda ago: cell(90 if ago < 6 else 20), days=8)
    history(ledger, lambda _: cell(10, user="ana", **actor), days=8)
    history(ledger, lambda ago: cell(80 if ago < 6 else 10, user="ben", **actor), days=8)

    found = explain(ledger.client, Place(), HOUR, by_ratio=False)

    assert found[0].cause == ("user=ben",)


def test_a_tenant_that_varies_from_day_to_day_is_not_blamed_for_a_feature(ledger: Ledger) -> None:
    for tenant in "ab":
        for feature in "xy":
            history(ledger, partial(_varied, {"tenant": tenant, "feature": feature}), days=8)

    found = explain(ledger.client, Place(), HOUR, by_ratio=False)

    assert found[0].cause == ("feature=support/x",)
    assert found[0].share < 1


def test_what_all_have_alike_is_in_no_place(ledger: Ledger) -> None:
    for tenant in "ab":
        for model in ("small", "large"):
            history(ledger, partial(_stepped, 60, {"tenant": tenant, "model": model}), days=8)

    found = explain(ledger.client, Place(), HOUR, by_ratio=False)

    assert max(cell.lift for cell in found) < 1e-6


def _varied(names: dict[str, Any], ago: int) -> dict[str, Any]:
    usual = 20 if names["tenant"] == "a" else 50 if ago // 144 % 2 == 0 else 10
    return cell(usual * (3 if ago < 6 and names["feature"] == "x" else 1), **names)


def _stepped(lately: int, names: dict[str, Any], ago: int) -> dict[str, Any]:
    return cell(lately if ago < 6 else 20, **names)
