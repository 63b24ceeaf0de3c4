"""`spanledger up`: the embedded collector as a process."""

import contextlib
import logging
import os
import resource
import signal
import threading
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from spanledger_collector.cli.access import Store, new_target, store_path
from spanledger_collector.cli.watching import (
    Alertmanager,
    AlertSeconds,
    GrafanaUrl,
    Receivers,
    RunbooksUrl,
    Webhook,
    receivers_of,
    watching_of,
)
from spanledger_collector.exceptions import UsageError
from spanledger_collector.listening import HOST, Tls
from spanledger_collector.operations.check import Ports, check
from spanledger_collector.operations.notify import notify, watchdog_seconds
from spanledger_collector.queries import read_users
from spanledger_collector.server import Doorway, EmbeddedServer

__all__ = ["up"]

_log = logging.getLogger(__name__)

_HINT = """Serving the ledger {store}
  OTLP/HTTP       {http}
  OTLP/gRPC       {grpc}
  queries (HTTP)  {clickhouse}   (ClickHouse protocol, read only; also /ready and /metrics)
  page            {clickhouse}/overview   (in a browser: spend, who spends, what is unknown)
Point a program at it:  OTEL_EXPORTER_OTLP_ENDPOINT={http}
Then look:              spanledger cost --by team,model
Ctrl-C stops it; what was acknowledged is stored."""
_STOPPING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_UsersFile = Annotated[
    Path | None,
    typer.Option(
        "--users",
        envvar="SPANLEDGER_USERS",
        show_default=False,
        help="File (mode 0600) of who may ask on the query port, a line each: NAME PASSWORD reader [TENANT], or NAME PASSWORD writer "
        "for the Collector's clickhouse exporter. Without it everybody on this machine may read.",
    ),
]
_DiskFreeMin = Annotated[
    int,
    typer.Option(
        "--disk-free-min",
        envvar="SPANLEDGER_DISK_FREE_MIN_MB",
        min=0,
        help="Megabytes of free disk below which nothing is taken.",
    ),
]
_Check = Annotated[bool, typer.Option("--check", help="Say whether it would start, and do not.")]


_OtlpHost = Annotated[
    str, typer.Option(envvar="SPANLEDGER_OTLP_HOST", help="IP address for OTLP; one that others reach needs --tokens.")
]
_Tokens = Annotated[
    Path | None,
    typer.Option(
        envvar="SPANLEDGER_TOKENS",
        show_default=False,
        help="File (mode 0600) with a line TOKEN TENANT for each who may send: their spans are that tenant's, whatever they say. "
        "A token alone brings spans that name their tenant themselves.",
    ),
]
_TlsCert = Annotated[
    Path | None,
    typer.Option(envvar="SPANLEDGER_TLS_CERT", show_default=False, help="Certificate (PEM): OTLP speaks TLS."),
]
_TlsKey = Annotated[
    Path | None, typer.Option(envvar="SPANLEDGER_TLS_KEY", show_default=False, help="Key of the certificate (PEM).")
]
_Fsync = Annotated[
    bool,
    typer.Option(
        "--fsync/--no-fsync",
        envvar="SPANLEDGER_FSYNC",
        help="Answer when data is on the disk, so that a power cut loses nothing; slower.",
    ),
]
_Alerts = Annotated[
    bool, typer.Option("--alerts/--no-alerts", envvar="SPANLEDGER_ALERTS", help="Evaluate the alert rules.")
]


