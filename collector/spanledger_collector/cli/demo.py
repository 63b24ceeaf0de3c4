"""`spanledger demo`: a company, its LLM vendors and the ledger, from call to proof."""

import contextlib
import shutil
import sys
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from spanledger_collector.cli.access import Json, store_path
from spanledger_collector.database import serving_of
from spanledger_collector.exceptions import UsageError

__all__ = ["Incident", "demo"]


class Incident(StrEnum):
    """What can go wrong in the demo."""

    RETRY_LOOP = "retry-loop"
    CONTEXT_LEAK = "context-leak"
    WRONG_PRICE = "wrong-price"
    CACHE_COLLAPSE = "cache-collapse"
    LEAKED_KEY = "leaked-key"
    NONE = "none"


_MARK: Final = "demo-ledger"


def demo(
    calls: Annotated[int, typer.Option(min=1, help="About how many LLM calls to make.")] = 1500,
    seed: Annotated[int, typer.Option(help="The same seed makes the same calls.")] = 1,
    json: Json = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep serving the ledger when done, until Ctrl-C.")] = False,
    incident: Annotated[
        Incident | None,
        typer.Option(
            help="Instead: after a quiet week, which is replayed, something goes wrong, and on-call is told. none: nothing goes wrong."
        ),
    ] = None,
    alertmanager: Annotated[
        str | None, typer.Option(help="With --incident: URL of an Alertmanager to tell, too.", show_default=False)
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option("--store", help="Folder of the demo's ledger.", show_default="~/.local/share/spanledger-demo"),
    ] = None,
) -> None:
    """Drive real OpenAI and Anthropic clients against local vendors, and prove the ledger against the vendors' bill."""
    missing = [name for name in ("openai", "anthropic") if find_spec(name) is None]
    if missing:
        raise UsageError(f"The demo needs {' and '.join(missing)}, not installed here: pip install 'spanledger[demo]'")
    from spanledger_collector.demo.runner import run_demo  # noqa: PLC0415 - what it imports is an extra
    from spanledger_collector.demo.watch import run_incident  # noqa: PLC0415 - the same

    folder = _demo_store(store) if store else _fresh(_demo_store(store_path(None, "spanledger-demo")))
    if incident:
        out = Console(highlight=False)
        sys.exit(
            run_incident(incident.value, seed=seed, store=folder, alertmanager=alertmanager, keep=keep, console=out)
        )
    sys.exit(run_demo(calls=calls, seed=seed, store=folder, as_json=json, keep=keep, console=Console(highlight=False)))


def _demo_store(folder: Path) -> Path:
    """Return the folder if invented money may go there: a new one, or that of an earlier demo."""
    mark = folder / _MARK
    if (folder / "clickhouse").exists() and not mark.exists():
        raise UsageError(
            f"{folder} holds a ledger that is not a demo's; the demo would mix invented calls into it. Give another --store."
        )
    with contextlib.suppress(OSError):  # opening the store will say what is wrong with the folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        mark.touch()
    return folder


def _fresh(folder: Path) -> Path:
    """Empty the demo's own folder, unless somebody serves it; a folder that the user named is kept."""
    if serving_of(folder) is None:
        shutil.rmtree(folder / "clickhouse", ignore_errors=True)
    return folder
