"""All dashboards and annotations, in the order of the menu."""

from typing import Final

from spanledger_collector.exceptions import UsageError
from spanledger_collector.panels.anomalies import ANOMALIES
from spanledger_collector.panels.attribution import ATTRIBUTION
from spanledger_collector.panels.engineering import ENGINEERING
from spanledger_collector.panels.model import Annotation, Dashboard, Panel
from spanledger_collector.panels.overview import OVERVIEW
from spanledger_collector.panels.pipeline import PIPELINE
from spanledger_collector.panels.quality import QUALITY
from spanledger_collector.panels.queries import FILTERS

__all__ = ["ANNOTATIONS", "DASHBOARDS", "QUERIES", "dashboard_of"]

DASHBOARDS: Final = (OVERVIEW, ATTRIBUTION, ENGINEERING, ANOMALIES, QUALITY, PIPELINE)
ANNOTATIONS: Final = (
    Annotation("annotations/incidents", "Incidents", "red"),
    Annotation("annotations/deployments", "Deployments", "green"),
    Annotation("annotations/price_changes", "Price changes", "blue"),
)
QUERIES: Final[dict[str, Panel | None]] = {
    **{f"variables/of-{name}": None for name in FILTERS},
    **{annotation.query: None for annotation in ANNOTATIONS},
    **{dashboard.query_of(panel): panel for dashboard in DASHBOARDS for panel in dashboard.panels},
}
"""Every query by its name, with the panel that draws it; none draws those of variables and annotations."""


def dashboard_of(name: str) -> Dashboard:
    """Return a dashboard by its name; UsageError when there is none."""
    for dashboard in DASHBOARDS:
        if dashboard.name == name:
            return dashboard
    raise UsageError(f"There is no dashboard {name!r}; there are {', '.join(each.name for each in DASHBOARDS)}.")
