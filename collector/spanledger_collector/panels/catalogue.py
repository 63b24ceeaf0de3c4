"""All dashboards and annotations, in the order of the menu."""

from typing import Final

from spanledger_collector.exceptions import UsageError
from spanledger_collector.panels.anomalies import ANOMALIES
from spanledger_collector.panels.attribution import ATTRIBUTION
from spanledger_collector.panels.engineering import ENGINEERING
from spanledger_collector.panels.model import Annotation, Dashboard
from spanledger_collector.panels.overview import OVERVIEW
from spanledger_collector.panels.pipeline import PIPELINE
from spanledger_collector.panels.quality import QUALITY

__all__ = ["ANNOTATIONS", "DASHBOARDS", "dashboard_of"]

DASHBOARDS: Final = (OVERVIEW, ATTRIBUTION, ENGINEERING, ANOMALIES, QUALITY, PIPELINE)
ANNOTATIONS: Final = (
    Annotation("annotations/incidents", "Incidents", "red"),
    Annotation("annotations/deployments", "Deployments", "green"),
    Annotation("annotations/price_changes", "Price changes", "blue"),
)


def dashboard_of(name: str) -> Dashboard:
    """Return a dashboard by its name; UsageError when there is none."""
    for dashboard in DASHBOARDS:
        if dashboard.name == name:
            return dashboard
    raise UsageError(f"There is no dashboard {name!r}; there are {', '.join(each.name for each in DASHBOARDS)}.")
