"""`spanledger load`: made-up calls at a rate, and what became of each."""

import time
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from spanledger_collector.cli.access import ClickHouseUrl, Json, Store, Yes, confirmed, reading, server_of
from spanledger_collector.cli.show import as_json, counted, working
from spanledger_collector.exceptions import StoreError, UsageError
from spanledger_collector.load import Load, Stored, others, stored

__all__ = ["load"]

_SETTLE_SECONDS: Final = 120.0

_Otlp = Annotated[
    str | None, typer.Option("--otlp", help="Where to send, by OTLP over HTTP; else to `spanledger up` of the store.")
]
_Ca = Annotated[
    Path | None, typer.Option("--ca", help="Certificate (PEM) to trust, where the one at --otlp is its own.")
]
_TokenFile = Annotated[Path | None, typer.Option("--token-file", help="File with the token to send with.")]
_Rate = Annotated[float, typer.Option("--rate", min=0.01, max=1e6, help="Calls a second.")]
_Seconds = Annotated[float, typer.Option("--seconds", min=0.1, max=1e6, help="For how long.")]
_Senders = Annotated[int, typer.Option("--senders", min=1, max=64, help="Connections in parallel.")]
_Batch = Annotated[int, typer.Option("--batch", min=1, max=10_000, help="Spans in a request, at most.")]
_Blind = Annotated[bool, typer.Option("--blind", help="Do not ask the ledger what became of the calls.")]


def load(
    otlp: _Otlp = None,
    rate: _Rate = 100.0,
    seconds: _Seconds = 30.0,
    senders: _Senders = 2,
    batch: _Batch = 512,
    token_file: _TokenFile = None,
    ca: _Ca = None,
    store: Store = None,
    clickhouse: ClickHouseUrl = None,
    blind: _Blind = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Send made-up calls of models, as services do, and say how many were sent, accepted, stored, lost and doubled.

    They are billed like others, as the service spanledger-load, and stay: where a ledger has real calls, it asks first.
    Exit code 1: lost or doubled.
    """
    serving = server_of(store, clickhouse)
    url, token = otlp or (serving.otlp_http_url if serving else ""), serving.token if serving and not otlp else ""
    if not url:
        raise UsageError("Say where to send with --otlp, or start `spanledger up` on the store.")
    token = _read(token_file) if token_file else token
    run = Load(url.rstrip("/"), rate, seconds, token, ca, senders, batch)
    run.check()
    if not blind:
        _check_ledger(run, store, clickhouse, yes=yes)
    with working(f"Sending {rate:g} calls a second for {seconds:g} s"):
        run.send()
    kept = None if blind else _awaited(run, store, clickhouse)
    report = _report(run, kept)
    typer.echo(
        as_json([report])
        if json
        else "\n".join(f"{name.replace('_', ' '):22} {value}" for name, value in report.items())
    )
    if run.given_up or (kept is not None and (kept.calls != run.accepted or kept.doubled)):
        raise typer.Exit(1)


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8").split()[0]
    except IndexError:
        reason = "it is empty"
    except UnicodeDecodeError:
        reason = "it is no text"
    except OSError as error:
        reason = str(error.strerror)
    raise UsageError(f"--token-file: {file} has no token: {reason}. Name a file whose first word is one.")


def _check_ledger(run: Load, store: Path | None, clickhouse: str | None, *, yes: bool) -> None:
    """Ask the ledger once before anything is sent to it: what cannot be read would be billed and never counted.

    Made-up money beside real money needs a yes: it cannot be taken out again.
    """
    try:
        with working("Asking the ledger"), reading(store, clickhouse) as client:
            stored(client, run.run)
            real = others(client)
    except StoreError as error:
        raise StoreError(
            f"Nothing was sent. {error} Name the ledger that is written to, or --blind to ask none."
        ) from error
    if real:
        confirmed(
            f"This ledger has {counted(real, 'call')} of your services. Made-up calls are billed beside "
            "them, in sums and statements, and cannot be taken out again.",
            yes=yes,
        )


def _awaited(run: Load, store: Path | None, clickhouse: str | None) -> Stored:
    """Ask until all that was accepted is a billed call, for two minutes at most."""
    end, kept = time.monotonic() + _SETTLE_SECONDS, Stored()
    with working("Asking the ledger"), reading(store, clickhouse) as client:
        while kept.calls < run.accepted and time.monotonic() < end:
            kept = stored(client, run.run)
            time.sleep(0.2)
    return kept


def _report(run: Load, kept: Stored | None) -> dict[str, Any]:
    report: dict[str, Any] = {
        "run": run.run,
        "sent": run.accepted + run.given_up,
        "accepted": run.accepted,
        "given_up": run.given_up,
        "refused_requests": dict(run.refused) or 0,
        "calls_per_second": round(run.accepted / run.taken_seconds, 1),
        "ack_p50_ms": round(run.latency_ms(50), 1),
        "ack_p95_ms": round(run.latency_ms(95), 1),
    }
    if kept is not None:
        report |= {"stored": kept.calls, "lost": max(0, run.accepted - kept.calls), "doubled": kept.doubled}
    return report
