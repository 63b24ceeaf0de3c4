"""Old and new clients, each in an environment of its own: `python -m tests.instrumentation.clients_matrix`.

Makes the environments in the user's cache folder, once; runs every form of call of client_calls.py against the wire-format
server; compares each span with the vendor's bill. Prints a line per environment and fails if one of them differs.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import tomllib
import venv
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from spanledger_collector.demo.vendor import VendorServer
from tests.instrumentation.conftest import LedgerServer
from tests.instrumentation.test_guides import FOLDER, arrived, promised
from tests.test_docs import programs

if TYPE_CHECKING:
    from spanledger_collector.demo.bill import BillEntry
    from tests.instrumentation.conftest import ReceivedSpan

ROOT = Path(__file__).parents[2]
CALLS = Path(__file__).with_name("client_calls.py")
# Programs of client_calls.py -> what to install beside the package and its extras of those clients.
ENVIRONMENTS: dict[str, tuple[tuple[str, ...], str, tuple[str, ...]]] = {
    "oldest": (("openai", "anthropic"), "openai,anthropic", ("openai==1.26.0", "anthropic==0.51.0", "httpx<0.28")),
    "openai 1, anthropic 0": (("openai", "anthropic"), "openai,anthropic", ("openai==1.109.1", "anthropic==0.125.0")),
    "openai 2, anthropic 1": (("openai", "anthropic"), "openai,anthropic", ("openai>=2,<3", "anthropic>=1,<2")),
    "newest": (("openai", "anthropic"), "openai,anthropic", ("openai>=3,<4", "anthropic>=2,<3")),
    "llamaindex": (("llamaindex",), "openai,llamaindex", ("llama-index-core", "llama-index-llms-openai")),
    "openai-agents": (("openai_agents",), "openai,openai-agents", ("openai-agents",)),
}


def cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "spanledger" / "clients"


def python_of(extras: str, packages: tuple[str, ...]) -> Path:
    """Return the interpreter of an environment, which is made when it is missing or the package's needs have changed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needs = (project["dependencies"], [project["optional-dependencies"][extra] for extra in extras.split(",")])
    key = hashlib.sha256(repr((sys.version, packages, needs)).encode()).hexdigest()[:16]
    folder = cache() / key
    python = folder / "bin" / "python"
    if not (folder / ".done").exists():
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, f"{ROOT}[{extras}]", *packages], check=True)
        subprocess.run([*pip[:3], "uninstall", "--quiet", "--yes", "spanledger"], check=True)  # run from the checkout
        (folder / ".done").touch()
    return python


def spans_of(python: Path, *command: str, **variables: str) -> tuple[list[ReceivedSpan], list[BillEntry]]:
    """Run a program in an environment; return what reached the ledger and what the vendor billed."""
    ledger = LedgerServer()
    with VendorServer() as vendor, tempfile.TemporaryDirectory() as home:
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "PYTHONPATH": str(ROOT / "instrumentation"),
            "OPENAI_API_KEY": "k",
            "ANTHROPIC_API_KEY": "k",
            "OPENAI_BASE_URL": f"{vendor.url}/v1",
            "OPENAI_API_BASE": f"{vendor.url}/v1",
            "ANTHROPIC_BASE_URL": vendor.url,
            "SPANLEDGER_OTLP_ENDPOINT": ledger.url,
            "OPENAI_AGENTS_DISABLE_TRACING": "1",
            **variables,
        }
        done = subprocess.run(
            [str(python), *command], env=environ, cwd=home, capture_output=True, text=True, check=False
        )
        bill = vendor.bill
    ledger.stop()
    if done.returncode or (done.stderr and not variables):
        raise AssertionError(done.stderr)
    return ledger.spans, bill


def differences(spans: list[ReceivedSpan], bill: list[BillEntry]) -> list[str]:
    """Return where the spans and the bill differ: calls that are missing, doubled, or of another cost."""
    calls = [span for span in spans if "gen_ai.request.model" in span.attributes]
    outer = [span for span in calls if span.scope != "com.anthropic.sdk.python"]
    found = []
    if len(outer) != len(bill):
        found.append(f"{len(outer)} spans for {len(bill)} billed calls")
    by_id = {span.attributes.get("gen_ai.response.id"): span for span in outer}
    for entry in bill:
        span = by_id.get(entry.response_id) if entry.response_id else None
        cost = span.attributes.get("spanledger.cost_usd") if span else None
        if span and (cost is None or Decimal(cost) != entry.amount_usd):
            found.append(
                f"{span.attributes.get('spanledger.feature')}: {cost} USD in the span, {entry.amount_usd} billed"
            )
        if span is None and entry.response_id and entry.meters.output_tokens:
            found.append(f"no span of the response {entry.response_id}")
    return found


def broken_promises(python: Path, name: str) -> list[str]:
    """Return where the guide of this name says something else than its program leads to."""
    guide = FOLDER / f"{name}.md"
    if not guide.is_file():
        return []
    (program,) = programs(guide.read_text("utf-8"))
    # The Agents SDK sends its own traces to OpenAI: here they end at a proxy that is not there, and it says so.
    spans, _ = spans_of(python, "-c", program, OPENAI_AGENTS_DISABLE_TRACING="0", HTTPS_PROXY="http://127.0.0.1:9")
    return [] if arrived(spans) == promised(guide) else [f"the guide promises {promised(guide)}, not {arrived(spans)}"]


def main() -> int:
    failed = 0
    for name, (clients, extras, packages) in ENVIRONMENTS.items():
        try:
            python = python_of(extras, packages)
            spans, bill = spans_of(python, str(CALLS), *clients)
            problems = differences(spans, bill) + broken_promises(python, name)
        except (AssertionError, subprocess.CalledProcessError) as error:
            problems, bill = [str(error)], []
        print(f"{'FAILED' if problems else 'ok':6} {name}: {len(bill)} billed calls", *problems, sep="\n         ")  # noqa: T201
        failed += bool(problems)
    print(f"{len(ENVIRONMENTS) - failed} passed, {failed} failed")  # noqa: T201
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
