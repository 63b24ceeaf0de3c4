"""Builds Grafana's classic dashboard JSON, which 11.6 to 13 load, from the panels. Core panels only, one datasource variable."""

import json
from collections.abc import Iterator
from typing import Any, Final

from spanledger_collector.panels.catalogue import ANNOTATIONS, DASHBOARDS
from spanledger_collector.panels.model import UID_PREFIX, Annotation, Choice, Dashboard, Field, Kind, Link, Panel, Unit
from spanledger_collector.panels.queries import ALL, FILTERS, read_query
from spanledger_collector.panels.thresholds import Steps
from spanledger_collector.panels.words import Word
from spanledger_collector.target import quoted

__all__ = ["DATASOURCE", "FOLDER_UID", "TAG", "build", "build_all", "written"]

TAG: Final = "spanledger"
"""Dashboards with this tag are ours; the menu of each lists all of them."""
FOLDER_UID: Final = "spanledger"
DATASOURCE: Final = {"type": "grafana-clickhouse-datasource", "uid": "${datasource}"}
_SCHEMA: Final = 39  # Grafana raises it; a higher one than the oldest supported Grafana knows would not load there
_TIME_SERIES, _TABLE = 0, 1  # formats of the data source


def build_all() -> dict[str, dict[str, Any]]:
    """Return every dashboard by the name of its file."""
    return {f"{dashboard.name}.json": build(dashboard) for dashboard in DASHBOARDS}


def written(dashboard: dict[str, Any]) -> str:
    """Return the text of a dashboard's file."""
    return json.dumps(dashboard, indent=2, ensure_ascii=False) + "\n"


def build(dashboard: Dashboard) -> dict[str, Any]:
    """Return the JSON of one dashboard."""
    return {
        "annotations": {"list": [_annotation(each) for each in ANNOTATIONS]},
        "description": dashboard.description,
        "editable": False,
        "fiscalYearStartMonth": 0,
        "graphTooltip": 1,
        "links": [_menu()],
        "panels": list(_panels(dashboard)),
        "refresh": "1m",
        "schemaVersion": _SCHEMA,
        "tags": [TAG],
        "templating": {"list": list(_variables(dashboard))},
        "time": {"from": dashboard.since, "to": "now"},
        "timepicker": {},
        "timezone": "",
        "title": f"spanledger: {dashboard.title}",
        "uid": dashboard.uid,
        "version": 1,
    }


def _menu() -> dict[str, Any]:
    return {
        "asDropdown": False, "icon": "external link", "includeVars": True, "keepTime": True, "tags": [TAG], "targetBlank": False,
        "title": "spanledger", "tooltip": "", "type": "dashboards", "url": "",
    }  # fmt: skip


def _annotation(annotation: Annotation) -> dict[str, Any]:
    return {
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": annotation.color,
        "name": annotation.title,
        "target": {"editorType": "sql", "format": _TABLE, "rawSql": read_query(annotation.query), "refId": "Anno"},
    }


def _variables(dashboard: Dashboard) -> Iterator[dict[str, Any]]:
    yield {
        "current": {}, "hide": 0, "includeAll": False, "label": "Ledger", "multi": False, "name": "datasource", "options": [],
        "query": DATASOURCE["type"], "refresh": 1, "regex": "", "skipUrlSync": False, "type": "datasource",
    }  # fmt: skip
    for name in FILTERS:
        sql = read_query(f"variables/of-{name}")
        yield {
            # Inserted as it is, where others are quoted: the condition of the queries knows it.
            "allValue": quoted(ALL),
            "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
            "datasource": DATASOURCE, "definition": sql, "hide": 0, "includeAll": True, "label": name.capitalize(), "multi": True,
            "name": name,
            "options": [], "query": {"editorType": "sql", "rawSql": sql, "refId": name}, "refresh": 2, "regex": "", "skipUrlSync": False,
            "sort": 1, "type": "query",
        }  # fmt: skip
    yield from map(_choice, dashboard.choices)


