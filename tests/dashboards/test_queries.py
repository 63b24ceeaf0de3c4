"""The queries as text: macros, variables, filters, and what every panel must say about itself."""

import pytest

from spanledger_collector.anomalies.incidents import DRIVERS
from spanledger_collector.assets import assets
from spanledger_collector.cli.explanation_prices import MEANINGS
from spanledger_collector.exceptions import UsageError
from spanledger_collector.panels import (
    DASHBOARDS,
    QUERIES,
    Kind,
    Window,
    dashboard_of,
    expand,
    interval_seconds,
    read_query,
    words,
)
from spanledger_collector.panels.queries import FILTERS

MONTH = 30 * 86_400


def test_every_panel_has_a_query_and_every_query_a_panel() -> None:
    folders = [entry for entry in assets("dashboards").joinpath("queries").iterdir() if entry.is_dir()]
    files = {f"{folder.name}/{file.name.removesuffix('.sql')}" for folder in folders for file in folder.iterdir()}

    assert {name.partition("-")[0] for name in QUERIES} == files


def test_a_query_by_a_tag_is_the_same_for_each_tag() -> None:
    assert "{tag}" not in read_query("attribution/by-team")
    assert read_query("attribution/by-team").replace("team", "tenant") == read_query("attribution/by-tenant").replace(
        "team", "tenant"
    )


def test_macros_and_variables_expand_as_the_data_source_does() -> None:
    sql = (
        "select $__timeInterval(ts), $__interval_s where $__timeFilter(ts) and ts > $__fromTime and $__toTime > 0 "
        "and t in (${team:singlequote})"
    )

    assert expand(sql, Window(100, 7300, 3600), {"team": ["a", "it's"]}) == (
        "select toStartOfInterval(toDateTime(ts), INTERVAL 3600 second), 3600 where ts >= toDateTime(100) AND ts <= toDateTime(7300) "
        "and ts > toDateTime(100) and toDateTime(7300) > 0 and t in ('a','it\\'s')"
    )


@pytest.mark.parametrize(("step", "unit"), [(86_400, "day"), (604_800, "week"), (2_592_000, "month")])
def test_steps_can_be_those_of_the_ledgers_calendar(step: int, unit: str) -> None:
    sql, zone = "select $__timeInterval(ts), $__interval_s", "(select zone from calendar)"

    assert expand(sql, Window(100, 7300, step, by_calendar=True), {}) == (
        f"select toDateTime(toStartOfInterval(toDateTime(ts), INTERVAL 1 {unit}, {zone}), {zone}), {step}"
    )
    midnight = f"toStartOfDay(toDateTime(ts), {zone})"
    assert expand(sql, Window(100, 7300, 7200, by_calendar=True), {}) == (
        f"select {midnight} + toIntervalSecond(intDiv(toUnixTimestamp(ts) - toUnixTimestamp({midnight}), 7200) * 7200), 7200"
    )


def test_a_variable_without_values_selects_all_and_no_value_is_read_as_a_macro() -> None:
    assert expand("x in (${team:singlequote})", Window(0, 1), {}) == "x in ('*')"
    assert expand("x in (${team:singlequote})", Window(0, 1), {"team": ["$__toTime"]}) == "x in ('$__toTime')"


def test_a_macro_that_only_the_frontend_expands_is_refused() -> None:
    with pytest.raises(UsageError, match=r"\$__conditionalAll is not one"):
        expand("where $__conditionalAll(x, $y)", Window(0, 1), {})


def test_the_axis_has_at_most_the_points_that_were_asked_for() -> None:
    assert interval_seconds(86_400, 200) == 3600
    assert interval_seconds(MONTH, 200) == 21_600
    assert interval_seconds(3600, 200, 60) == 60
    assert interval_seconds(12_000, 200, 60) == 60
    assert interval_seconds(12_060, 200, 60) == 120


def test_every_panel_says_what_it_is_in_whole_words() -> None:
    for dashboard in DASHBOARDS:
        for panel in dashboard.panels:
            assert len(panel.description) > 40, panel.title
            assert panel.empty.endswith("."), panel.title
            if panel.kind is Kind.STAT and any(field.name in ("known_usd", "forecast_usd") for field in panel.fields):
                assert any(field.name == "unknown_calls" for field in panel.fields), panel.title
    with pytest.raises(UsageError, match="There is no dashboard 'costs'; there are overview, "):
        dashboard_of("costs")


def test_every_state_that_the_ledger_knows_has_words_for_people_and_its_panel_explains_them() -> None:
    assert {word.value for word in words.STATES} == set(MEANINGS)
    assert {word.value for word in words.STATES if not word.color} == {"priced", "failed_not_billed", "notional"}
    assert tuple(word.value for word in words.DRIVERS) == DRIVERS
    (states,) = {panel for each in DASHBOARDS for panel in each.panels if panel.query == "overview/states"}
    for word in words.STATES:
        assert word.text in states.description.lower(), word


def test_all_filters_are_in_every_query_of_costs() -> None:
    for dashboard in DASHBOARDS:
        for panel in dashboard.panels:
            sql = read_query(dashboard.query_of(panel))
            if (" costs as c" in sql or " calls\n" in sql) and dashboard.name != "anomalies":
                assert all(f"${{{name}:singlequote}}" in sql for name in FILTERS), panel.title
