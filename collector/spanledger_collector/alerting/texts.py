"""What on-call reads: the annotations of an alert, with links to its runbook and its dashboard."""

import re
from dataclasses import dataclass
from urllib.parse import quote

from spanledger_collector.alerting.evaluation import Finding, filled

__all__ = ["Links", "annotated"]

_FILTER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Links:
    """Where things are, as URLs without a slash at the end. ``grafana`` empty: the collector's own page shows dashboards."""

    page: str = ""
    grafana: str = ""
    runbooks: str = ""

    def dashboard(self, finding: Finding) -> str:
        """Return where to look at what an alert is about."""
        uid, _, variables = finding.rule.dashboard.partition("?")
        if self.grafana:
            filters = [part for part in variables.split("&") if finding.labels.get(part.partition("{")[2].rstrip("}"))]
            query = "&".join(
                _FILTER.sub(lambda match: quote(finding.labels[match[1]], safe=""), part) for part in filters
            )
            return f"{self.grafana}/d/{uid}" + (f"?{query}" if query else "")
        if incident := finding.labels.get("incident"):
            return f"{self.page}/anomalies?incident={quote(incident)}"
        return f"{self.page}/"

    def runbook(self, finding: Finding) -> str:
        """Return where it says what to do."""
        return f"{self.runbooks or f'{self.page}/runbooks'}/{finding.rule.runbook}"


def annotated(finding: Finding, links: Links) -> dict[str, str]:
    """Return the texts of an alert; what the finding itself knows beats its rule's."""
    rule = finding.rule
    texts = {"summary": rule.summary, "impact": rule.impact, "cause": rule.cause, "action": rule.action}
    return {
        **{name: filled(text, finding) for name, text in texts.items()},
        **finding.texts,
        "runbook_url": links.runbook(finding),
        "dashboard_url": links.dashboard(finding),
        "generator_url": links.dashboard(finding),
    }