def _choice(choice: Choice) -> dict[str, Any]:
    first = choice.options[0] if choice.options else ""
    options = [{"selected": value == first, "text": value, "value": value} for value in choice.options or ("",)]
    common = {"hide": 0, "label": choice.label, "name": choice.name, "skipUrlSync": False}
    current = {"selected": True, "text": first, "value": first}
    if not choice.options:
        return {**common, "current": current, "options": options, "query": "", "type": "textbox"}
    listed = {"includeAll": False, "multi": False, "query": ",".join(choice.options), "type": "custom"}
    return {**common, **listed, "current": current, "options": options}


def _panels(dashboard: Dashboard) -> Iterator[dict[str, Any]]:
    number, y = 0, 0
    for row in dashboard.rows:
        if row.title:
            number += 1
            place = {"h": 1, "w": 24, "x": 0, "y": y}
            yield {"collapsed": False, "gridPos": place, "id": number, "panels": [], "title": row.title, "type": "row"}
            y += 1
        x = 0
        for panel, width in row.panels:
            number += 1
            place = {"h": row.height, "w": width, "x": x, "y": y}
            yield {"id": number, "gridPos": place, **_panel(dashboard, panel)}
            x += width
        y += row.height


def _panel(dashboard: Dashboard, panel: Panel) -> dict[str, Any]:
    is_series = panel.kind is Kind.TIME_SERIES
    target = {
        "datasource": DATASOURCE,
        "editorType": "sql",
        "format": _TIME_SERIES if is_series else _TABLE,
        "rawSql": read_query(dashboard.query_of(panel)),
        "refId": "A",
    }
    return {
        "datasource": DATASOURCE,
        "description": panel.description,
        "fieldConfig": {"defaults": _defaults(panel), "overrides": list(_overrides(panel))},
        **({"interval": f"{panel.step // 60}m", "maxDataPoints": 200} if is_series else {}),
        "options": _OPTIONS[panel.kind],
        "targets": [target],
        "title": f"{panel.title} ({panel.fixed})"
        if panel.fixed and panel.fixed not in panel.title.lower()
        else panel.title,
        "type": panel.kind.value,
    }


