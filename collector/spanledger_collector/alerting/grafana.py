"""The same rules as files that Grafana provisions: `python -m spanledger_collector.alerting.grafana FOLDER` writes them (PyYAML).

Texts name labels as `{{ .Labels.x }}`, not `{{ $labels.x }}`: Grafana replaces `$name` in provisioned files by a variable of its
environment, by nothing when there is none, in some versions and not in others, while the dot holds the same in all of them. `${NAME}`
is replaced by all: where a file has one, it is meant.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from spanledger_collector.alerting.rules import RULES, Rule

__all__ = ["CHANNELS", "as_yaml", "contact_points", "files_of_grafana", "mute_timings", "rule_groups"]

_SOURCE: Final = {"type": "grafana-clickhouse-datasource", "uid": "spanledger-clickhouse"}
_EXPRESSION: Final = {"type": "__expr__", "uid": "__expr__"}
_ORG: Final = 1
_FOLDER: Final = "spanledger"
_RUNBOOKS: Final = "${SPANLEDGER_RUNBOOKS_URL}"
_GRAFANA: Final = "${SPANLEDGER_GRAFANA_URL}"
_WINDOW_SECONDS: Final = 3600
_POINTS: Final = {
    "critical": "spanledger-page",
    "warning": "spanledger-notify",
    "info": "spanledger-notify",
    "none": "spanledger-watchdog",
}
_MUTED: Final = "spanledger-outside-working-hours"
_NUMBERS: Final = {"share": "humanizePercentage", "usd": 'printf "%.2f"', "percent": 'printf "%.1f"'}
_HEADER: Final = (
    "# Made of the rules in collector/spanledger_collector/alerting, not edited by hand:\n"
    "# python -m spanledger_collector.alerting.grafana dashboards/alerts\n"
)

CHANNELS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "email": ("email", {"addresses": "${SPANLEDGER_ALERT_EMAIL}", "singleEmail": True}),
    "slack": (
        "slack",
        {
            "url": "${SPANLEDGER_ALERT_SLACK_URL}",
            "title": "{{ len .Alerts.Firing }} firing: {{ .CommonLabels.alertname }}",
        },
    ),
    "pagerduty": (
        "pagerduty",
        {"integrationKey": "${SPANLEDGER_ALERT_PAGERDUTY_KEY}", "class": "spend", "component": "spanledger"},
    ),
    "webhook": ("webhook", {"url": "${SPANLEDGER_ALERT_WEBHOOK_URL}", "httpMethod": "POST"}),
}
"""Kinds of contact points, and where their secrets come from: variables of Grafana's environment."""


def files_of_grafana() -> dict[str, Any]:
    """Return the files by name, as the data that is written as YAML."""
    channels = {f"contact-points.{name}.yaml": contact_points(name) for name in CHANNELS}
    return {"rules.yaml": rule_groups(), "mute-timings.yaml": mute_timings(), **channels}


