"""Grafana's JSON: what is checked in is what the panels say, and nothing that Grafana would stumble over is let through."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from spanledger_collector.assets import assets
from spanledger_collector.panels import DASHBOARDS
from spanledger_collector.panels.grafana import FOLDER_UID, build, build_all, written
from spanledger_collector.panels.schema import faults_of
from spanledger_collector.panels.thresholds import KNOWN, UNKNOWN_CALLS

BUILT = build_all()
UIDS = {
    "spanledger-overview",
    "spanledger-attribution",
    "spanledger-engineering",
    "spanledger-anomalies",
    "spanledger-quality",
    "spanledger-pipeline",
}


@pytest.mark.parametrize("name", BUILT)
def test_the_file_is_what_the_panels_say(name: str) -> None:
    # `spanledger dashboards build` in the checkout writes them again.
    assert assets("dashboards").joinpath(name).read_text("utf-8") == written(BUILT[name])


def test_no_file_is_left_of_a_dashboard_that_is_gone() -> None:
    files = {entry.name for entry in assets("dashboards").iterdir() if entry.name.endswith(".json")}

    assert files == set(BUILT)
    assert {dashboard["uid"] for dashboard in BUILT.values()} == UIDS


@pytest.mark.parametrize("name", BUILT)
def test_a_dashboard_has_no_faults(name: str) -> None:
    assert faults_of(json.loads(written(BUILT[name]))) == []


def _first_panel(dashboard: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = dashboard["panels"][1]
    return found


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda d: d.update(style="dark"), "Extra inputs are not permitted"),
        (lambda d: d.update(schemaVersion=42), "less than or equal to 41"),
        (lambda d: _first_panel(d).update(type="graph"), "'graph'"),
        (lambda d: _first_panel(d).update(description=""), "at least 20 characters"),
        (lambda d: _first_panel(d).update(id=d["panels"][2]["id"]), "Two panels have one id"),
        (lambda d: _first_panel(d)["gridPos"].update(x=20), "is wider than the page"),
        (lambda d: _first_panel(d)["gridPos"].update(d["panels"][2]["gridPos"]), "lies on Today"),
        (lambda d: _first_panel(d)["targets"][0].update(datasource="ClickHouse"), "valid dictionary or instance of _DataSource"),
        (lambda d: _first_panel(d)["targets"][0].update(format=0), "asks for the wrong format"),
        (lambda d: _first_panel(d)["targets"][0].update(rawSql="select $__conditionalAll(a, $b) as x"), "only the frontend expands"),
        (lambda d: _first_panel(d)["targets"][0].update(rawSql="select 1 as x where {filters}"), "unfilled placeholder {filters}"),
        (lambda d: _first_panel(d)["targets"][0].update(rawSql="select ${nobody:singlequote} as x"), "variable nobody, which there is not"),
        (lambda d: d["templating"]["list"].pop(1), "There is no variable tenant"),
    ],
)  # fmt: skip
def test_what_grafana_would_stumble_over_is_a_fault(spoil: Callable[[dict[str, Any]], object], complaint: str) -> None:
    dashboard = copy.deepcopy(BUILT["overview.json"])

    spoil(dashboard)

    assert any(complaint in fault for fault in faults_of(dashboard)), faults_of(dashboard)


def test_the_variable_that_selects_all_is_inserted_quoted_as_the_queries_expect_it() -> None:
    variables = {each["name"]: each for each in BUILT["overview.json"]["templating"]["list"]}

    assert variables["team"]["allValue"] == "'*'"
    assert (variables["team"]["multi"], variables["team"]["includeAll"], variables["team"]["refresh"]) == (
        True,
        True,
        2,
    )


def test_a_link_keeps_time_and_filters_but_the_one_that_it_sets() -> None:
    panels = {panel["title"]: panel for panel in BUILT["attribution.json"]["panels"]}
    properties = panels["By team"]["fieldConfig"]["overrides"][0]["properties"]
    (link,) = next(each["value"] for each in properties if each["id"] == "links")

    assert link["url"] == (
        "/d/spanledger-attribution?${__url_time_range}&${datasource:queryparam}&${tenant:queryparam}&${feature:queryparam}"
        "&${model:queryparam}&${environment:queryparam}&var-team=${__value.raw:percentencode}"
    )


def test_every_link_leads_to_a_dashboard_and_a_variable_that_exist() -> None:
    variables = {dashboard.name: {"tenant", "team", "feature", "model", "environment"} for dashboard in DASHBOARDS}
    for dashboard in DASHBOARDS:
        variables[dashboard.name] |= {choice.name for choice in dashboard.choices}
    links = [
        field.link for dashboard in DASHBOARDS for panel in dashboard.panels for field in panel.fields if field.link
    ]

    assert links
    assert [link for link in links if link.variable not in variables.get(link.dashboard, set())] == []


def test_a_cell_without_a_value_is_a_dash_and_not_the_sentence_of_an_empty_panel() -> None:
    for dashboard in BUILT.values():
        for panel in dashboard["panels"]:
            of_columns = [
                each for each in panel.get("fieldConfig", {}).get("overrides", []) if each["matcher"]["id"] == "byName"
            ]
            for override in of_columns:
                assert {"id": "noValue", "value": "\u2013"} in override["properties"], panel["title"]


def test_building_twice_gives_the_same() -> None:
    assert [written(build(dashboard)) for dashboard in DASHBOARDS] == [written(each) for each in BUILT.values()]


def test_the_provisioning_names_the_folder_and_the_source_of_the_contract() -> None:
    folder = assets("dashboards").joinpath("provisioning")
    (provider,) = yaml.safe_load(folder.joinpath("dashboards", "spanledger.yaml").read_text("utf-8"))["providers"]
    (source,) = yaml.safe_load(folder.joinpath("datasources", "spanledger.yaml").read_text("utf-8"))["datasources"]

    assert (provider["folderUid"], provider["type"], provider["allowUiUpdates"]) == (FOLDER_UID, "file", False)
    assert (source["uid"], source["type"]) == ("spanledger-clickhouse", "grafana-clickhouse-datasource")
    assert (source["jsonData"]["port"], source["jsonData"]["protocol"]) == (8123, "http")


def test_a_threshold_holds_from_its_limit_on() -> None:
    assert [KNOWN.color_of(value) for value in (0.949, 0.95, 0.989, 0.99)] == ["red", "yellow", "yellow", "green"]
    assert [UNKNOWN_CALLS.color_of(value) for value in (0, 1)] == ["green", "yellow"]
