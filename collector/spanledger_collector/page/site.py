"""What the browser must know before it asks: dashboards, panels and fields, and where links lead."""

from typing import Any

from spanledger_collector.panels import DASHBOARDS, FILTERS, Dashboard, Field, Panel, dashboard_of, read_query
from spanledger_collector.panels.words import Word

__all__ = ["SITE"]


def _dashboard(dashboard: Dashboard) -> dict[str, Any]:
    return {
        "name": dashboard.name,
        "title": dashboard.title,
        "description": dashboard.description,
        "since": dashboard.since,
        "choices": [{"name": each.name, "label": each.label, "options": each.options} for each in dashboard.choices],
        "rows": [
            {
                "title": row.title,
                "height": row.height,
                "panels": [_panel(dashboard, panel) | {"width": width} for panel, width in row.panels],
            }
            for row in dashboard.rows
        ],
    }


def _panel(dashboard: Dashboard, panel: Panel) -> dict[str, Any]:
    query = dashboard.query_of(panel)
    return {
        "query": query,
        "id": query.rpartition("/")[2],
        "title": panel.title,
        "description": panel.description,
        "kind": panel.kind.value,
        "fields": [_field(field) for field in panel.fields],
        "empty": panel.empty,
        "split": panel.split,
        "words": _words(panel.words),
        "stacked": panel.stacked,
        "fixed": panel.fixed,
    }


def _field(field: Field) -> dict[str, Any]:
    link, steps = field.link, field.steps
    return {
        "name": field.name,
        "title": field.title,
        "unit": field.unit.name,
        "steps": [["base", steps.base], *steps.limits] if steps else [],
        "link": {
            "dashboard": link.dashboard,
            "variable": link.variable,
            "anchor": _anchor(link.dashboard, link.variable),
        }
        if link
        else None,
        "bar": field.bar,
        "zero": field.zero,
        "signed": field.signed,
        "words": _words(field.words),
    }


def _words(words: tuple[Word, ...]) -> dict[str, Any]:
    return {word.value: {"text": word.text, "color": word.color} for word in words}


def _anchor(name: str, variable: str) -> str:
    """Return the panel of a dashboard that a variable fills; empty where it filters them all."""
    dashboard = dashboard_of(name)
    asking = [
        dashboard.query_of(panel).rpartition("/")[2]
        for panel in dashboard.panels
        if variable not in FILTERS and f"${{{variable}:singlequote}}" in read_query(dashboard.query_of(panel))
    ]
    return asking[0] if asking else ""


SITE = {"dashboards": [_dashboard(each) for each in DASHBOARDS], "filters": FILTERS}
"""The same for everybody; what depends on the ledger and on who asks is added to it."""
