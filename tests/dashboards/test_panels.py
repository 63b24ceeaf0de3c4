"""Every query of every panel on a real ledger: it runs, its columns can be drawn, its numbers are those of `spanledger cost`."""

import json
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest

from spanledger_collector.cli.cost import _sql
from spanledger_collector.panels import (
    QUERIES,
    UNTAGGED,
    Kind,
    Window,
    expand,
    read_query,
    without_idle_filters,
    words,
)
from spanledger_collector.panels.check import run_queries, window_of
from tests.dashboards.company import deliver_a_company
from tests.dashboards.incidents import OPEN, OVER, book_incidents
from tests.ledger import Ledger
from tests.otlp import chat, request

MONTH = 30 * 86_400
# Shown only where something is behind, broken or chosen.
EMPTY_WHEN_WELL = {
    "annotations/deployments",
    "annotations/price_changes",
    "attribution/session_calls",
    "engineering/trace",
    "pipeline/check",
    "pipeline/quarantined",
    "pipeline/rollups",
    "quality/quarantine",
    "quality/services",
}


@pytest.fixture(scope="module")
def company(_ledger_of_module: Ledger) -> Ledger:
    deliver_a_company(_ledger_of_module.door)
    _ledger_of_module.settle()
    _ledger_of_module.client.command("system reload dictionary outcome_dict")
    book_incidents(_ledger_of_module.client)
    return _ledger_of_module


def asked(ledger: Ledger, query: str, window: Window | None = None, **variables: Sequence[str]) -> list[dict[str, Any]]:
    return ledger.rows(expand(read_query(query), window or window_of(MONTH), variables))


@pytest.mark.parametrize("step", [86_400, 604_800, 2_592_000])
def test_by_days_weeks_and_months_a_chart_has_what_it_has_by_hours(company: Ledger, step: int) -> None:
    now = int(time.time())
    begin = {86_400: "toStartOfDay", 604_800: "toMonday", 2_592_000: "toStartOfMonth"}[step]
    for name, panel in QUERIES.items():
        if panel is None or panel.kind is not Kind.TIME_SERIES:
            continue
        hours = asked(company, name, Window(now - MONTH, now))
        steps = asked(company, name, Window(now - MONTH, now, step, by_calendar=True))

        assert bool(steps) is bool(hours), name
        if not steps:
            continue
        times = ", ".join(sorted({str(row["time"].timestamp()) for row in steps}))
        begins = f"toUnixTimestamp(toDateTime({begin}(toDateTime(at)))) as begun"
        assert company.rows(f"select at, {begins} from (select arrayJoin([{times}]) as at) where begun != at") == [], (
            name
        )
        if panel.stacked and "per_second" not in panel.fields[0].name:
            for field in panel.fields:
                sums = [sum(row[field.name] for row in rows) for rows in (hours, steps)]
                assert sums[1] == pytest.approx(sums[0]), (name, field.name)


@pytest.mark.parametrize("variables", [{}, {"team": ["search", UNTAGGED]}])
def test_without_the_filters_that_select_all_every_query_says_the_same(
    company: Ledger, variables: dict[str, list[str]]
) -> None:
    window = window_of(MONTH, time.time() - 60)
    for name in QUERIES:
        sql = read_query(name)
        short = without_idle_filters(sql, variables)
        conditions = [part.split(":")[0] for part in short.split("('*' in (${")[1:]]
        assert conditions == ["team"] * (sql.count("('*' in (${team:") if variables else 0), name
        if (
            name.startswith(("overview/", "attribution/by", "quality/gaps", "anomalies/open"))
            and name != "overview/forecast"
        ):
            assert company.rows(expand(short, window, variables)) == company.rows(expand(sql, window, variables)), name


def total(rows: Sequence[Mapping[str, Any]], name: str) -> float:
    return float(sum(row[name] or 0 for row in rows))


def costs(ledger: Ledger, by: str, window: Window) -> dict[str, tuple[float, int]]:
    """Return what `spanledger cost` says: known cost, to 15 digits, and calls of unknown cost."""
    rows = ledger.rows(_sql([by]), since=window.start, limit=1000, zone="UTC")
    return {str(row[by]) or UNTAGGED: (rounded(row["known_usd"]), row["unknown_calls"]) for row in rows}


def rounded(amount: Decimal | float) -> float:
    """Return what is left of an amount where a float has held it: its last bit may differ."""
    return float(f"{amount:.14g}")


