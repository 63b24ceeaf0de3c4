"""The demo's company at work, in a process of its own: the real clients, instrumented by the real SDK.

`python -m spanledger_collector.demo.application --calls 100 --seed 1 --vendor URL` prints its progress as JSON lines.
It uses nothing of spanledger but its public interface, so it doubles as an example of how a service is instrumented.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any

from opentelemetry import trace

import spanledger
from spanledger_collector.demo.clients import Clients
from spanledger_collector.demo.habits import live_jobs
from spanledger_collector.demo.plan import Call, Job, plan

__all__ = ["main"]

TRACER = "demo.company"
THREADS = 6
PROGRESS_SECONDS = 0.1


def main(arguments: Iterable[str] | None = None) -> int:
    """Run the plan; the last line on stdout tells how many calls were made and which errors were seen."""
    parser = argparse.ArgumentParser(description="A small company that calls models, for `spanledger demo`.")
    parser.add_argument("--calls", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--incident", default="", help="run into this one instead of the usual plan")
    parser.add_argument("--vendor", required=True, help="URL of the demo's vendor")
    options = parser.parse_args(None if arguments is None else list(arguments))
    ledger = spanledger.instrument()
    started = time.monotonic()
    with Clients(options.vendor) as clients:
        jobs = live_jobs(options.incident, options.seed) if options.incident else plan(options.calls, options.seed)
        tally = work(clients, jobs)
    ledger.shutdown()
    say("done", **tally, seconds=round(time.monotonic() - started, 2))
    return 0


def say(event: str, **facts: Any) -> None:
    sys.stdout.write(json.dumps({"event": event, **facts}) + "\n")
    sys.stdout.flush()


def work(clients: Clients, jobs: list[Job]) -> dict[str, Any]:
    """Do the jobs in a few threads, telling the progress; return the calls made and the errors seen, by name."""
    calls = 0
    errors: Counter[str] = Counter()
    told = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        for job in as_completed([pool.submit(do, clients, job) for job in jobs]):
            made, error = job.result()
            calls += made
            errors.update([error] if error else [])
            if time.monotonic() - told > PROGRESS_SECONDS:
                told = time.monotonic()
                say("progress", calls=calls)
    return {"calls": calls, "errors": dict(sorted(errors.items()))}


def do(clients: Clients, job: Job) -> tuple[int, str]:
    """Do one job under its tags; return the calls made and the name of the error that ended it, if one did."""
    made = 0
    error = ""
    with ExitStack() as scopes:
        for scope in scopes_of(job):
            scopes.enter_context(scope)
        for call in job.calls:
            made += 1
            try:
                make(clients, job, call)
            except Exception as failure:  # noqa: BLE001 - a service survives whatever a client raises, and counts it
                error = type(failure).__name__
                break
        if job.outcome:
            spanledger.outcome(job.outcome)
    return made, error


def scopes_of(job: Job) -> list[AbstractContextManager[Any]]:
    """Return what a job runs inside: its tags, its task, and the span of its agent."""
    feature, person = job.feature, job.person
    if not feature.team:
        return []
    scopes: list[AbstractContextManager[Any]] = [
        spanledger.tags(
            team=feature.team,
            feature=feature.name,
            tenant=person.tenant or None,
            user=person.user or None,
            session=job.session or None,
        )
    ]
    if feature.task:
        scopes.append(spanledger.task(feature.task))
    if feature.agent:
        scopes += [spanledger.tags(agent=feature.agent), agent_span(feature.agent)]
    return scopes


def agent_span(agent: str) -> AbstractContextManager[Any]:
    """Return the span that an agent framework puts around its steps, as the conventions name it."""
    attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": agent}
    return trace.get_tracer(TRACER).start_as_current_span(f"invoke_agent {agent}", attributes=attributes)


def make(clients: Clients, job: Job, call: Call) -> None:
    """Make one call, and use the tool that it asks for."""
    with spanledger.tags(agent_step=call.step) if call.step else nullcontext():
        clients.make(job.feature.team, call)
        if call.tool:
            attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": call.tool}
            with trace.get_tracer(TRACER).start_as_current_span(f"execute_tool {call.tool}", attributes=attributes):
                pass


if __name__ == "__main__":
    sys.exit(main())