def rule_groups() -> dict[str, Any]:
    """Return the alert rules; those that only the embedded collector can know are left out."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for rule in RULES:
        if rule.query:
            groups.setdefault(rule.runbook.partition(".")[0], []).append(_rule(rule))
    return {
        "apiVersion": 1,
        "groups": [
            {"orgId": _ORG, "name": f"spanledger {name}", "folder": _FOLDER, "interval": "60s", "rules": rules}
            for name, rules in groups.items()
        ],
    }


def contact_points(channel: str) -> dict[str, Any]:
    """Return what a channel adds to each contact point: one who takes two channels provisions two files."""
    kind, settings = CHANNELS[channel]
    return {
        "apiVersion": 1,
        "contactPoints": [
            {
                "orgId": _ORG,
                "name": point,
                "receivers": [
                    {"uid": f"{point}-{channel}", "type": kind, "settings": settings, "disableResolveMessage": False}
                ],
            }
            for point in dict.fromkeys(_POINTS.values())
        ],
    }


def mute_timings() -> dict[str, Any]:
    """Return the times at which a warning can wait until somebody is at work; what is critical never waits."""
    night = [{"start_time": "00:00", "end_time": "07:00"}, {"start_time": "20:00", "end_time": "24:00"}]
    return {
        "apiVersion": 1,
        "muteTimes": [
            {
                "orgId": _ORG,
                "name": _MUTED,
                "time_intervals": [
                    {"times": night, "weekdays": ["monday:friday"], "location": "UTC"},
                    {"weekdays": ["saturday", "sunday"], "location": "UTC"},
                ],
            }
        ],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    texts = {"summary": rule.summary, "impact": rule.impact, "cause": rule.cause, "action": rule.action}
    annotations = {name: _templated(text, rule) for name, text in texts.items()}
    return {
        "uid": rule.uid,
        "title": rule.name,
        "condition": "C",
        "for": f"{rule.holds_minutes}m",
        "noDataState": "OK",
        "execErrState": "Error",
        "labels": {"severity": rule.severity},
        "annotations": annotations
        | {"runbook_url": f"{_RUNBOOKS}/{rule.runbook}", "dashboard_url": f"{_GRAFANA}/d/{_encoded(rule.dashboard)}"},
        "notification_settings": _notification(rule),
        "data": list(_data(rule)),
    }


def _notification(rule: Rule) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "receiver": _POINTS[rule.severity],
        "group_by": ["grafana_folder", "alertname", "incident"],
        "group_wait": "10s",
        "group_interval": "1m",
        "repeat_interval": "1m" if rule.severity == "none" else "4h",
    }
    return settings | ({"mute_time_intervals": [_MUTED]} if rule.severity in {"warning", "info"} else {})


def _data(rule: Rule) -> Iterator[dict[str, Any]]:
    """Yield the query, its last value, and the condition: any row fires, the query holds the threshold."""
    window = {"from": _WINDOW_SECONDS, "to": 0}
    query = {
        "refId": "A",
        "datasource": _SOURCE,
        "editorType": "sql",
        "format": 1,
        "queryType": "table",
        "rawSql": f"{rule.sql}\n",
    }
    yield {"refId": "A", "datasourceUid": _SOURCE["uid"], "relativeTimeRange": window, "model": query}
    reduce = {"refId": "B", "datasource": _EXPRESSION, "type": "reduce", "expression": "A", "reducer": "last"}
    yield {"refId": "B", "datasourceUid": "__expr__", "model": reduce}
    above = [{"evaluator": {"type": "gt", "params": [0]}}]
    threshold = {"refId": "C", "datasource": _EXPRESSION, "type": "threshold", "expression": "B", "conditions": above}
    yield {"refId": "C", "datasourceUid": "__expr__", "model": threshold}


def _templated(text: str, rule: Rule) -> str:
    number = _NUMBERS.get(rule.unit, 'printf "%.0f"')

    def of(match: re.Match[str]) -> str:
        return f"{{{{ {number} .Values.B.Value }}}}" if match[1] == "value" else f"{{{{ .Labels.{match[1]} }}}}"

    return re.sub(r"\{(\w+)\}", of, text)


def _encoded(dashboard: str) -> str:
    return re.sub(r"\{(\w+)\}", r"{{ urlquery .Labels.\1 }}", dashboard)


def as_yaml(content: Mapping[str, Any]) -> str:
    """Return a file's text; a query is written line by line, as it is read."""
    import yaml  # noqa: PLC0415 - only whoever changes rules needs it

    class Dumper(yaml.SafeDumper):
        """Writes texts of several lines as blocks, and repeats what is the same: an alias is for programs."""

        def ignore_aliases(self, _: object) -> bool:
            return True

    def text(dumper: Any, value: str) -> Any:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    return _HEADER + str(yaml.dump(content, Dumper=Dumper, sort_keys=False, width=140))


if __name__ == "__main__":
    for _name, _content in files_of_grafana().items():
        Path(sys.argv[1], _name).write_text(as_yaml(_content), "utf-8")