def test_every_query_runs_on_a_company_and_what_should_show_something_does(company: Ledger) -> None:
    ran = list(run_queries(company.client, MONTH))

    assert [(each.name, each.fault) for each in ran if each.fault] == []
    assert {each.name for each in ran if not each.rows} <= EMPTY_WHEN_WELL
    assert {each.name for each in ran} == set(QUERIES)


@pytest.mark.parametrize(
    ("query", "by"),
    [("attribution/by-team", "team"), ("attribution/by-feature", "feature"), ("attribution/by-tenant", "tenant")],
)
def test_a_table_says_what_the_command_line_says(company: Ledger, query: str, by: str) -> None:
    window = window_of(7 * 86_400)

    rows = asked(company, query, window)

    said = {row["name"]: (rounded(row["known_usd"]), row["unknown_calls"]) for row in rows}
    assert said == costs(company, by, window)
    assert {row["name"] for row in rows if row["bound"]} == {name for name, (_, unknown) in said.items() if unknown}


def test_users_and_sessions_say_what_the_command_line_says(company: Ledger) -> None:
    window = window_of(7 * 86_400)

    for query, by in (("attribution/users", "user"), ("attribution/sessions", "session")):
        expected = costs(company, by, window)
        rows = asked(company, query, window)
        assert len(rows) == 20
        assert {
            row["name"]: (rounded(row["known_usd"]), row["unknown_calls"]) for row in rows
        }.items() <= expected.items()


@pytest.mark.parametrize("query", ["overview/spend", "attribution/over_time", "overview/states"])
def test_what_is_split_adds_up_to_the_total(company: Ledger, query: str) -> None:
    (whole,) = asked(company, "attribution/totals")
    rows = asked(company, query)

    assert total(rows, "known_usd") == pytest.approx(whole["known_usd"], rel=1e-9)


def test_what_changed_most_is_this_range_less_the_one_before(company: Ledger) -> None:
    window = window_of(7 * 86_400)
    before = Window(2 * window.start - window.end, window.start - 1, window.step)

    rows = asked(company, "overview/movers", window)

    for row in rows[:5]:
        filters = {row["dimension"]: [row["name"]]}
        now_usd, before_usd = (
            asked(company, "attribution/totals", part, **filters)[0]["known_usd"] for part in (window, before)
        )
        assert row["change_usd"] == pytest.approx(now_usd - before_usd, abs=1e-9)
    assert rows == sorted(rows, key=lambda row: -abs(row["change_usd"]))


def test_spans_by_verdict_are_all_spans(company: Ledger) -> None:
    window = window_of(MONTH, least=60)
    (counted,) = company.rows(expand("select count() as n from spans_judged where $__timeFilter(ts)", window, {}))

    judged = asked(company, "pipeline/judged", window)

    assert {row["series"] for row in judged} == {"bills", "wrapper"}
    assert round(total(judged, "spans_per_second") * window.step) == counted["n"]


def test_spans_are_counted_by_every_verdict_that_the_page_has_words_for() -> None:
    assert [
        word.value for word in words.VERDICTS if f"('{word.value}', countIf(" not in read_query("pipeline/judged")
    ] == []


def test_what_emitters_computed_otherwise_is_what_the_view_says(company: Ledger) -> None:
    window = window_of(MONTH)
    view = "select sum(d.calls) as n, sum(d.reported_usd) as usd from cost_disagreements as d where $__timeFilter(hour)"
    (told,) = company.rows(expand(view, window, {}))

    disagreements = asked(company, "quality/disagreements", window)

    assert total(disagreements, "calls") == told["n"] > 0
    assert rounded(total(disagreements, "reported_usd")) == rounded(told["usd"])


def test_tokens_in_five_kinds_are_all_tokens(company: Ledger) -> None:
    (whole,) = asked(company, "attribution/totals")
    rows = asked(company, "engineering/tokens")

    kinds = ("uncached_input", "cache_read", "cache_write", "answer", "reasoning")
    assert sum(total(rows, kind) for kind in kinds) == whole["input_tokens"] + whole["output_tokens"]


def test_a_filter_narrows_every_sum_alike(company: Ledger) -> None:
    teams = {row["name"]: row for row in asked(company, "attribution/by-team")}

    for team in ("support", UNTAGGED):
        for query in ("attribution/totals", "engineering/totals"):
            (row,) = asked(company, query, team=[team])
            assert (row["known_usd"], row["calls"]) == (teams[team]["known_usd"], teams[team]["calls"])
    (both,) = asked(company, "attribution/totals", team=["support", "search"], tenant=["acme", "globex", "initech"])
    assert both["calls"] == teams["support"]["calls"] + teams["search"]["calls"]


