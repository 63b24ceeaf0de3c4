"""Grafana's own models of its JSON (its Foundation SDK): they know every key that we write, and the type of each value."""

import copy
import enum
import json
import types
import typing
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.cog.runtime import UnknownDataquery
from grafana_foundation_sdk.models.alerting import ContactPoint, Rule
from grafana_foundation_sdk.models.dashboard import Dashboard

from spanledger_collector.assets import assets
from spanledger_collector.panels.grafana import build_all

BUILT = build_all()
MODELS = "grafana_foundation_sdk."
register_default_plugins()


def faults_of(model: type[Any], ours: dict[str, Any]) -> list[str]:
    """Say what Grafana's model does not know or names another type for."""
    read = model.from_json(copy.deepcopy(ours))
    return [*_lost(ours, json.loads(JSONEncoder().encode(read)), ""), *_mistyped(read, model, "")]


def _lost(ours: Any, theirs: Any, path: str) -> Iterator[str]:
    """Compare what was written with what is left of it; what the model adds are its defaults."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            if key in theirs:
                yield from _lost(value, theirs[key], f"{path}.{key}")
            else:
                yield f"{path}.{key} is not known"
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from _lost(one, other, f"{path}[{index}]")
    elif ours != theirs:
        yield f"{path} became {theirs!r}"


def _mistyped(value: Any, hint: Any, path: str) -> Iterator[str]:
    """Compare a value with the annotation of the model that holds it; what the models leave open is open."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        tried = [list(_mistyped(value, each, path)) for each in inner if value is None or each is not type(None)]
        yield from min(tried, key=len)
    elif choices := _choices(hint):
        if value not in choices:
            yield f"{path} is {value!r}, not one of {', '.join(map(repr, choices))}"
    elif type(value).__module__.startswith(MODELS) and not isinstance(value, UnknownDataquery):
        for name, wanted in typing.get_type_hints(type(value)).items():
            yield from _mistyped(getattr(value, name), wanted, f"{path}.{name}")
    elif (wanted := origin or hint) in (str, bool, int, float, list, dict, type(None)):
        if type(value) is not wanted and not (wanted is float and type(value) is int):
            yield f"{path} is {value!r}, not of type {wanted.__name__}"
        elif inner:
            for key, each in value.items() if wanted is dict else enumerate(value):
                yield from _mistyped(each, inner[-1], f"{path}[{key}]")


def _choices(hint: Any) -> list[Any]:
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return [each.value for each in hint]
    return list(typing.get_args(hint)) if typing.get_origin(hint) is typing.Literal else []


@pytest.mark.parametrize("name", BUILT)
def test_grafanas_model_of_a_dashboard_knows_all_that_we_write(name: str) -> None:
    assert faults_of(Dashboard, json.loads(json.dumps(BUILT[name]))) == []


def _alerting(name: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(assets("dashboards").joinpath("alerts", name).read_text("utf-8"))
    return read


def test_grafanas_model_of_a_rule_knows_all_that_we_write() -> None:
    rules = [rule for group in _alerting("rules.yaml")["groups"] for rule in group["rules"]]

    assert {rule["uid"]: faults_of(Rule, rule) for rule in rules} == {rule["uid"]: [] for rule in rules}


@pytest.mark.parametrize("channel", ["email", "pagerduty", "slack", "webhook"])
def test_grafanas_model_of_a_contact_point_knows_all_that_we_write(channel: str) -> None:
    points = _alerting(f"contact-points.{channel}.yaml")["contactPoints"]

    assert [faults_of(ContactPoint, receiver) for point in points for receiver in point["receivers"]] == [[]] * len(
        points
    )


def _panel(dashboard: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = dashboard["panels"][1]
    return found


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda d: d.update(refreshes="1m"), ".refreshes is not known"),
        (lambda d: d.update(graphTooltip=7), ".graph_tooltip is 7, not one of 0, 1, 2"),
        (lambda d: d.update(editable="no"), ".editable is 'no', not of type bool"),
        (lambda d: _panel(d)["options"].update(colorMode="rainbow"), ".color_mode is 'rainbow', not one of "),
        (lambda d: _panel(d)["options"]["reduceOptions"].update(calc="sum"), ".reduceOptions.calc is not known"),
        (lambda d: _panel(d)["fieldConfig"]["defaults"].update(units="s"), ".defaults.units is not known"),
        (lambda d: d["templating"]["list"][1].update(refresh=3), ".refresh is 3, not one of 0, 1, 2"),
        (lambda d: d["annotations"]["list"][0].update(rawQuery="select 1"), ".rawQuery is not known"),
    ],
)
def test_what_the_model_does_not_know_is_seen(spoil: Callable[[dict[str, Any]], object], complaint: str) -> None:
    dashboard = json.loads(json.dumps(BUILT["overview.json"]))

    spoil(dashboard)

    assert any(complaint in fault for fault in faults_of(Dashboard, dashboard)), faults_of(Dashboard, dashboard)
