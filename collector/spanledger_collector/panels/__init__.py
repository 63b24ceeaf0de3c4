"""The panels that people look at: specified once, drawn by Grafana and by the built-in page."""

from spanledger_collector.panels.catalogue import ANNOTATIONS, DASHBOARDS, QUERIES, dashboard_of
from spanledger_collector.panels.model import Dashboard, Field, Kind, Panel, Row, Unit
from spanledger_collector.panels.queries import (
    ALL,
    FILTERS,
    UNTAGGED,
    Window,
    expand,
    interval_seconds,
    read_query,
    without_idle_filters,
)

__all__ = [
    "ALL",
    "ANNOTATIONS",
    "DASHBOARDS",
    "FILTERS",
    "QUERIES",
    "UNTAGGED",
    "Dashboard",
    "Field",
    "Kind",
    "Panel",
    "Row",
    "Unit",
    "Window",
    "dashboard_of",
    "expand",
    "interval_seconds",
    "read_query",
    "without_idle_filters",
]