def test_users_show_nothing_rather_than_a_number_that_ignores_a_filter(company: Ledger) -> None:
    assert asked(company, "attribution/users", team=["support"]) == []
    assert total(asked(company, "attribution/users", tenant=["acme"]), "calls") > 0


def test_the_dearest_tenth_of_users_is_what_sorting_them_says(company: Ledger) -> None:
    by_user = costs(company, "user", window_of(MONTH))
    amounts = sorted((usd for name, (usd, _) in by_user.items() if name != UNTAGGED), reverse=True)
    top = -(-len(amounts) // 10)

    (row,) = asked(company, "attribution/top_users")

    assert (row["users"], row["top_users"]) == (len(amounts), top)
    assert row["share"] == pytest.approx(sum(amounts[:top]) / sum(amounts))


def test_a_finished_task_costs_all_calls_of_its_kind_over_the_tasks_that_ended(company: Ledger) -> None:
    (row,) = asked(company, "attribution/tasks")
    ended = company.row("select count() as n from task_outcomes final where task = 'resolve_ticket'")["n"]

    assert row["ended_tasks"] == ended
    assert row["tasks"] > ended
    assert row["usd_per_ended_task"] == pytest.approx(row["known_usd"] / ended)
    assert row["outcomes"].startswith("resolved ")


def test_a_session_leads_to_its_calls_and_a_call_to_its_trace(company: Ledger) -> None:
    dearest = asked(company, "attribution/sessions")[0]

    calls = asked(company, "attribution/session_calls", session=[dearest["name"]])
    spans = asked(company, "engineering/trace", trace=[calls[0]["trace_id"]])

    assert len(calls) == dearest["calls"]
    assert total(calls, "usd") == pytest.approx(dearest["known_usd"])
    assert [span["judged"] for span in spans].count("bills") == 1


def test_the_dearest_open_incident_is_shown_until_another_is_chosen(company: Ledger) -> None:
    (shown,) = asked(company, "anomalies/impact")
    (same,) = asked(company, "anomalies/impact", incident=[OPEN])
    (other,) = asked(company, "anomalies/impact", incident=[OVER])

    assert shown == same
    assert (rounded(shown["impact"]), rounded(shown["impact_per_hour"])) == (18.25, 9.125)
    assert rounded(other["impact"]) == 2.5
    assert asked(company, "anomalies/impact", incident=["nobody"]) == []
    assert [row["incident_id"] for row in asked(company, "anomalies/going_on")] == [OPEN]


def test_an_incident_leads_to_what_moved_and_to_the_spans_of_its_calls(company: Ledger) -> None:
    effects, traces = asked(company, "anomalies/effects"), asked(company, "anomalies/traces")

    assert total(effects, "effect") == pytest.approx(asked(company, "anomalies/impact")[0]["impact"])
    assert len(traces) == 3
    assert all(asked(company, "engineering/trace", trace=[row["trace_id"]]) for row in traces)


def test_an_incident_that_concerns_everybody_passes_every_filter(company: Ledger) -> None:
    filters: list[dict[str, Any]] = [
        {"team": ["support"]},
        {"tenant": ["acme"]},
        {"team": ["search"]},
        {"environment": ["prod"]},
    ]

    seen = [len(asked(company, "anomalies/all", **each)) for each in filters]

    assert seen == [2, 2, 0, 2]


def test_incidents_are_marks_that_last_as_long_as_they_do(company: Ledger) -> None:
    going_on, over = asked(company, "annotations/incidents")

    assert going_on["text"].startswith("critical: Prompts of chat grew")
    assert (over["timeEnd"] - over["time"]).total_seconds() == 7200


def test_duplicates_are_shown_and_not_billed(company: Ledger) -> None:
    verdicts = asked(company, "quality/verdicts")

    assert total(verdicts, "duplicates") + total(verdicts, "covered") + total(verdicts, "wrappers") > 0
    assert total(verdicts, "billed") == asked(company, "attribution/totals")[0]["calls"]


def test_a_value_cannot_leave_its_quotes(company: Ledger) -> None:
    (row,) = asked(company, "attribution/totals", team=["x') or ('1' = '1", "\\"])

    assert row["calls"] == 0


def test_a_late_call_moves_every_panel_that_shows_it(company: Ledger) -> None:
    before = asked(company, "attribution/totals")[0]
    company.deliver_requests(request([chat(time.time() - 5 * 86_400, extra={"spanledger.team": "late"})]))
    company.settle()

    after = asked(company, "attribution/totals")[0]
    assert after["calls"] == before["calls"] + 1
    assert json.dumps(asked(company, "attribution/by-team"), default=str).count('"late"') == 1
