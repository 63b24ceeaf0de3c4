"""Old and new clients, each in an environment of its own: `python -m tests.instrumentation.clients_matrix`.

Makes the environments in the user's cache folder, once; runs every form of call of client_calls.py against the wire-format
server; compares each span with the vendor's bill; then looks for prompts in everything that leak_calls.py exports (see
leaks.py). Prints a line per environment and fails if one of them differs. Names of environments choose some of them.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.instrumentation import foreign, leaks, servers
from tests.instrumentation.environments import python_of, spans_of
from tests.instrumentation.test_guides import FOLDER, arrived, promised
from tests.test_docs import programs

if TYPE_CHECKING:
    from spanledger_collector.demo.bill import BillEntry
    from tests.instrumentation.conftest import ReceivedSpan

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


def problems_of(name: str) -> list[str]:
    """Return what is wrong in one environment."""
    clients, extras, packages = ENVIRONMENTS[name]
    try:
        python = python_of(extras, packages)
        spans, bill = spans_of(python, str(CALLS), *clients)
        return differences(spans, bill) + broken_promises(python, name)
    except (AssertionError, subprocess.CalledProcessError) as error:
        return [str(error)]


def main(wanted: list[str]) -> int:
    checks = {name: partial(problems_of, name) for name in ENVIRONMENTS}
    checks |= {f"leaks, {name}": partial(leaks.problems_of, name) for name in leaks.ENVIRONMENTS}
    checks |= {f"foreign, {name}": partial(foreign.problems_of, name) for name in foreign.NAMES}
    checks |= {f"server, {name}": partial(servers.problems_of, name) for name in servers.PROGRAMS}
    chosen = {name: check for name, check in checks.items() if not wanted or name in wanted}
    failed = 0
    with ThreadPoolExecutor(2) as pool:
        for name, problems in zip(chosen, pool.map(lambda check: check(), chosen.values()), strict=True):
            print("FAILED" if problems else "ok    ", name, *(f"\n         {problem}" for problem in problems))  # noqa: T201
            failed += bool(problems)
    print(f"{len(chosen) - failed} passed, {failed} failed")  # noqa: T201
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
