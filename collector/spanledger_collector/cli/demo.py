"""`spanledger demo`: a company, its LLM vendors and the ledger, from call to proof."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from spanledger_collector.cli.access import Json, store_path

__all__ = ["demo"]


def demo(
    calls: Annotated[int, typer.Option(min=1, help="About how many LLM calls to make.")] = 1500,
    seed: Annotated[int, typer.Option(help="The same seed makes the same calls.")] = 1,
    json: Json = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep serving the ledger when done, until Ctrl-C.")] = False,
    store: Annotated[
        Path | None,
        typer.Option("--store", help="Folder of the demo's ledger.", show_default="~/.local/share/spanledger-demo"),
    ] = None,
) -> None:
    """Drive real OpenAI and Anthropic clients against local vendors, and prove the ledger against the vendors' bill."""
    try:
        from spanledger_collector.demo.runner import run_demo  # noqa: PLC0415 - what it imports is an extra
    except ImportError as error:
        typer.echo(f"The demo needs {error.name}, which is not installed: pip install 'spanledger[demo]'", err=True)
        raise typer.Exit(1) from error
    folder = store or store_path(None, "spanledger-demo")
    sys.exit(run_demo(calls=calls, seed=seed, store=folder, as_json=json, keep=keep, console=Console(highlight=False)))
