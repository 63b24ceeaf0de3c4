"""What metering costs the caller: `python -m tests.bench.sdk`. CPU per call, memory and start-up, side by side with peers.

Each variant runs in a process of its own, the variants take turns, and each figure is the lowest of the rounds: whatever else
runs on the machine only ever adds. The spread between rounds is printed, because it says what a difference is worth.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import threading
from collections import defaultdict
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[2]
VARIANTS = ("uninstrumented", "official", "OpenInference", "Traceloop", "spanledger")
CASES = ("OpenAI chat", "OpenAI stream", "Anthropic")
# Without their dependencies: those are here already, in the very versions that the other variants run on.
PEERS = (
    "opentelemetry-instrumentation-openai==0.62.4",
    "opentelemetry-instrumentation-anthropic==0.62.4",
    "opentelemetry-semantic-conventions-ai==0.5.1",
    "openinference-instrumentation==0.1.72",
    "openinference-instrumentation-openai==0.1.66",
    "openinference-instrumentation-anthropic==3.1.0",
    "openinference-semantic-conventions==0.1.42",
)

Rounds = dict[tuple[str, int], list[dict[str, float]]]


def peers() -> Path:
    """Return the folder that holds the peers, kept outside the checkout; fills it the first time."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "spanledger" / f"bench-peers-{hashlib.sha256(repr(PEERS).encode()).hexdigest()[:12]}"
    if not (folder / ".complete").exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--upgrade", "--target", str(folder), *PEERS], check=True)
        (folder / ".complete").touch()
    return folder


class Sink(BaseHTTPRequestHandler):
    """An endpoint that takes everything."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def handle(self) -> None:
        with suppress(ConnectionError):  # a measured process ends without a farewell
            super().handle()

    def log_message(self, *_: Any) -> None: ...


def measure(variant: str, threads: int, calls: int, sink_url: str, folder: Path) -> dict[str, float] | None:
    """Return the figures of one process; None, with its words, where the variant does not run here."""
    paths = [str(folder), str(ROOT), os.environ.get("PYTHONPATH", "")]
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "SPANLEDGER_"))}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.bench.sdk_process", variant, str(threads), str(calls), sink_url],
        env={**environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        Console(stderr=True).print(f"{variant} does not run: {(done.stderr.splitlines() or ['no word'])[-1]}")
        return None
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def bench(rounds: int, calls: int) -> Rounds:
    """Run every variant in turn, as often as asked."""
    found: Rounds = defaultdict(list)
    folder = peers()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    for _ in range(rounds):
        for threads in (1, 8):
            for variant in VARIANTS:
                figures = measure(variant, threads, calls, url, folder)
                if figures is not None:
                    found[variant, threads].append(figures)
    server.shutdown()
    server.server_close()
    return found


def lowest(found: Rounds, variant: str, threads: int, name: str) -> float:
    return min(figures[name] for figures in found[variant, threads])


def report(found: Rounds, rounds: int) -> list[Table]:
    cpu = Table(
        "call", "threads", *VARIANTS, "ours / official", title=f"CPU added per call, us, lowest of {rounds} rounds"
    )
    for name in CASES:
        for threads in (1, 8):
            base = lowest(found, "uninstrumented", threads, name)
            added = {
                variant: lowest(found, variant, threads, name) - base
                for variant in VARIANTS[1:]
                if found[variant, threads]
            }
            cells = [f"+{added[variant]:.0f}" if variant in added else "-" for variant in VARIANTS[1:]]
            ratio = f"{added['spanledger'] / added['official']:.2f}" if added.get("official") else "-"
            cpu.add_row(name, str(threads), f"{base:.0f}", *cells, ratio)
    rest = Table("what", *VARIANTS, title="One process, 1 thread")
    for label, name in (
        ("CPU until the first calls are answered, ms", "start_ms"),
        ("memory at its peak, MB", "memory_mb"),
    ):
        rest.add_row(label, *(f"{lowest(found, each, 1, name):.0f}" if found[each, 1] else "-" for each in VARIANTS))
    spread = [
        max(figures[name] for figures in found["uninstrumented", 1]) / lowest(found, "uninstrumented", 1, name)
        for name in CASES
    ]
    rest.caption = f"The same uninstrumented call took up to {max(spread):.2f}x as long from round to round."
    return [cpu, rest]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=240, help="calls of each kind in each process")
    given = parser.parse_args()
    for table in report(bench(given.rounds, given.calls), given.rounds):
        Console(width=150).print(table)


if __name__ == "__main__":
    main()
