"""No prompt leaves for the ledger, and nothing of ours leaves for a vendor."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anthropic
import openai
import pytest
from opentelemetry import trace

import spanledger

if TYPE_CHECKING:
    from spanledger_collector.demo.vendor import VendorServer
    from tests.instrumentation.conftest import Metered

SECRET = "SECRET-4711"
TAG = "TAG-0815"


def call_everything(vendor: VendorServer, case: str) -> None:
    prompt: Any = [{"role": "user", "content": SECRET}]
    headers = {"x-demo-case": case}
    with openai.OpenAI(api_key="k", base_url=f"{vendor.url}/v1", max_retries=0) as client:
        client.chat.completions.create(model="gpt-5-mini", messages=prompt, extra_headers=headers)
        list(client.chat.completions.create(model="gpt-5-mini", messages=prompt, extra_headers=headers, stream=True))
        client.embeddings.create(model="text-embedding-3-small", input=SECRET)
        client.responses.create(model="gpt-5-mini", input=SECRET, instructions=SECRET, extra_headers=headers)
    with anthropic.Anthropic(api_key="k", base_url=vendor.url, max_retries=0) as native:
        native.messages.create(
            model="claude-sonnet-5-5", max_tokens=9, messages=prompt, system=SECRET, extra_headers=headers
        )


@pytest.mark.parametrize("case", ["plain", "tool", "reasoning"])
def test_no_prompt_text_is_exported(case: str, metered: Metered, vendor: VendorServer) -> None:
    with spanledger.task("answer"):
        call_everything(vendor, case)
        spanledger.outcome("answered")

    assert len(metered.collect()) == 6
    assert SECRET in json.dumps([request.body for request in vendor.requests])
    assert SECRET.encode() not in metered.ledger.raw


def test_a_vendors_error_text_is_not_exported_from_any_span_that_it_passes(
    metered: Metered, vendor: VendorServer
) -> None:
    with (
        pytest.raises(openai.APIStatusError) as raised,
        trace.get_tracer("application").start_as_current_span("handle request"),
    ):
        call_everything(vendor, "e400")

    handler, call = metered.collect()
    assert (handler.is_error, call.is_error) == (True, True)
    assert raised.value.message.encode() not in metered.ledger.raw
    assert b"exception.type" in metered.ledger.raw


def test_a_vendor_sees_no_tag_no_trace_context_and_no_baggage(metered: Metered, vendor: VendorServer) -> None:
    with (
        trace.get_tracer("application").start_as_current_span("request"),
        spanledger.tags(team=TAG, user=TAG, tenant=TAG, session=TAG, feature=TAG, agent=TAG, agent_step=TAG),
        spanledger.task(TAG),
    ):
        call_everything(vendor, "plain")

    assert metered.collect()[-1].attributes["spanledger.team"] == TAG
    assert len(vendor.requests) == 5
    for request in vendor.requests:
        assert TAG not in json.dumps([dict(request.headers), request.body])
        assert not {"traceparent", "tracestate", "baggage"} & request.headers.keys()
