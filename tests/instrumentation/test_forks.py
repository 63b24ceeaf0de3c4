"""Servers fork: each child delivers its own spans, once, under a name and with numbers of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from spanledger_collector.demo.vendor import VendorServer
    from tests.instrumentation.conftest import LedgerServer, ReceivedSpan

    RunApp = Callable[..., subprocess.CompletedProcess[str]]

START = """
import os, sys, threading, time, warnings
warnings.filterwarnings("ignore", "This process", DeprecationWarning)
import openai
import spanledger
spanledger.instrument()
from opentelemetry import trace
clients = {}  # of the vendor: connections do not survive a fork
def call(name):
    client = clients.get(os.getpid()) or clients.setdefault(os.getpid(), openai.OpenAI())
    with spanledger.tags(feature=name):
        client.chat.completions.create(model="gpt-5-mini", messages=[{"role": "user", "content": "hi"}])
"""

PRE_FORK = """
call("before")  # still queued when the workers start
workers = []
for number in range(3):
    pid = os.fork()
    if not pid:
        call(f"worker {number}")
        call(f"worker {number}")
        sys.exit(0)
    workers.append(pid)
for pid in workers:
    assert os.waitpid(pid, 0)[1] == 0
call("after")
"""

UNDER_LOAD = """
call("parent")  # imports what is imported late: a fork in the middle of an import is lost without us
busy = [threading.Thread(target=lambda: [call("parent") for _ in range(10)]) for _ in range(3)]
for thread in busy:
    thread.start()
for number in range(4):
    pid = os.fork()
    if not pid:
        call("child")
        sys.exit(0)
    assert os.waitpid(pid, 0)[1] == 0
for thread in busy:
    thread.join()
"""

OPEN_AT_THE_FORK = """
with trace.get_tracer("app").start_as_current_span("agent", attributes={"gen_ai.operation.name": "invoke_agent"}):
    pid = os.fork()
    call("child" if not pid else "parent")
if not pid:
    sys.exit(0)
os.waitpid(pid, 0)
"""

POOL = """
import multiprocessing
def work(name):
    call(name)
if __name__ == "__main__":
    call("main")
    context = multiprocessing.get_context(METHOD)
    processes = [context.Process(target=work, args=(f"worker {number}",)) for number in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
"""

UNAWARE = """
class Forked:  # a server that forks in C, as uWSGI does: Python's hooks do not run, the pid alone tells
    getpid = os.getpid
call("before")
os.getpid = lambda: Forked.getpid() + 1
call("child")
"""


def features(spans: list[ReceivedSpan]) -> list[str]:
    return sorted(span.attributes["spanledger.feature"] for span in spans)


def places(spans: list[ReceivedSpan]) -> list[tuple[str, int]]:
    return [(span.resource["service.instance.id"], span.attributes["spanledger.sequence"]) for span in spans]


@pytest.fixture
def run(run_app: RunApp, vendor: VendorServer, ledger: LedgerServer) -> Callable[..., list[ReceivedSpan]]:
    def _run(code: str, **variables: str) -> list[ReceivedSpan]:
        done = run_app(
            START + code,
            OPENAI_BASE_URL=f"{vendor.url}/v1",
            SPANLEDGER_OTLP_ENDPOINT=ledger.url,
            OTEL_RESOURCE_ATTRIBUTES="service.instance.id=pod-1",
            OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="anthropic",
            **variables,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return ledger.spans

    return _run


def test_workers_of_a_pre_forking_server_deliver_their_own_calls_once(run: Callable[..., list[ReceivedSpan]]) -> None:
    spans = run(PRE_FORK)

    assert features(spans) == ["after", "before", *(f"worker {number}" for number in (0, 0, 1, 1, 2, 2))]
    by_process: dict[str, list[int]] = {}
    for process, sequence in places(spans):
        by_process.setdefault(process, []).append(sequence)
    assert len(by_process) == 4
    assert sorted(map(sorted, by_process.values())) == [[1, 2]] * 4


def test_a_fork_in_the_middle_of_other_threads_calls_loses_and_repeats_nothing(
    run: Callable[..., list[ReceivedSpan]],
) -> None:
    spans = run(UNDER_LOAD)

    assert features(spans) == ["child"] * 4 + ["parent"] * 31
    assert len(set(places(spans))) == 35


def test_a_span_that_is_open_at_a_fork_is_its_parents(run: Callable[..., list[ReceivedSpan]]) -> None:
    spans = run(OPEN_AT_THE_FORK)

    (agent,) = (span for span in spans if span.name == "agent")
    calls = [span for span in spans if span is not agent]
    assert features(calls) == ["child", "parent"]
    assert {span.attributes["spanledger.parent_genai_span_id"] for span in calls} == {agent.span_id}


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_multiprocessing_deliver_before_they_end(
    method: str, run: Callable[..., list[ReceivedSpan]]
) -> None:
    spans = run(POOL.replace("METHOD", repr(method)))

    assert features(spans) == ["main", "worker 0", "worker 1"]
    assert len({process for process, _ in places(spans)}) == 3


def test_a_fork_that_python_does_not_hear_of_is_noticed(run: Callable[..., list[ReceivedSpan]]) -> None:
    spans = run(UNAWARE)

    # What was queued before is the parent's to send, and here there is no parent.
    assert features(spans) == ["child"]
    assert [sequence for _, sequence in places(spans)] == [1]


USED = 'call("before"); assert spanledger.instrument().force_flush()'


@pytest.mark.parametrize("program", [PRE_FORK, PRE_FORK.replace('call("before")', USED)], ids=["queued", "in use"])
def test_workers_that_speak_grpc_deliver_too(program: str, run_app: RunApp, vendor: VendorServer) -> None:
    from tests.instrumentation.grpc_ledger import GrpcLedger

    with GrpcLedger() as ledger:
        done = run_app(
            START + program,
            OPENAI_BASE_URL=f"{vendor.url}/v1",
            SPANLEDGER_OTLP_ENDPOINT=ledger.url,
            SPANLEDGER_OTLP_PROTOCOL="grpc",
            OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="anthropic",
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert len(ledger.span_ids) == len(set(ledger.span_ids)) == 8
