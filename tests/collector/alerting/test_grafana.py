"""What Grafana provisions is made of the rules, and holds for Grafana 11.6 to 13: no dollar sign that one of them would replace."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from spanledger_collector.alerting.grafana import CHANNELS, as_yaml, files_of_grafana
from spanledger_collector.alerting.rules import RULES
from spanledger_collector.assets import assets

FILES = files_of_grafana()
GRAFANA_RULES: list[dict[str, Any]] = [rule for group in FILES["rules.yaml"]["groups"] for rule in group["rules"]]
KEYS = {
    "uid", "title", "condition", "for", "noDataState", "execErrState", "labels", "annotations", "notification_settings", "data",
}  # fmt: skip


def texts(content: Any) -> list[str]:
    if isinstance(content, dict):
        return [text for value in content.values() for text in texts(value)]
    if isinstance(content, list):
        return [text for value in content for text in texts(value)]
    return [content] if isinstance(content, str) else []


@pytest.mark.parametrize("name", FILES)
def test_the_files_are_what_the_rules_make(name: str) -> None:
    """`python -m spanledger_collector.alerting.grafana dashboards/alerts` writes them again."""
    assert assets("dashboards").joinpath("alerts", name).read_text("utf-8") == as_yaml(FILES[name])


def test_every_rule_that_has_a_query_is_there_once() -> None:
    assert [rule["title"] for rule in GRAFANA_RULES].sort() == [rule.name for rule in RULES if rule.query].sort()
    assert len({rule["uid"] for rule in GRAFANA_RULES}) == len(GRAFANA_RULES)
    assert all(len(rule["uid"]) <= 40 for rule in GRAFANA_RULES)


@pytest.mark.parametrize("rule", GRAFANA_RULES, ids=lambda rule: rule["title"])
def test_a_rule_is_whole(rule: dict[str, Any]) -> None:
    query, reduce, threshold = (part["model"] for part in rule["data"])

    assert set(rule) == KEYS
    assert rule["labels"]["severity"] in {"critical", "warning", "info", "none"}
    assert set(rule["annotations"]) == {"summary", "impact", "cause", "action", "runbook_url", "dashboard_url"}
    assert {"grafana_folder", "alertname"} <= set(rule["notification_settings"]["group_by"])
    assert (query["format"], query["editorType"]) == (1, "sql")
    assert (reduce["expression"], threshold["expression"], rule["condition"]) == ("A", "B", "C")
    assert "relativeTimeRange" in rule["data"][0]


@pytest.mark.parametrize("name", FILES)
def test_a_dollar_sign_stands_only_where_a_variable_of_the_environment_is_meant(name: str) -> None:
    found = [text for text in texts(FILES[name]) if "$" in re.sub(r"\$\{SPANLEDGER_[A-Z_]+\}", "", text)]

    assert found == []


def test_texts_name_labels_that_the_query_answers_with() -> None:
    for rule in GRAFANA_RULES:
        sql = rule["data"][0]["model"]["rawSql"]
        named = {name for text in rule["annotations"].values() for name in re.findall(r"\.Labels\.(\w+)", text)}
        assert [name for name in named if not re.search(rf"\b{name}\b", sql)] == [], rule["title"]


def test_contact_points_are_those_that_rules_name_in_each_channel() -> None:
    named = {rule["notification_settings"]["receiver"] for rule in GRAFANA_RULES}

    for channel in CHANNELS:
        points = FILES[f"contact-points.{channel}.yaml"]["contactPoints"]
        assert {point["name"] for point in points} >= named
        assert len({receiver["uid"] for point in points for receiver in point["receivers"]}) == len(points)
    uids = [
        receiver["uid"]
        for channel in CHANNELS
        for point in FILES[f"contact-points.{channel}.yaml"]["contactPoints"]
        for receiver in point["receivers"]
    ]
    assert len(set(uids)) == len(uids)
    assert all(len(uid) <= 40 for uid in uids)


def test_what_is_critical_is_never_muted_and_mute_timings_exist() -> None:
    defined = {timing["name"] for timing in FILES["mute-timings.yaml"]["muteTimes"]}
    muted = {rule["title"]: rule["notification_settings"].get("mute_time_intervals", []) for rule in GRAFANA_RULES}

    assert {name for names in muted.values() for name in names} == defined
    assert [
        rule["title"]
        for rule in GRAFANA_RULES
        if rule["labels"]["severity"] in {"critical", "none"} and muted[rule["title"]]
    ] == []


def test_the_files_are_yaml_that_reads_as_it_was_meant() -> None:
    for name, content in FILES.items():
        assert yaml.safe_load(as_yaml(content)) == content, name


def test_the_alertmanager_configuration_that_we_ship_routes_the_severities_that_rules_have() -> None:
    folder = assets("dashboards").joinpath("alerts")
    shipped = yaml.safe_load(folder.joinpath("alertmanager.yml").read_text("utf-8"))

    routed = " ".join(matcher for route in shipped["route"]["routes"] for matcher in route["matchers"])
    assert [rule.severity for rule in RULES if rule.severity != "none" and rule.severity not in routed] == []
    assert isinstance(folder, Path) or folder.is_dir()
