"""Amazon Bedrock's wire format: Converse and InvokeModel, and their streams in AWS's binary event encoding."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any
from zlib import crc32

from tests.instrumentation.wire import Answer, WireRequest, WireServer, json_answer

# Bedrock counts cached tokens beside the input, not within it: all input is 3050.
CONVERSE_USAGE = {
    "inputTokens": 50,
    "outputTokens": 20,
    "totalTokens": 3070,
    "cacheReadInputTokens": 1000,
    "cacheWriteInputTokens": 2000,
}
INVOKE_USAGE = {
    "input_tokens": 50,
    "output_tokens": 20,
    "cache_read_input_tokens": 1000,
    "cache_creation_input_tokens": 2000,
}
TEXT = "It is on its way."


def bedrock_server() -> WireServer:
    return WireServer(
        {
            "/converse": converse,
            "/converse-stream": converse_stream,
            "/invoke": invoke,
            "/invoke-with-response-stream": invoke_stream,
        }
    )


def converse(_: WireRequest) -> Answer:
    message = {"role": "assistant", "content": [{"text": TEXT}]}
    return json_answer(
        {
            "output": {"message": message},
            "stopReason": "end_turn",
            "usage": CONVERSE_USAGE,
            "metrics": {"latencyMs": 12},
        }
    )


def converse_stream(_: WireRequest) -> Answer:
    return _events(
        ("messageStart", {"role": "assistant"}),
        ("contentBlockDelta", {"delta": {"text": TEXT}, "contentBlockIndex": 0}),
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": "end_turn"}),
        ("metadata", {"usage": CONVERSE_USAGE, "metrics": {"latencyMs": 12}}),
    )


def _message(usage: dict[str, int], content: list[Any]) -> dict[str, Any]:
    return {
        "id": "msg_bdrk_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": content,
        "stop_reason": "end_turn" if content else None,
        "usage": usage,
    }


def invoke(_: WireRequest) -> Answer:
    return json_answer(_message(INVOKE_USAGE, [{"type": "text", "text": TEXT}]))


def invoke_stream(_: WireRequest) -> Answer:
    chunks = (
        {"type": "message_start", "message": _message({**INVOKE_USAGE, "output_tokens": 1}, [])},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": TEXT}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 20}},
        {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 50, "outputTokenCount": 20}},
    )
    encoded = (base64.b64encode(json.dumps(chunk).encode()).decode() for chunk in chunks)
    return _events(*(("chunk", {"bytes": data}) for data in encoded))


def _events(*events: tuple[str, object]) -> Answer:
    body = b"".join(_event(kind, value) for kind, value in events)
    return Answer(body, "application/vnd.amazon.eventstream")


def _event(kind: str, value: object) -> bytes:
    """Encode one message: lengths, their checksum, headers (7 is a string), payload, checksum of it all."""
    names = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    headers = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", 7, len(text)) + text.encode()
        for name, text in names.items()
    )
    payload = json.dumps(value).encode()
    lengths = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    message = lengths + struct.pack("!I", crc32(lengths)) + headers + payload
    return message + struct.pack("!I", crc32(message))