def up(
    store: Store = None,
    otlp_http_port: Annotated[
        int, typer.Option(envvar="SPANLEDGER_OTLP_HTTP_PORT", min=0, max=65535, help="OTLP over HTTP; 0: any.")
    ] = 4318,
    otlp_grpc_port: Annotated[
        int, typer.Option(envvar="SPANLEDGER_OTLP_GRPC_PORT", min=0, max=65535, help="OTLP over gRPC; 0: any.")
    ] = 4317,
    clickhouse_port: Annotated[
        int, typer.Option(envvar="SPANLEDGER_CLICKHOUSE_PORT", min=0, max=65535, help="Queries; 0: any.")
    ] = 8123,
    otlp_host: _OtlpHost = HOST,
    tokens: _Tokens = None,
    tls_cert: _TlsCert = None,
    tls_key: _TlsKey = None,
    fsync: _Fsync = False,
    users: _UsersFile = None,
    disk_free_min: _DiskFreeMin = 1000,
    alerts: _Alerts = True,
    alert_seconds: AlertSeconds = 60.0,
    receivers: Receivers = None,
    alertmanager: Alertmanager = None,
    webhook: Webhook = None,
    grafana: GrafanaUrl = "",
    runbooks: RunbooksUrl = "",
    check_only: _Check = False,
) -> None:
    """Run the embedded collector: take OpenTelemetry data, keep the ledger, answer queries."""
    doorway = Doorway(otlp_host, tokens, _tls(tls_cert, tls_key))
    listed, path = read_users(users) if users else None, store_path(store)
    told = receivers_of(receivers, alertmanager, webhook)
    watching = watching_of(alert_seconds, told, grafana=grafana, runbooks=runbooks) if alerts else None
    if check_only:
        ports = Ports(otlp_http_port, otlp_grpc_port, clickhouse_port, doorway.host)
        for sentence in check(path, ports, disk_free_min * 1_000_000, new_target()):
            typer.echo(sentence)
        return
    server = EmbeddedServer(
        path,
        otlp_http_port=otlp_http_port,
        otlp_grpc_port=otlp_grpc_port,
        clickhouse_port=clickhouse_port,
        doorway=doorway,
        fsync=fsync,
        users=listed,
        disk_free_min=disk_free_min * 1_000_000,
        target=new_target(),
        watching=watching,
    )
    _run(server, path, doorway)


def _run(server: EmbeddedServer, path: Path, doorway: Doorway) -> None:
    stop = _stop_signalled()
    _allow_open_files()
    with server:
        urls = {"http": server.otlp_http_url, "grpc": server.otlp_grpc_url, "clickhouse": server.clickhouse_url}
        if doorway.tokens and not doorway.tls and not doorway.is_local:
            _say("Tokens travel in the clear: give --tls-cert and --tls-key, or let a proxy speak TLS.")
        _say(_HINT.format(store=path, **urls))
        _serve(server, stop)
        _say("Stopping: writing what was taken, bringing the rollups up to date.")
        notify("STOPPING=1")
    _say("Stopped.")


def _allow_open_files() -> None:
    """Take as many open files as the system lets us: senders that hold connections must not keep the engine from its own."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # where even that is more than there may be
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _stop_signalled() -> threading.Event:
    """Return what is set when this process is told to stop."""
    stop = threading.Event()
    for number in _STOPPING:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup ignores it
            signal.signal(number, lambda *_: stop.set())
    return stop


def _serve(server: EmbeddedServer, stop: threading.Event) -> None:
    """Wait for the end; tell the service manager that we are ready, and that we live as long as the ledger answers."""
    notify(f"READY=1\nSTATUS=Serving {server.otlp_http_url}, {server.clickhouse_url}")
    while not stop.wait(watchdog_seconds()):
        try:
            server.status.ledger()
        except Exception as error:  # noqa: BLE001 - whatever it is, silence makes the service manager start us anew
            _log.error("The ledger does not answer: %s", error)
        else:
            notify("WATCHDOG=1")


def _say(text: str) -> None:
    """Print for people; where the log is JSON, log it: nothing else may stand there."""
    if os.environ.get("SPANLEDGER_LOG_FORMAT", "").lower() == "json":
        _log.info(text.splitlines()[0])
        return
    Console(stderr=True, highlight=False, soft_wrap=True).print(text, markup=False)


def _tls(certificate: Path | None, key: Path | None) -> Tls | None:
    if (certificate is None) != (key is None):
        raise UsageError("TLS needs both --tls-cert and --tls-key.")
    return Tls(certificate, key) if certificate and key else None
