"""Finds out what is wrong between a service and its ledger, part by part, and says it in words."""

import contextlib
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from clickhouse_connect.driver.client import Client

from spanledger_collector.database import Serving
from spanledger_collector.migrations import pending
from spanledger_collector.operations.canary import SERVICE
from spanledger_collector.target import Target

__all__ = ["Finding", "environment", "ledger", "listening", "store"]

_SKEW_SECONDS: Final = 60
_LAG_SECONDS: Final = 60
_SILENT_SECONDS: Final = 3600
_LIST_AGE_DAYS: Final = 30
_ENDPOINTS: Final = (
    "SPANLEDGER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
)
_DEFAULT_ENDPOINT: Final = "http://localhost:4318"
_LOOPBACK: Final = {"localhost": "127.0.0.1", "::1": "127.0.0.1"}


@dataclass(frozen=True)
class Finding:
    """What was found about one part: well, to be looked at, or broken."""

    part: str
    state: Literal["ok", "warn", "fail"]
    sentence: str


def listening(path: Path, serving: Serving | None) -> Iterator[Finding]:
    """Look whether a collector serves the store, and whether both of its ports answer."""
    if serving is None:
        yield Finding(
            "listening", "fail", f"Nobody serves {path}: what services send now is lost. Start `spanledger up`."
        )
        return
    for name, url, shown in (
        ("OTLP", f"{serving.otlp_http_url}/health", serving.senders_url or serving.otlp_http_url),
        ("queries", f"{serving.clickhouse_url}/ready", serving.clickhouse_url),
    ):
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - our own, on loopback
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")
            yield Finding("listening", "fail", f"{url} answers {error.code}: {said.strip()}")
        except OSError as error:
            yield Finding(
                "listening", "fail", f"Process {serving.pid} has the store, but {url} does not answer: {error}."
            )
        else:
            yield Finding("listening", "ok", f"Process {serving.pid} takes {name} at {shown}.")


def store(path: Path, free_bytes_min: int) -> Iterator[Finding]:
    """Look at the folder of the store and its disk."""
    size = _size(path)
    mode = path.stat().st_mode & 0o077
    if mode:
        yield Finding("store", "warn", f"Others on this machine can look into {path}: chmod 700 {path}.")
    yield Finding("store", "ok", f"{path} holds {size / 1e6:,.1f} MB.")
    free = shutil.disk_usage(path).free
    full = free < free_bytes_min
    advice = f"; below {free_bytes_min / 1e6:,.0f} MB nothing is taken. Make room" if full else ""
    yield Finding("disk", "fail" if full else "ok", f"{free / 1e9:,.1f} GB are free{advice}.")


def _size(path: Path) -> int:
    """Return how many bytes the files of a folder have; those that vanish meanwhile, as parts do that are merged, have none."""
    size = 0
    for folder, _, names in os.walk(path):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                size += os.lstat(Path(folder, name)).st_size
    return size


def ledger(client: Client, target: Target) -> Iterator[Finding]:
    """Look at schema, clock, lag, prices and the services that were heard of."""
    behind = len(pending(client, target))
    advice = f"{behind} files are not applied: `spanledger migrate`, or restart `spanledger up`."
    yield Finding("schema", "warn" if behind else "ok", advice if behind else "The schema is that of this version.")
    skew = (
        client.query("select now64(3, 'UTC')").result_rows[0][0].replace(tzinfo=UTC) - datetime.now(UTC)
    ).total_seconds()
    is_off = abs(skew) > _SKEW_SECONDS
    off = f"The ledger's clock is {skew:+.0f} s from the one of this machine."
    yield (
        Finding("clock", "warn", off)
        if is_off
        else Finding("clock", "ok", "The ledger's clock is that of this machine.")
    )
    found = client.query("select * from ledger_status")
    row = dict(zip(found.column_names, found.result_rows[0], strict=True))
    yield from _status(row)
    yield from _services(client)


def _status(row: Mapping[str, Any]) -> Iterator[Finding]:
    lag = int(row["lag_seconds"])
    waiting = f"{row['waiting_traces']} traces wait to be judged, the oldest sum is {lag} s behind"
    yield Finding(
        "lag", "warn" if lag > _LAG_SECONDS else "ok", f"{waiting}." if lag else "Everything is judged and summed."
    )
    age, unpriced = int(row["price_list_age_days"]), int(row["unpriced_calls"] or 0)
    yield Finding(
        "prices",
        "warn" if age > _LIST_AGE_DAYS or unpriced else "ok",
        f"The price list has been in use for {age} days; {unpriced} calls of 30 days have a model without a price"
        + ("; `spanledger prices check` names them." if unpriced else "."),
    )
    if row["quarantined_spans"]:
        yield Finding(
            "quarantine",
            "warn",
            f"{row['quarantined_spans']} spans were kept aside; `spanledger quarantine list` says why.",
        )


def _services(client: Client) -> Iterator[Finding]:
    rows = client.query(
        "select service, silent_seconds, genai_spans from services_seen where service != {own:String} order by silent_seconds",
        {"own": SERVICE},
    ).result_rows
    if not rows:
        yield Finding("services", "warn", "No span came in seven days: is the SDK switched on, and does it send here?")
    for service, silent, spans in rows:
        name = service or "(no service.name)"
        if silent < -_SKEW_SECONDS:
            yield Finding(
                "clock", "warn", f"The clock of {name} is {-silent} s ahead: its calls stand in hours to come."
            )
        state: Literal["ok", "warn"] = "ok" if spans and silent < _SILENT_SECONDS else "warn"
        what = (
            f"{spans:,} GenAI spans in seven days"
            if spans
            else "spans, but none of a model: is its client instrumented?"
        )
        yield Finding("services", state, f"{name}: last heard of {max(silent, 0):,} s ago, {what}.")


def environment(serving: Serving | None, variables: Mapping[str, str] = os.environ) -> Finding:
    """Look where a program started in this environment would send."""
    name = next((name for name in _ENDPOINTS if variables.get(name)), "")
    endpoint = variables.get(name) or _DEFAULT_ENDPOINT
    says = f"{name} is {endpoint}" if name else f"No endpoint is set, so programs send to {endpoint}"
    if serving is None:
        return Finding("endpoint", "ok", f"{says}.")
    ours = serving.senders_url or serving.otlp_http_url
    if _place(endpoint) == _place(ours):
        return Finding("endpoint", "ok", f"{says}: this collector.")
    return Finding(
        "endpoint",
        "warn",
        f"{says}, but this collector takes OTLP/HTTP at {ours}: programs started here do not reach it.",
    )


def _place(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        return parts.scheme, _LOOPBACK.get(parts.hostname or "", parts.hostname or ""), parts.port
    except ValueError:
        return "", url, None
