"""The options of commands that watch a ledger: how often, whom they tell, where links lead."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from spanledger_collector.alerting.receivers import Receiver, read_receivers, receiver_of
from spanledger_collector.alerting.texts import Links
from spanledger_collector.alerting.watcher import Watching
from spanledger_collector.exceptions import UsageError

__all__ = [
    "AlertSeconds",
    "Alertmanager",
    "GrafanaUrl",
    "Receivers",
    "RunbooksUrl",
    "Webhook",
    "receivers_of",
    "watching_of",
]

AlertSeconds = Annotated[
    float, typer.Option("--alert-seconds", envvar="SPANLEDGER_ALERT_SECONDS", min=1, help="Seconds between two looks.")
]
Receivers = Annotated[
    Path | None,
    typer.Option(
        "--receivers",
        envvar="SPANLEDGER_RECEIVERS",
        show_default=False,
        help="File (TOML, mode 0600) of who is told: tables [[alertmanager]], [[webhook]], [[heartbeat]].",
    ),
]
Alertmanager = Annotated[
    str | None,
    typer.Option(
        "--alertmanager",
        envvar="SPANLEDGER_ALERTMANAGER_URL",
        show_default=False,
        help="URL of an Alertmanager to tell, one that asks for no password.",
    ),
]
Webhook = Annotated[
    str | None,
    typer.Option(
        "--webhook",
        envvar="SPANLEDGER_WEBHOOK_URL",
        show_default=False,
        help="URL to post alerts to, in the format of Alertmanager's webhooks.",
    ),
]
GrafanaUrl = Annotated[
    str,
    typer.Option(
        "--grafana", envvar="SPANLEDGER_GRAFANA_URL", help="URL of the Grafana that alerts lead to.", show_default=False
    ),
]
RunbooksUrl = Annotated[
    str,
    typer.Option(
        "--runbooks",
        envvar="SPANLEDGER_RUNBOOKS_URL",
        help="URL of the folder of runbooks that alerts lead to.",
        show_default="the collector's own",
    ),
]


def receivers_of(receivers: Path | None, alertmanager: str | None, webhook: str | None) -> list[Receiver]:
    """Return everybody who is to be told; UsageError for what cannot be."""
    found = read_receivers(receivers) if receivers else []
    found += [receiver_of("alertmanager", alertmanager)] if alertmanager else []
    found += [receiver_of("webhook", webhook)] if webhook else []
    if len({receiver.name for receiver in found}) != len(found):
        raise UsageError("A receiver is named twice, in the file of receivers and beside it.")
    return found


def watching_of(seconds: float, receivers: list[Receiver], *, grafana: str, runbooks: str, page: str = "") -> Watching:
    """Return how to watch; UsageError for an URL that is none."""
    for name, url in (("--grafana", grafana), ("--runbooks", runbooks)):
        if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
            raise UsageError(f"{name} is {url!r}; write http://host or https://host.")
    links: dict[str, Any] = {"page": page, "grafana": grafana, "runbooks": runbooks}
    return Watching(seconds, receivers, Links(**{name: url.rstrip("/") for name, url in links.items()}))
