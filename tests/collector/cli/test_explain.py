"""An accountant can follow every figure of a cost: the lines add up, and what does not bill says why."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from spanledger_collector.cli.explanation import explanation
from spanledger_collector.prices import Assignment, Override, apply, draft
from tests.collector.cli.processes import spanledger
from tests.ledger import Ledger
from tests.otlp import SpanSpec, agent, chat

UNIQUE = {"gen_ai.response.id": "chatcmpl-" + "a1b2c3d4" * 3}


def sent(recently: float) -> list[SpanSpec]:
    whole = agent(recently, tokens=(3000, 200), extra={"spanledger.team": "core"})
    cached = {**UNIQUE, "gen_ai.usage.cache_read.input_tokens": 401, "gen_ai.usage.reasoning.output_tokens": 33}
    return [
        whole,
        chat(recently + 1, tokens=(1007, 103), trace=whole.trace, parent=whole.span, extra=cached),
        chat(recently + 3, tokens=None, trace=whole.trace, parent=whole.span),
        chat(recently + 1.1, tokens=(1007, 103), service="gateway", extra={**UNIQUE, "user.id": "u7"}),
    ]


def test_the_lines_of_every_call_add_up_to_its_cost_to_the_last_digit(ledger: Ledger, recently: float) -> None:
    spans = sent(recently)
    costs = {call["span_id"]: call["cost_usd"] for call in ledger.settled(*spans)}

    entries = explanation(ledger.client, spans[0].trace_id, 100)

    assert {entry["span"]: entry["price"]["cost_usd"] for entry in entries if entry["price"]} == costs
    priced = entries[1]["price"]
    assert len(priced["lines"]) == 4  # text input, cache, output, reasoning
    assert sum(Decimal(line["quantity"]) * line["usd_per_unit"] for line in priced["lines"]) == costs[spans[1].span_id]
    assert priced["sum_usd"] == costs[spans[1].span_id]
    assert priced["rate"]["valid_from"] <= entries[1]["ts"] < priced["rate"]["valid_to"]


def test_each_span_says_why_it_bills_what_was_read_and_where_its_tags_come_from(
    ledger: Ledger, recently: float
) -> None:
    spans = sent(recently)
    ledger.settled(*spans)

    whole, call, silent = explanation(ledger.client, spans[0].trace_id, 100)
    (duplicate,) = explanation(ledger.client, spans[3].trace_id, 100)

    assert (whole["verdict"], whole["price"]) == ("wrapper", None)
    assert call["tags"]["team"] == {"value": "core", "from": "above", "span": spans[0].span_id}
    assert call["tags"]["user"] == {"value": "u7", "from": "another witness", "span": spans[3].span_id}
    assert {"field": "input_tokens", "attribute": "gen_ai.usage.input_tokens", "value": "1007", "used": True} in call[
        "reading"
    ]["attributes"]
    assert (silent["price"]["cost_usd"], silent["price"]["completeness"]) == (None, "no_usage")
    assert duplicate["winner"] == {"trace": spans[0].trace_id, "span": spans[1].span_id}


def test_what_the_landing_has_forgotten_is_still_explained(ledger: Ledger, recently: float) -> None:
    spans = sent(recently)
    ledger.settled(*spans)
    ledger.client.command("truncate table otel_traces")

    entry = explanation(ledger.client, spans[0].trace_id, 100)[1]

    assert entry["reading"]["attributes"] is None
    assert entry["price"]["sum_usd"] > 0


def test_a_call_names_its_contract_its_bounds_and_what_changed_its_price(ledger: Ledger, recently: float) -> None:
    team = {"spanledger.tenant": "acme", "spanledger.team": "core"}
    broken = {**team, "error.type": "openai.APITimeoutError", "spanledger.attempts": 3}
    calls = [chat(recently, trace=1, extra=team), chat(recently + 1, trace=1, tokens=None, error=True, extra=broken)]
    ledger.settled(*calls)
    agreed = Override("openai", "gpt-4o-mini", {"input_usd_per_token": Decimal("0.0000002")}, contract="acme-26")
    drafted = draft(ledger.client, "agreed", entries=[agreed, Assignment("acme-26", tenant="acme", note="signed")])
    assert drafted
    apply(ledger.client, drafted, "bob")
    ledger.settle()

    priced, failed = (entry["price"] for entry in explanation(ledger.client, calls[0].trace_id, 100))
    withdrawn = draft(ledger.client, "withdrawn", entries=[Assignment("", tenant="acme")])
    assert withdrawn
    apply(ledger.client, withdrawn, "bob")

    assert (priced["contract"]["name"], priced["contract"]["for"], priced["contract"]["note"]) == (
        "acme-26",
        {"tenant": "acme"},
        "signed",
    )
    assert priced["cost_usd"] == priced["sum_usd"] == Decimal("0.00026")
    assert priced["list_sum_usd"] == sum(line["list_usd"] for line in priced["lines"]) == Decimal("0.00021")
    (change,) = priced["repricings"]
    assert (change["who"], change["calls"], change["old_usd"], change["new_usd"]) == (
        "bob",
        1,
        Decimal("0.00021"),
        Decimal("0.00026"),
    )
    assert (failed["cost_usd"], failed["low_usd"], failed["high_usd"]) == (None, 0, None)


@pytest.mark.e2e
@pytest.mark.parametrize(("tokens", "sizes"), [(200_000, (0, 200_000)), (200_001, (200_000, 0))])
def test_a_call_names_the_size_of_input_that_its_price_is_for(
    ledger: Ledger, recently: float, tokens: int, sizes: tuple[int, int]
) -> None:
    model = {"gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-4-5"}
    call = chat(recently, tokens=(tokens, 10), extra={**model, "gen_ai.response.model": None})
    ledger.settled(call)

    (entry,) = explanation(ledger.client, call.trace_id, 100)

    assert (entry["price"]["rate"]["more_than_tokens"], entry["price"]["rate"]["up_to_tokens"]) == sizes


def test_attributes_with_plain_names_and_members_of_objects_are_shown_as_they_were_read(
    ledger: Ledger, recently: float
) -> None:
    plain = {"model": "claude-sonnet-4-5", "input_tokens": "50", "output_tokens": "60"}
    details = '{"input": 1000, "output": 100, "completion_tokens_details": {"reasoning_tokens": 7}}'
    generation = {
        "langfuse.observation.type": "generation",
        "langfuse.observation.model.name": "gpt-4o",
        "langfuse.observation.usage_details": details,
    }
    request = SpanSpec(recently, recently + 1, plain, scope="com.anthropic.claude_code", name="claude_code.llm_request")
    nested = SpanSpec(recently + 1, recently + 2, generation, trace=request.trace, scope="langfuse-sdk")
    ledger.settled(request, nested)

    first, second = explanation(ledger.client, request.trace_id, 100)

    read = [
        {one["attribute"]: one["value"] for one in entry["reading"]["attributes"] if one["used"]}
        for entry in (first, second)
    ]
    assert read[0]["claude_code.llm_request.input_tokens"] == "50"
    assert read[1]["langfuse.observation.usage_details.output"] == "100"
    assert read[1]["langfuse.observation.usage_details.completion_tokens_details.reasoning_tokens"] == "7"


def test_the_command_prints_the_tree_and_its_figures(store: Path) -> None:
    traces = spanledger("query", "select trace_id, span_id from calls limit 1 format JSONEachRow", "--store", store)
    ids = json.loads(traces.out)

    shown = spanledger("explain", ids["span_id"], "--store", store, COLUMNS="80")
    told = spanledger("explain", ids["trace_id"], "--json", "--store", store)

    assert shown.code == 0, shown.err
    assert max(len(line) for line in shown.out.splitlines()[1:]) <= 80
    lines = [Decimal(found) for found in re.findall(r" x [\d.]+ = ([\d.]+)", shown.out)]
    assert sum(lines) == Decimal(re.findall(r"sum +([\d.]+) USD", shown.out)[0]) == Decimal("0.00021")
    assert json.loads(told.out)["spans"][0]["price"]["cost_usd"] == "0.00021"


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("identity", "code", "words"),
    [
        ("12", 2, "is no trace or span id"),
        ("checkout", 2, "is no trace or span id"),
        ("ffffffffffffffff", 1, "No GenAI span has the id ffffffffffffffff"),
        ("00000000", 1, "begins the ids of several traces"),
    ],
)
def test_an_id_that_names_nothing_or_too_much_is_said_in_a_sentence(
    store: Path, identity: str, code: int, words: str
) -> None:
    ended = spanledger("explain", identity, "--store", store)

    assert (ended.code, words in ended.sentence) == (code, True), ended.err
