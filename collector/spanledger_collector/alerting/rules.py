"""The alert rules: what is asked, and how the answer reads to whoever is woken. Grafana's files and the embedded watcher are made of them.

A query answers with a number table: string columns, which are the alert's labels, and one number, ``value``. A row is an alert; no row is
quiet. Texts name labels and the number in braces.
"""

import re
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from typing import Final, Literal

from spanledger_collector.alerting.thresholds import SETTING, THRESHOLDS

__all__ = ["RULES", "WATCHDOG", "Rule", "Severity", "query_text", "rule_named"]

Severity = Literal["critical", "warning", "info", "none"]

_NAME: Final = re.compile(r"\{(\w+)\}")
_OR_OWN: Final = "ifNull((select toFloat64OrNull(value) from settings final where name = '{setting}'), {shipped})"


@dataclass(frozen=True)
class Rule:
    """One alert rule. ``query`` names a file of ``queries/``; empty: the collector knows it without asking the ledger.

    ``runbook`` is a page and a heading of ``dashboards/runbooks``. ``holds_minutes`` is how long it must be true before anybody is told.
    ``unit`` says how the number reads: usd, share, percent, seconds, minutes, days, tokens or count. ``doubles``: tell again when the
    number has doubled. ``dashboard`` is the uid of the dashboard to look at, with variables that name labels in braces.
    """

    name: str
    severity: Severity
    query: str
    unit: str
    summary: str
    impact: str
    cause: str
    action: str
    runbook: str
    holds_minutes: int = 0
    doubles: bool = False
    dashboard: str = "spanledger-pipeline"
    parameters: dict[str, str] = field(default_factory=dict)

    @cached_property
    def sql(self) -> str:
        """The query with its thresholds filled in, as it is run everywhere."""
        return query_text(self.query, self.parameters)

    @property
    def uid(self) -> str:
        """What Grafana knows it by: the name in lower case, words apart."""
        return "spanledger-" + re.sub(r"(?<!^)(?=[A-Z])", "-", self.name).lower()


def query_text(query: str, parameters: dict[str, str] | None = None) -> str:
    """Return the text of a query, its comment left out; what stands in braces is a threshold or one of the parameters.

    A threshold is the owner's number if the ledger keeps one, else the shipped one.
    """
    text = files(__package__).joinpath("queries", f"{query}.sql").read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    values = {name: _OR_OWN.format(setting=SETTING + name, shipped=it.written) for name, it in THRESHOLDS.items()}
    known = values | (parameters or {})
    return _NAME.sub(lambda match: known[match[1]], "\n".join(lines).strip())


WATCHDOG: Final = Rule(
    "Watchdog",
    "none",
    "watchdog",
    unit="count",
    summary="The watcher of the ledger lives.",
    impact="None. When this alert stops, nobody watches the spend: every other alert may be missing.",
    cause="It fires always, as long as the ledger answers.",
    action="Have a dead man's switch wake somebody when it stops.",
    runbook="watcher.md#watchdog",
)

_SPEND: Final = (
    Rule(
        "SpendPerHour",
        "critical",
        "spend_per_hour",
        unit="usd",
        summary="Feature {feature} of team {team} (tenant {tenant}) spent {value} USD in an hour.",
        impact="{value} USD in the last 60 minutes, and so on each hour.",
        cause="More than any feature may spend in an hour, whatever its history.",
        action="Find the actor; cap the feature or route it to a cheaper model.",
        runbook="spend.md#spend-per-hour",
        doubles=True,
        dashboard="spanledger-attribution?var-team={team}&var-feature={feature}",
    ),
    Rule(
        "SpendPerActor",
        "warning",
        "spend_per_actor",
        unit="usd",
        summary="User {user}, session {session} (tenant {tenant}) spent {value} USD in an hour.",
        impact="{value} USD in the last 60 minutes, by one user or session.",
        cause="No person reads that many answers: a loop, a script or a leaked key.",
        action="Look at the session's calls; stop the session or revoke the key.",
        runbook="spend.md#spend-per-actor",
        doubles=True,
        dashboard="spanledger-attribution?var-user={user}&var-session={session}",
    ),
    Rule(
        "SpendPerCall",
        "warning",
        "spend_per_call",
        unit="usd",
        summary="One call of {model} for feature {feature} of team {team} cost {value} USD.",
        impact="{value} USD for one call.",
        cause="An input as large as a library, or a price that is wrong.",
        action="Ask `spanledger explain` for the trace; cap the input.",
        runbook="spend.md#spend-per-call",
        dashboard="spanledger-attribution?var-team={team}&var-feature={feature}",
    ),
)

