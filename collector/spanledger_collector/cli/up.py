"""`spanledger up`: the embedded collector as a process."""

import signal
import threading
from typing import Annotated, Final

import typer
from rich.console import Console

from spanledger_collector.cli.access import Store, new_zone, store_path
from spanledger_collector.server import EmbeddedServer
from spanledger_collector.target import Target

__all__ = ["up"]

_HINT = """Serving the ledger {store}
  OTLP/HTTP       {http}
  OTLP/gRPC       {grpc}
  queries (HTTP)  {clickhouse}   (ClickHouse protocol, read only)
Point a program at it:  OTEL_EXPORTER_OTLP_ENDPOINT={http}
Then look:              spanledger cost --by team,model
Ctrl-C stops it; what was acknowledged is stored."""
_STOPPING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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
) -> None:
    """Run the embedded collector: take OpenTelemetry data on loopback, keep the ledger, answer queries."""
    stop = threading.Event()
    for number in _STOPPING:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup ignores it
            signal.signal(number, lambda *_: stop.set())
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    server = EmbeddedServer(
        store_path(store),
        otlp_http_port=otlp_http_port,
        otlp_grpc_port=otlp_grpc_port,
        clickhouse_port=clickhouse_port,
        target=Target(zone=new_zone()),
    )
    with server:
        urls = {"http": server.otlp_http_url, "grpc": server.otlp_grpc_url, "clickhouse": server.clickhouse_url}
        console.print(_HINT.format(store=store_path(store), **urls), markup=False)
        stop.wait()
        console.print("Stopping: writing what was taken, bringing the rollups up to date.")
    console.print("Stopped.")
