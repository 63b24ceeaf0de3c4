"""What a dashboard's JSON must be: every key that we write, its type, and what Grafana or a reader would stumble over."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic import Field as Key

from spanledger_collector.panels.queries import FILTERS

__all__ = ["faults_of"]

# Only the frontend of the data source expands these; alerts, exports and the built-in page could not.
_FRONTEND_MACRO: Final = re.compile(r"\$__(conditionalAll|adHocFilters|columns|rateColumns)\b")
_UNFILLED: Final = re.compile(r"\{[a-z_]+\}")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _DataSource(_Strict):
    type: Literal["grafana-clickhouse-datasource"]
    uid: Literal["${datasource}"]


class _Target(_Strict):
    datasource: _DataSource
    editorType: Literal["sql"]  # noqa: N815 - Grafana's names, here and below
    format: Literal[0, 1]
    rawSql: Annotated[str, Key(min_length=20)]  # noqa: N815
    refId: Literal["A"]  # noqa: N815


class _Place(_Strict):
    h: Annotated[int, Key(ge=1)]
    w: Annotated[int, Key(ge=1, le=24)]
    x: Annotated[int, Key(ge=0, le=23)]
    y: Annotated[int, Key(ge=0)]


class _Step(_Strict):
    color: Literal["green", "yellow", "red", "text", "blue"]
    value: float | int | None


class _Thresholds(_Strict):
    mode: Literal["absolute"]
    steps: Annotated[list[_Step], Key(min_length=1)]


class _Defaults(_Strict):
    color: dict[str, str]
    custom: dict[str, Any] | None = None
    displayName: str | None = None  # noqa: N815
    mappings: list[Any]
    min: int | None = None
    noValue: Annotated[str, Key(min_length=10)]  # noqa: N815
    thresholds: _Thresholds
    unit: Annotated[str, Key(min_length=1)]


class _Property(_Strict):
    id: Literal[
        "displayName", "unit", "noValue", "decimals", "thresholds", "mappings", "links", "color", "min", "custom.cellOptions",
        "custom.width",
    ]  # fmt: skip
    value: Any


class _Matcher(_Strict):
    id: Literal["byName", "byRegexp"]
    options: str


class _Override(_Strict):
    matcher: _Matcher
    properties: Annotated[list[_Property], Key(min_length=1)]


class _FieldConfig(_Strict):
    defaults: _Defaults
    overrides: list[_Override]


class _Panel(_Strict):
    id: Annotated[int, Key(ge=1)]
    gridPos: _Place  # noqa: N815
    datasource: _DataSource
    description: Annotated[str, Key(min_length=20)]
    fieldConfig: _FieldConfig  # noqa: N815
    interval: Annotated[str, Key(pattern=r"\d+m")] | None = None
    maxDataPoints: int | None = None  # noqa: N815
    options: dict[str, Any]
    targets: Annotated[list[_Target], Key(min_length=1, max_length=1)]
    title: Annotated[str, Key(min_length=3)]
    type: Literal["stat", "timeseries", "table", "bargauge"]


class _RowPanel(_Strict):
    id: Annotated[int, Key(ge=1)]
    collapsed: Literal[False]
    gridPos: _Place  # noqa: N815
    panels: Annotated[list[Any], Key(max_length=0)]
    title: Annotated[str, Key(min_length=2)]
    type: Literal["row"]


class _Variables(_Strict):
    list: list[dict[str, Any]]


class _AnnotationTarget(_Strict):
    editorType: Literal["sql"]  # noqa: N815
    format: Literal[1]
    rawSql: str  # noqa: N815
    refId: Literal["Anno"]  # noqa: N815


class _Annotation(_Strict):
    datasource: _DataSource
    enable: bool
    hide: bool
    iconColor: str  # noqa: N815
    name: str
    target: _AnnotationTarget


class _Annotations(_Strict):
    list: list[_Annotation]


class _Link(_Strict):
    asDropdown: bool  # noqa: N815
    icon: str
    includeVars: Literal[True]  # noqa: N815
    keepTime: Literal[True]  # noqa: N815
    tags: list[str]
    targetBlank: bool  # noqa: N815
    title: str
    tooltip: str
    type: Literal["dashboards"]
    url: str


class _Time(_Strict):
    from_: Annotated[str, Key(alias="from", pattern=r"now-\d+[hd]")]
    to: Literal["now"]


class _Dashboard(_Strict):
    annotations: _Annotations
    description: Annotated[str, Key(min_length=20)]
    editable: bool
    fiscalYearStartMonth: int  # noqa: N815
    graphTooltip: Literal[0, 1, 2]  # noqa: N815
    links: Annotated[list[_Link], Key(min_length=1)]
    panels: Annotated[list[Annotated[_Panel | _RowPanel, Key(discriminator="type")]], Key(min_length=1)]
    refresh: str
    schemaVersion: Annotated[int, Key(ge=39, le=41)]  # noqa: N815
    tags: Annotated[list[str], Key(min_length=1)]
    templating: _Variables
    time: _Time
    timepicker: dict[str, Any]
    timezone: str
    title: Annotated[str, Key(min_length=3)]
    uid: Annotated[str, Key(pattern=r"^[a-z0-9-]{3,40}$")]
    version: int


def faults_of(dashboard: dict[str, Any]) -> list[str]:
    """Return what is wrong with a dashboard's JSON, in sentences; nothing if all is well."""
    try:
        read = _Dashboard.model_validate(dashboard)
    except ValidationError as error:
        return [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
    return [*_faults_of_places(read), *_faults_of_queries(read), *_faults_of_variables(read)]


def _faults_of_places(dashboard: _Dashboard) -> Iterator[str]:
    ids = [panel.id for panel in dashboard.panels]
    if len(set(ids)) != len(ids):
        yield f"Two panels have one id: {sorted(ids)}."
    taken: dict[tuple[int, int], str] = {}
    for panel in dashboard.panels:
        place = panel.gridPos
        if place.x + place.w > 24:
            yield f"{panel.title!r} is wider than the page."
        cells = [(x, y) for x in range(place.x, place.x + place.w) for y in range(place.y, place.y + place.h)]
        if others := {taken[cell] for cell in cells if cell in taken}:
            yield f"{panel.title!r} lies on {', '.join(sorted(others))}."
        taken |= dict.fromkeys(cells, panel.title)


def _faults_of_queries(dashboard: _Dashboard) -> Iterator[str]:
    for panel in dashboard.panels:
        if isinstance(panel, _RowPanel):
            continue
        sql = panel.targets[0].rawSql
        if found := _FRONTEND_MACRO.search(sql):
            yield f"{panel.title!r} uses {found[0]}, which only the frontend expands."
        if found := _UNFILLED.search(re.sub(r"\$\{\w+(:\w+)?\}", "", sql)):
            yield f"{panel.title!r} has an unfilled placeholder {found[0]}."
        if (panel.type == "timeseries") != (panel.targets[0].format == 0):
            yield f"{panel.title!r} asks for the wrong format."


def _faults_of_variables(dashboard: _Dashboard) -> Iterator[str]:
    names = [str(variable.get("name")) for variable in dashboard.templating.list]
    used = set(re.findall(r"\$\{(\w+):", str([panel.model_dump() for panel in dashboard.panels])))
    for name in sorted({"datasource", *FILTERS} - set(names)):
        yield f"There is no variable {name}."
    for name in sorted(used - set(names)):
        yield f"A query uses the variable {name}, which there is not."