_BLIND: Final = (
    Rule(
        "CompletenessDrop",
        "warning",
        "completeness_drop",
        unit="share",
        summary="The cost of {value} of the calls of the last hour is not known ({completeness}).",
        impact="These calls are in no sum of money; spend alerts see only the rest.",
        cause="More calls than before end as {completeness}.",
        action="Find the service and what changed in it; switch usage on.",
        runbook="blind.md#completeness-drop",
        holds_minutes=5,
        dashboard="spanledger-quality",
    ),
    Rule(
        "ServiceSilent",
        "warning",
        "service_silent",
        unit="minutes",
        summary="Service {service} sends no calls any more, for {value} minutes.",
        impact="Its spend is not seen, or it makes no calls at all.",
        cause="Its longest pause of the two days before was far shorter.",
        action="Ask whether it runs; then follow its spans to the ledger.",
        runbook="blind.md#service-silent",
    ),
    Rule(
        "PricesStale",
        "warning",
        "prices_stale",
        unit="days",
        summary="The price list {source} {source_version} has been in use for {value} days.",
        impact="Models that changed their price since are priced wrongly; new ones not at all.",
        cause="Nobody installed a newer genai-prices, or ran `spanledger prices update`.",
        action="Update the price list; history is priced again.",
        runbook="blind.md#prices-stale",
        dashboard="spanledger-quality",
    ),
    Rule(
        "UnpricedModel",
        "warning",
        "unpriced_models",
        unit="tokens",
        summary="Model {model} of {provider} has no price: {value} tokens in a day.",
        impact="Its cost is unknown and in no sum.",
        cause="The price book knows neither the model nor an alias for it.",
        action="Set a price or an alias; its history is priced at once.",
        runbook="blind.md#unpriced-model",
        dashboard="spanledger-quality",
    ),
)

_PIPELINE: Final = (
    Rule(
        "SpansLost",
        "warning",
        "lost_spans",
        unit="count",
        summary="{value} spans of service {service} never arrived.",
        impact="Calls that were billed are missing from the ledger.",
        cause="The numbers that its processes give their spans have gaps.",
        action="Look for a full queue, a killed process or a Collector that drops.",
        runbook="pipeline.md#spans-lost",
        holds_minutes=5,
    ),
    Rule(
        "QuarantineGrows",
        "warning",
        "quarantine_growth",
        unit="count",
        summary="{value} {kept_aside} were kept aside in a quarter of an hour.",
        impact="What is kept aside is in no sum until it is retried.",
        cause="A sender's clock, encoding or counts cannot be right.",
        action="Read the reasons, mend the sender, retry.",
        runbook="pipeline.md#quarantine-grows",
    ),
    Rule(
        "RollupLag",
        "warning",
        "rollup_lag",
        unit="seconds",
        summary="Sums in {rollup_table} are {value} seconds behind the calls.",
        impact="Dashboards and alerts show less than was spent.",
        cause="Refreshes fail, or the machine cannot keep up.",
        action="Read the collector's log; give it more processor time.",
        runbook="pipeline.md#rollup-lag",
        holds_minutes=5,
    ),
    Rule(
        "ElectionLag",
        "warning",
        "election_lag",
        unit="seconds",
        summary="Traces wait for {value} seconds to be judged.",
        impact="Wrappers' money is missing, and doubles are not yet found.",
        cause="Elections fail, or spans arrive faster than they are judged.",
        action="Read the collector's log; give it more processor time.",
        runbook="pipeline.md#election-lag",
        holds_minutes=5,
    ),
    Rule(
        "DiskLow",
        "critical",
        "disk_low",
        unit="percent",
        summary="Only {value} percent of the ledger's disk {disk} are free.",
        impact="Soon nothing is taken any more: senders queue, then drop.",
        cause="The disk is nearly full.",
        action="Make room or shorten the retention.",
        runbook="pipeline.md#disk-low",
    ),
    Rule(
        "CollectorRefuses",
        "critical",
        "",
        unit="count",
        summary="The collector could not take {value} requests in the last minute.",
        impact="Senders queue what they have, then drop it.",
        cause="{reason}",
        action="Read `/ready`; make room on the disk or slow the senders.",
        runbook="pipeline.md#collector-refuses",
    ),
    Rule(
        "RuleFailed",
        "warning",
        "",
        unit="count",
        summary="The rule {rule} could not be evaluated.",
        impact="What it would tell is not told.",
        cause="{error}",
        action="Read the collector's log; run the query by hand.",
        runbook="watcher.md#rule-failed",
        holds_minutes=2,
    ),
)


def _incident(name: str, severity: Severity) -> Rule:
    return Rule(
        name,
        severity,
        "incidents",
        unit="usd",
        summary="{class}: {who} costs {value} USD more than expected.",
        impact="{value} USD since it began.",
        cause="The ledger's detection calls it {class}; the dashboard has its drivers and example calls.",
        action="Look at the example calls; then roll back, route, cap or kill.",
        runbook=f"incidents.md#spend-incident-{severity}",
        doubles=True,
        dashboard="spanledger-anomalies?var-incident={incident}",
        parameters={"severity": f"'{severity}'"},
    )


_INCIDENTS: Final = (_incident("SpendIncidentCritical", "critical"), _incident("SpendIncidentWarning", "warning"))

RULES: Final = (*_INCIDENTS, *_SPEND, *_BLIND, *_PIPELINE, WATCHDOG)


def rule_named(name: str) -> Rule:
    """Return a rule by its name; KeyError when there is none."""
    return {rule.name: rule for rule in RULES}[name]
