"""From a program to the view `calls` of a real server: what the SDK says is what the ledger shows."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.collector.cli.processes import up

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from spanledger_collector.demo.vendor import VendorServer

    RunApp = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.e2e

PROGRAM = """
import anthropic, openai, spanledger
spanledger.instrument(team="search")
told = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where is order 7?"}]
with openai.OpenAI() as gpt, anthropic.Anthropic() as claude, spanledger.task("resolve_ticket"):
    with spanledger.agent("helper", step="look up"):
        gpt.chat.completions.create(model="gpt-5-mini", messages=told)
        list(gpt.chat.completions.create(model="gpt-5-mini", messages=told, stream=True))
        gpt.chat.completions.create(model="gpt-5-mini", messages=told, extra_headers={"x-demo-case": "retry"})
    with spanledger.tags(feature="chat", user="u-1"):
        claude.messages.create(model="claude-sonnet-5-5", max_tokens=9, system="Be brief.", messages=told[1:])
    spanledger.outcome("resolved")
"""
CALLS = """
select provider, team, feature, user, agent, agent_step, task, outcome, attempts, completeness, toString(cost_usd) as cost_usd,
  input_tokens, system_chars, user_chars, prompt_fingerprint, prefix_fingerprint, response_id
from spanledger.calls order by ts format JSONEachRow
"""
PLACES = "select process, sequence from spanledger.genai_calls final order by sequence format JSONEachRow"


def rows_of(clickhouse_url: str, sql: str) -> list[dict[str, Any]]:
    answer = requests.post(clickhouse_url, data=sql, timeout=120)
    assert answer.ok, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def judged(clickhouse_url: str) -> list[dict[str, Any]]:
    """Return the calls once the election has been held: until then the anthropic client's own span counts beside the other."""
    for _ in range(100):
        calls = rows_of(clickhouse_url, CALLS)
        if len({call["response_id"] for call in calls}) == len(calls):
            break
        time.sleep(0.2)
    return calls


def test_a_program_is_booked_as_it_ran(run_app: RunApp, vendor: VendorServer, tmp_path: Path) -> None:
    with up(tmp_path / "store") as served:
        done = run_app(
            PROGRAM,
            OPENAI_BASE_URL=f"{vendor.url}/v1",
            ANTHROPIC_BASE_URL=vendor.url,
            SPANLEDGER_OTLP_ENDPOINT=served.otlp_http_url,
            SPANLEDGER_STREAM_USAGE_HOSTS="127.0.0.1",
        )
        calls, places = judged(served.clickhouse_url), rows_of(served.clickhouse_url, PLACES)

    assert (done.returncode, done.stderr) == (0, "")
    billed = {entry.response_id: entry.amount_usd for entry in vendor.bill}
    assert {call["response_id"]: Decimal(call["cost_usd"]) for call in calls} == billed
    assert [call["attempts"] for call in calls] == [1, 1, 2, 1]
    for call in calls:
        assert (call["team"], call["task"], call["outcome"]) == ("search", "resolve_ticket", "resolved")
        assert (call["completeness"], call["input_tokens"]) == ("priced", 120)
        assert (call["system_chars"], call["user_chars"]) == (9, 17)
    assert [(call["agent"], call["agent_step"]) for call in calls] == [("helper", "look up")] * 3 + [("", "")]
    assert [(call["feature"], call["user"]) for call in calls] == [("", "")] * 3 + [("chat", "u-1")]
    # The same words to two vendors are one prompt.
    ((prompt, prefix),) = {(call["prompt_fingerprint"], call["prefix_fingerprint"]) for call in calls}
    assert len({prompt, prefix, "", "0" * 16}) == 4
    # The anthropic client's own span is the fifth, and not billed.
    assert [place["sequence"] for place in places] == [1, 2, 3, 4, 5]
    assert len({place["process"] for place in places}) == 1
