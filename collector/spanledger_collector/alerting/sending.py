"""Puts alerts into the words of their receivers and sends them: Alertmanager's API v2, and its webhook's format 4."""

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import requests

from spanledger_collector.alerting.book import Alert
from spanledger_collector.alerting.receivers import Receiver
from spanledger_collector.alerting.rules import WATCHDOG
from spanledger_collector.exceptions import SpanledgerError

__all__ = ["RefusedError", "SendError", "alertmanager_alerts", "send", "webhook_message"]

_BATCH: Final = 200
_OF_RECEIVER: Final = frozenset({401, 403, 408, 429})  # of the 4xx: what it would say to any request
_GENERATOR: Final = "generator_url"
_NEVER: Final = "0001-01-01T00:00:00Z"  # how Alertmanager writes that an alert has no end yet


class SendError(SpanledgerError):
    """A receiver could not be told; the text names no URL, which may be a secret."""


class RefusedError(SendError):
    """A receiver did not take a request; another it may take."""


def send(receiver: Receiver, alerts: Sequence[Alert], now: float, lifetime_seconds: float) -> Iterator[Sequence[Alert]]:
    """Send alerts in a few requests; yield what each of them brought over, once it is acknowledged.

    SendError ends it: at once where the receiver is away or lets nobody in; at the end where it refused one of them, which holds no other.
    """
    refused: SendError | None = None
    with requests.Session() as session:
        session.headers["User-Agent"] = "spanledger"
        if receiver.token:
            session.headers["Authorization"] = f"Bearer {receiver.token}"
        elif receiver.username:
            session.auth = (receiver.username, receiver.password)
        for batch in _batches(receiver, alerts):
            try:
                _tell(session, receiver, batch, now, lifetime_seconds)
            except RefusedError as error:
                refused = refused or error
            else:
                yield batch
    if refused:
        raise refused


def _tell(
    session: requests.Session, receiver: Receiver, batch: Sequence[Alert], now: float, lifetime_seconds: float
) -> None:
    if receiver.kind == "alertmanager":
        told = alertmanager_alerts(batch, now, lifetime_seconds)
        _post(session, receiver, f"{receiver.url.rstrip('/')}/api/v2/alerts", told)
    else:
        _post(session, receiver, receiver.url, webhook_message(receiver, batch))


def alertmanager_alerts(alerts: Sequence[Alert], now: float, lifetime_seconds: float) -> list[dict[str, Any]]:
    """Return what `POST /api/v2/alerts` takes. An alert that is not sent again ends by itself after its lifetime.

    A further notice is an alert of its own for Alertmanager, which tells of nothing twice but at its repeat_interval; the one before ends.
    The watchdog lives from the last evaluation on, not from now: a watcher whose evaluations stand still must fall silent.
    """
    told = []
    for alert in alerts:
        alive_at = alert.seen_at if alert.rule == WATCHDOG.name else now
        end = alert.resolved_at or alive_at + lifetime_seconds
        told.append(_alertmanager_alert(alert, alert.notice, end))
        if 0 < alert.told_notice < alert.notice:
            told.append(_alertmanager_alert(alert, alert.told_notice, now))
    return told


def _alertmanager_alert(alert: Alert, notice: int, end: float) -> dict[str, Any]:
    return {
        "labels": _labels(alert) | ({"notice": str(notice)} if notice > 1 else {}),
        "annotations": _annotations(alert),
        # It takes no end before the beginning, which a clock set back makes.
        "startsAt": _rfc3339(min(alert.fired_at, end)),
        "endsAt": _rfc3339(end),
        "generatorURL": alert.annotations.get(_GENERATOR, ""),
    }


def webhook_message(receiver: Receiver, alerts: Sequence[Alert]) -> dict[str, Any]:
    """Return what Alertmanager would send to a webhook of a group of alerts: format 4."""
    told = [_webhook_alert(alert) for alert in alerts]
    labels = _common([alert["labels"] for alert in told])
    name = alerts[0].rule
    return {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{name}"}}',
        "truncatedAlerts": 0,
        "status": "firing" if any(alert["status"] == "firing" for alert in told) else "resolved",
        "receiver": receiver.name,
        "groupLabels": {"alertname": name},
        "commonLabels": labels,
        "commonAnnotations": _common([alert["annotations"] for alert in told]),
        "externalURL": alerts[0].annotations.get(_GENERATOR, ""),
        "alerts": told,
    }


def _webhook_alert(alert: Alert) -> dict[str, Any]:
    labels = _labels(alert)
    return {
        "status": "resolved" if alert.is_resolved else "firing",
        "labels": labels,
        "annotations": _annotations(alert),
        "startsAt": _rfc3339(alert.fired_at),
        "endsAt": _rfc3339(alert.resolved_at) if alert.resolved_at else _NEVER,
        "generatorURL": alert.annotations.get(_GENERATOR, ""),
        "fingerprint": hashlib.sha256(repr(sorted(labels.items())).encode()).hexdigest()[:16],
    }


def _labels(alert: Alert) -> dict[str, str]:
    return {"alertname": alert.rule, **{name: text for name, text in alert.labels.items() if text}}


def _annotations(alert: Alert) -> dict[str, str]:
    return {name: text for name, text in alert.annotations.items() if text and name != _GENERATOR}


def _common(tables: Sequence[Mapping[str, str]]) -> dict[str, str]:
    first, *rest = tables
    return {name: text for name, text in first.items() if all(table.get(name) == text for table in rest)}


def _batches(receiver: Receiver, alerts: Sequence[Alert]) -> Iterator[Sequence[Alert]]:
    """Yield what goes into one request: for a webhook the alerts of one rule, what fires apart from what ended."""
    groups = [list(alerts)]
    if receiver.kind != "alertmanager":
        by = sorted(alerts, key=lambda alert: (alert.rule, alert.is_resolved))
        groups = [list(group) for _, group in itertools.groupby(by, lambda alert: (alert.rule, alert.is_resolved))]
    for group in groups:
        for start in range(0, len(group), _BATCH):
            yield group[start : start + _BATCH]


def _post(session: requests.Session, receiver: Receiver, url: str, told: Any) -> None:
    try:
        answer = session.post(
            url, json=told, timeout=receiver.timeout_seconds, verify=receiver.ca or True, allow_redirects=False
        )
    except (requests.RequestException, OSError) as error:
        raise SendError(f"{_reason(error)}.") from None  # what it says itself holds the URL
    if answer.status_code // 100 != 2:
        hint = ": it does not let us in" if answer.status_code in (401, 403) else ""
        is_of_request = answer.status_code // 100 == 4 and answer.status_code not in _OF_RECEIVER
        kind = RefusedError if is_of_request else SendError
        raise kind(f"It answered with HTTP status {answer.status_code}{hint}.")


def _reason(error: Exception) -> str:
    kinds = (
        (
            requests.exceptions.SSLError,
            "Its certificate is not trusted, or it speaks no TLS (`ca` names a file to trust)",
        ),
        (requests.exceptions.Timeout, "It did not answer in time"),
        (requests.exceptions.ConnectionError, "It cannot be reached"),
    )
    return next((text for kind, text in kinds if isinstance(error, kind)), f"It failed with {type(error).__name__}")


def _rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
