"""Content stays in the process, whichever emitter or application puts it on a span, unless its owner wants it exported."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import Link, StatusCode

from spanledger import calls
from spanledger.calls.options import CallOptions
from spanledger.content import ledger_attributes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.instrumentation.conftest import Metered

ROOT = Path(__file__).parents[2]
SECRET = "SECRET-4711"

# What emitters put on spans: official and native with capture on, OpenLLMetry, OpenInference, Vercel, Logfire.
CONTENT: dict[str, Any] = {
    "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": SECRET}]}]),
    "gen_ai.output.messages": SECRET,
    "gen_ai.system_instructions": SECRET,
    "gen_ai.tool.definitions": SECRET,
    "gen_ai.tool.description": SECRET,
    "gen_ai.tool.call.arguments": SECRET,
    "gen_ai.tool.call.result": SECRET,
    "gen_ai.retrieval.documents": [SECRET],
    "gen_ai.retrieval.query.text": SECRET,
    "gen_ai.prompt.0.content": SECRET,
    "gen_ai.prompt.variable.name": SECRET,
    "gen_ai.completion.0.tool_calls.0.arguments": SECRET,
    "gen_ai.headers": f"{{'Authorization': 'Bearer {SECRET}'}}",
    "gen_ai.request.structured_output_schema": SECRET,
    "gen_ai.request.stop_sequences": [SECRET],
    "gen_ai.something.that.comes.tomorrow": SECRET,
    "llm.headers": SECRET,
    "llm.prompts": [SECRET],
    "llm.request.functions.0.description": SECRET,
    "llm.input_messages.0.message.content": SECRET,
    "llm.output_messages.0.message.contents.0.message_content.text": SECRET,
    "llm.invocation_parameters": json.dumps({"instructions": SECRET}),
    "llm.tools.0.tool.json_schema": SECRET,
    "embedding.embeddings.0.embedding.text": SECRET,
    "embedding.embeddings.0.embedding.vector": [0.25] * 1536,
    "input.value": SECRET,
    "output.value": SECRET,
    "metadata": SECRET,
    "tool.parameters": SECRET,
    "retrieval.documents.0.document.content": SECRET,
    "reranker.query": SECRET,
    "traceloop.entity.input": SECRET,
    "traceloop.entity.output": SECRET,
    "traceloop.prompt.template_variables": SECRET,
    "ai.prompt": SECRET,
    "ai.prompt.messages": SECRET,
    "ai.response.text": SECRET,
    "request_data": SECRET,
    "response_data": SECRET,
    "all_messages_events": SECRET,
    "http.request.header.authorization": [SECRET],
    "http.request.body": SECRET,
    "url.query": f"key={SECRET}",
    "url.full": f"https://vendor.example/v1?key={SECRET}",
    "db.query.text": f"insert into prompts values ('{SECRET}')",
    "exception.message": SECRET,
    "my.note": f"Dear customer, {SECRET}: " + "." * 128,
    "my.lines": f"Q: {SECRET}\nA:",
    "my.list": [SECRET],
}
FACTS: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "m",
    "gen_ai.usage.input_tokens": 7,
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.tool.name": "look_up",
    "llm.token_count.prompt_details.cache_read": 3,
    "openinference.span.kind": "LLM",
    "traceloop.association.properties.customer": "acme",
    "cost_center": "4711-a",
    "my.region": "x" * 128,
    "my.number": 4711,
    "gen_ai.request.temperature": 0.5,
    "url.full": "https://vendor.example/v1",
}


@pytest.fixture
def emitted(metered: Metered) -> Metered:
    """Return what has met one span with content in every place that a span has."""
    tracer = trace.get_tracer("opentelemetry.instrumentation.openai")
    linked = Link(trace.INVALID_SPAN_CONTEXT, {"gen_ai.input.messages": SECRET})
    span = tracer.start_span(f"{SECRET} " * 40, attributes={**FACTS, **CONTENT}, links=[linked])
    span.add_event("gen_ai.user.message", {"content": SECRET})
    span.add_event("llm.content.completion.chunk", {"chunk": SECRET})
    span.record_exception(ValueError(SECRET), attributes={"body": SECRET})
    span.set_status(StatusCode.ERROR, f"ValueError: {SECRET}")
    span.end()
    return metered


def test_facts_leave_and_content_stays(emitted: Metered) -> None:
    (span,) = emitted.collect()

    assert SECRET.encode() not in emitted.ledger.raw
    assert {name: span.attributes.get(name) for name in FACTS if "." in name} == {
        name: value for name, value in FACTS.items() if "." in name
    }
    assert not [name for name in span.attributes if name in CONTENT and name not in FACTS]
    assert span.attributes["cost_center"] == "4711-a"


def test_an_error_that_only_an_event_names_keeps_its_type(emitted: Metered) -> None:
    (span,) = emitted.collect()

    assert span.is_error
    assert span.attributes["error.type"] == "ValueError"


@pytest.fixture
def content_wanted() -> Iterator[None]:
    before = calls.call_options()
    calls.configure(CallOptions(exports_content=True))
    yield
    calls.configure(before)


@pytest.mark.usefixtures("content_wanted")
def test_content_leaves_for_those_who_ask_for_it_and_credentials_never_do(emitted: Metered) -> None:
    (span,) = emitted.collect()

    assert SECRET in span.attributes["gen_ai.input.messages"]
    assert not [name for name in span.attributes if "header" in name]
    assert b"Bearer" not in emitted.ledger.raw


class _Span:
    """As much of a span as the table looks at."""

    def __init__(self, attributes: dict[str, Any]) -> None:
        self.attributes = attributes
        self.events = ()
        self.status = trace.Status()


def test_every_name_that_the_ledger_reads_may_leave() -> None:
    rows = (ROOT / "sql/025_attribute_names_rows.sql").read_text()
    names = re.findall(r"^  \('([^']+)', '", rows, re.MULTILINE)

    kept = ledger_attributes(_Span(dict.fromkeys(names, "1")))  # type: ignore[arg-type] # see _Span
    # Counts leave as the numbers that they are; as texts they would be none that the ledger knows.
    counts = ledger_attributes(_Span(dict.fromkeys(names, 1)))  # type: ignore[arg-type] # see _Span
    assert len(names) > 100
    assert set(counts) == set(names)
    assert not {
        name
        for name in set(names) - set(kept)
        if not re.search(r"token|usage|cost|count|stream|ms|time|status_code", name)
    }
