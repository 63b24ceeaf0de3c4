"""Anthropic's wire format: messages, their streams, errors."""

import json
from typing import Any

from spanledger_collector.demo.meters import Meters
from spanledger_collector.demo.wire import Reply, Request, encode, event, unique_id

__all__ = ["anthropic_error", "messages"]

WORDS = ("Here ", "is ", "the ", "summary.")
SNAPSHOTS = {"claude-haiku-4-5": "claude-haiku-4-5-20251001"}
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def anthropic_error(status: int, message: str) -> bytes:
    """Return the body of an error."""
    kind = ERROR_TYPES.get(status, "api_error")
    return encode({"type": "error", "error": {"type": kind, "message": message}, "request_id": unique_id("req_")})


def messages(request: Request, provider: str, meters: Meters) -> Reply:
    """Answer `POST /v1/messages`; input is reported without what was read from or written to the cache."""
    model = SNAPSHOTS.get(request.body["model"], request.body["model"])
    message = {
        "id": unique_id("msg_"),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content(request.case),
        "stop_reason": "tool_use" if request.case == "tool" else "end_turn",
        "stop_sequence": None,
        "usage": usage(meters),
    }
    return Reply(
        200,
        message_events(message) if request.streams else [encode(message)],
        streamed=request.streams,
        provider=provider,
        model=model,
        response_id=message["id"],
        meters=meters,
    )


def usage(meters: Meters) -> dict[str, Any]:
    counts: dict[str, Any] = {
        "input_tokens": meters.uncached_input_tokens,
        "cache_creation_input_tokens": meters.cache_write_tokens,
        "cache_read_input_tokens": meters.cache_read_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": meters.cache_write_5m_tokens,
            "ephemeral_1h_input_tokens": meters.cache_write_1h_tokens,
        },
        "output_tokens": meters.output_tokens,
        "service_tier": "standard",
    }
    if meters.reasoning_tokens:
        counts["output_tokens_details"] = {"thinking_tokens": meters.reasoning_tokens}
    return counts


def content(case: str) -> list[dict[str, Any]]:
    text = {"type": "text", "text": "".join(WORDS)}
    if case == "tool":
        call = {"type": "tool_use", "id": unique_id("toolu_"), "name": "read_file", "input": {"path": "src/app.py"}}
        return [text, call]
    if case == "reasoning":
        return [{"type": "thinking", "thinking": "Let me see.", "signature": "c2ln"}, text]
    return [text]


def message_events(message: dict[str, Any]) -> list[bytes]:
    """Return the events of a stream: the first tells the input, the last but one the cumulative usage."""
    counts = message["usage"]
    first = {**message, "content": [], "stop_reason": None, "usage": {**counts, "output_tokens": 1}}
    # The split of cache writes by time to live is told at the start only.
    cumulative = {name: count for name, count in counts.items() if name not in {"cache_creation", "service_tier"}}
    end = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": first}]
    for index, block in enumerate(message["content"]):
        events += block_events(index, block)
    events += [{"type": "message_delta", "delta": end, "usage": cumulative}, {"type": "message_stop"}]
    return [event(data, data["type"]) for data in events]


def block_events(index: int, block: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the events of one content block."""
    if block["type"] == "text":
        empty: dict[str, Any] = {"text": ""}
        deltas = [{"type": "text_delta", "text": word} for word in WORDS]
    elif block["type"] == "tool_use":
        empty = {"input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]
    else:
        empty = {"thinking": "", "signature": ""}
        deltas = [{"type": "thinking_delta", "thinking": block["thinking"]}]
        deltas += [{"type": "signature_delta", "signature": block["signature"]}]
    return [
        {"type": "content_block_start", "index": index, "content_block": {**block, **empty}},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]