_REDUCE: Final = {"calcs": ["lastNotNull"], "fields": "/.*/", "values": False}
_LEGEND: Final = {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": True}
_OPTIONS: Final[dict[Kind, dict[str, Any]]] = {
    Kind.STAT: {
        "colorMode": "value", "graphMode": "none", "justifyMode": "auto", "orientation": "auto", "reduceOptions": _REDUCE,
        "showPercentChange": False, "textMode": "value_and_name", "wideLayout": False,
    },
    Kind.TIME_SERIES: {"legend": _LEGEND, "tooltip": {"mode": "multi", "sort": "desc"}},
    Kind.TABLE: {"cellHeight": "sm", "showHeader": True},
    Kind.RANKING: {
        "displayMode": "basic", "minVizHeight": 16, "minVizWidth": 8, "namePlacement": "left", "orientation": "horizontal",
        "showUnfilled": True,
        "reduceOptions": {"calcs": [], "fields": "/^Known cost$/", "limit": 10, "values": True}, "sizing": "auto", "valueMode": "text",
    },
}  # fmt: skip


def _defaults(panel: Panel) -> dict[str, Any]:
    one = panel.fields[0] if panel.kind is Kind.TIME_SERIES else None
    defaults: dict[str, Any] = {
        "color": {"mode": "thresholds" if panel.kind in (Kind.STAT, Kind.TABLE) else "palette-classic"},
        "mappings": [],
        "noValue": panel.empty,
        "thresholds": _steps(None),
        "unit": one.unit.grafana if one else Unit.TEXT.grafana,
    }
    if panel.kind is Kind.RANKING:
        defaults["color"] = {"fixedColor": "blue", "mode": "fixed"}
    if panel.kind is Kind.TABLE:
        defaults["custom"] = {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": False, "inspect": False}
    if one:
        defaults["custom"] = _drawing(panel)
        defaults["min"] = 0
        if panel.split:
            defaults["displayName"] = "${__field.labels.series}"
    return defaults


def _drawing(panel: Panel) -> dict[str, Any]:
    return {
        "drawStyle": "bars" if panel.stacked else "line",
        "fillOpacity": 80 if panel.stacked else 0,
        "lineWidth": 0 if panel.stacked else 2,
        "showPoints": "never" if panel.stacked else "auto",
        "spanNulls": False,
        "stacking": {"group": "A", "mode": "normal" if panel.stacked else "none"},
    }


def _overrides(panel: Panel) -> Iterator[dict[str, Any]]:
    if panel.split:
        yield from map(_series_word, panel.words)
        return
    for field in panel.fields:
        yield {"matcher": {"id": "byName", "options": field.name}, "properties": list(_properties(panel, field))}


def _properties(panel: Panel, field: Field) -> Iterator[dict[str, Any]]:
    yield {"id": "displayName", "value": field.title}
    yield {"id": "unit", "value": field.unit.grafana}
    yield {"id": "noValue", "value": "\u2013"}  # of the panel it is what a cell without a value would say too
    if field.unit is Unit.SHARE:
        yield {"id": "decimals", "value": 1}
    if field.steps:
        yield {"id": "thresholds", "value": _steps(field.steps)}
    if field.words:
        words = {word.value: _mapped(word, index) for index, word in enumerate(field.words)}
        yield {"id": "mappings", "value": [{"options": words, "type": "value"}]}
    if field.zero:
        yield {"id": "mappings", "value": [{"options": {"0": {"index": 0, "text": field.zero}}, "type": "value"}]}
    yield from _links(panel, field)
    if panel.kind is Kind.TABLE:
        yield from _cells(field)


def _mapped(word: Word, index: int) -> dict[str, Any]:
    return (
        {"color": word.color, "index": index, "text": word.text} if word.color else {"index": index, "text": word.text}
    )


def _series_word(word: Word) -> dict[str, Any]:
    """Name a series: mappings know values only, and Grafana's own name of it is that of the field and of the label."""
    name = {"id": "displayName", "value": word.text}
    return {"matcher": {"id": "byRegexp", "options": rf"/\b{word.value}\b/"}, "properties": [name]}


def _links(panel: Panel, field: Field) -> Iterator[dict[str, Any]]:
    """Put a field's link on it; in a ranking only the bars can be clicked, which are those of the second field."""
    if panel.kind is Kind.RANKING:
        first = panel.fields[0]
        if field is panel.fields[1] and first.link:
            yield {"id": "links", "value": [_link(first.link, "${__data.fields[0]}", "__data.fields[0]")]}
    elif field.link:
        yield {"id": "links", "value": [_link(field.link, f"{field.title}: ${{__value.text}}", "__value.raw")]}


def _cells(field: Field) -> Iterator[dict[str, Any]]:
    if field.bar:
        yield {"id": "custom.cellOptions", "value": {"mode": "basic", "type": "gauge", "valueDisplayMode": "text"}}
        yield {"id": "color", "value": {"fixedColor": "blue", "mode": "fixed"}}
        yield {"id": "min", "value": 0}
    elif field.steps or any(word.color for word in field.words):
        yield {"id": "custom.cellOptions", "value": {"type": "color-text"}}
    if field.name == "bound":
        yield {"id": "custom.width", "value": 36}


def _link(link: Link, title: str, value: str) -> dict[str, Any]:
    kept = "&".join(f"${{{name}:queryparam}}" for name in ("datasource", *FILTERS) if name != link.variable)
    # Of itself Grafana leaves & and # in a value as they are.
    set_to = f"var-{link.variable}=${{{value}:percentencode}}"
    url = f"/d/{UID_PREFIX}{link.dashboard}?${{__url_time_range}}&{kept}&{set_to}"
    return {"targetBlank": False, "title": title, "url": url}


def _steps(steps: Steps | None) -> dict[str, Any]:
    steps = steps or Steps("text", ())
    listed = [
        {"color": steps.base, "value": None},
        *({"color": color, "value": limit} for limit, color in steps.limits),
    ]
    return {"mode": "absolute", "steps": listed}
