"""OpenAI's wire format: chat completions, responses, embeddings, errors; also of servers that imitate it."""

import base64
import struct
import time
from collections.abc import Callable
from typing import Any

from spanledger_collector.demo.meters import Meters
from spanledger_collector.demo.wire import Reply, Request, encode, event, unique_id

__all__ = ["OPENAI_PATHS", "openai_error", "openai_model"]

WORDS = ("Your ", "order ", "is ", "on ", "its ", "way.")
TEXT = "".join(WORDS)
VECTOR = (0.25, -0.5, 0.125, 0.75, 0.0, -0.25, 0.5, 1.0)
TOOL_CALL = {"name": "look_up_order", "arguments": '{"order_id":"A-1042"}'}

# A vendor answers with the dated snapshot behind the name that was asked for.
SNAPSHOTS = {
    "gpt-4.1": "gpt-4.1-2025-04-14",
    "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "gpt-5-mini": "gpt-5-mini-2025-08-07",
    "gpt-5.1": "gpt-5.1-2025-11-13",
    "o4-mini": "o4-mini-2025-04-16",
}
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


def openai_error(status: int, message: str) -> bytes:
    """Return the body of an error."""
    kind = ERROR_TYPES.get(status, "server_error")
    return encode({"error": {"message": message, "type": kind, "code": kind, "param": None}})


def openai_model(requested: str) -> str:
    """Return the name of the model that answers."""
    return SNAPSHOTS.get(requested, requested)


def service_tier(request: Request, provider: str) -> str | None:
    """Return the tier that served the request; imitators of OpenAI have none."""
    if provider != "openai":
        return None
    asked = request.body.get("service_tier") or "auto"
    return "default" if asked == "auto" else str(asked)


def chat_usage(meters: Meters) -> dict[str, Any]:
    return {
        "prompt_tokens": meters.input_tokens,
        "completion_tokens": meters.output_tokens,
        "total_tokens": meters.input_tokens + meters.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": meters.cache_read_tokens,
            "cache_write_tokens": meters.cache_write_tokens,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": meters.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def chat(request: Request, provider: str, meters: Meters) -> Reply:
    """Answer `POST /v1/chat/completions`; without `include_usage` a stream does not tell the usage."""
    tier = service_tier(request, provider)
    head: dict[str, Any] = {
        "id": unique_id("chatcmpl-"),
        "created": int(time.time()),
        "model": openai_model(request.body["model"]),
    }
    if tier:
        head["service_tier"] = tier
    include_usage = bool((request.body.get("stream_options") or {}).get("include_usage"))
    if request.streams:
        frames = chat_chunks(head, request.case, chat_usage(meters) if include_usage else None)
    else:
        frames = [encode(chat_completion(head, request.case, chat_usage(meters)))]
    return Reply(
        200,
        frames,
        streamed=request.streams,
        provider=provider,
        model=head["model"],
        response_id=head["id"],
        service_tier=tier,
        meters=meters,
        tells_usage=include_usage or not request.streams,
    )


def chat_completion(head: dict[str, Any], case: str, usage: dict[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": TEXT, "refusal": None}
    if case == "tool":
        message |= {"content": None, "tool_calls": [tool_call()]}
    choice = {"index": 0, "message": message, "finish_reason": finish_reason(case), "logprobs": None}
    return {**head, "object": "chat.completion", "choices": [choice], "usage": usage}


def chat_chunks(head: dict[str, Any], case: str, usage: dict[str, Any] | None) -> list[bytes]:
    """Return the chunks of a stream; the last one before `[DONE]` carries the usage when it was asked for."""
    if case == "tool":
        deltas: list[dict[str, Any]] = [{"tool_calls": [{"index": 0, **tool_call()}]}]
    else:
        deltas = [{"content": word} for word in WORDS]
    deltas = [{"role": "assistant", "content": ""}, *deltas, {}]
    base = {**head, "object": "chat.completion.chunk"} | ({"usage": None} if usage else {})
    last = len(deltas) - 1
    chunks = [
        {**base, "choices": [choice_delta(delta, finish_reason(case) if number == last else None)]}
        for number, delta in enumerate(deltas)
    ]
    if usage:
        chunks.append({**base, "choices": [], "usage": usage})
    return [*(event(chunk) for chunk in chunks), event("[DONE]")]


def choice_delta(delta: dict[str, Any], reason: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}


def finish_reason(case: str) -> str:
    return "tool_calls" if case == "tool" else "stop"


def tool_call() -> dict[str, Any]:
    return {"id": unique_id("call_"), "type": "function", "function": TOOL_CALL}


def responses(request: Request, provider: str, meters: Meters) -> Reply:
    """Answer `POST /v1/responses`; its streams always end with the usage."""
    tier = service_tier(request, provider)
    response = response_object(request, tier, meters)
    return Reply(
        200,
        response_events(response) if request.streams else [encode(response)],
        streamed=request.streams,
        provider=provider,
        model=response["model"],
        response_id=response["id"],
        service_tier=tier,
        meters=meters,
    )


def response_object(request: Request, tier: str | None, meters: Meters) -> dict[str, Any]:
    return {
        "id": unique_id("resp_"),
        "object": "response",
        "created_at": int(time.time()),
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": request.body.get("instructions"),
        "model": openai_model(request.body["model"]),
        "output": [response_output(request.case)],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": "medium", "summary": None},
        "service_tier": tier,
        "store": False,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "metadata": {},
        "usage": response_usage(meters),
    }


def response_usage(meters: Meters) -> dict[str, Any]:
    return {
        "input_tokens": meters.input_tokens,
        "input_tokens_details": {
            "cached_tokens": meters.cache_read_tokens,
            "cache_write_tokens": meters.cache_write_tokens,
        },
        "output_tokens": meters.output_tokens,
        "output_tokens_details": {"reasoning_tokens": meters.reasoning_tokens},
        "total_tokens": meters.input_tokens + meters.output_tokens,
    }


def response_output(case: str) -> dict[str, Any]:
    if case == "tool":
        call_id = unique_id("call_")
        return {"id": unique_id("fc_"), "type": "function_call", "call_id": call_id, "status": "completed", **TOOL_CALL}
    content = [{"type": "output_text", "text": TEXT, "annotations": []}]
    return {
        "id": unique_id("msg_"),
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": content,
    }


def response_events(response: dict[str, Any]) -> list[bytes]:
    """Return the events of a streamed response, numbered as the vendor numbers them."""
    started = {**response, "status": "in_progress", "output": [], "usage": None}
    item = response["output"][0]
    place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    events: list[tuple[str, dict[str, Any]]] = [
        ("response.created", {"response": started}),
        ("response.in_progress", {"response": started}),
        ("response.output_item.added", {"output_index": 0, "item": item_started(item)}),
    ]
    if item["type"] == "message":
        empty = {"type": "output_text", "text": "", "annotations": []}
        events += [("response.content_part.added", {**place, "part": empty})]
        events += [("response.output_text.delta", {**place, "delta": word, "logprobs": []}) for word in WORDS]
        events += [("response.output_text.done", {**place, "text": TEXT, "logprobs": []})]
        events += [("response.content_part.done", {**place, "part": item["content"][0]})]
    else:
        arguments = {"item_id": item["id"], "output_index": 0, "arguments": item["arguments"], "name": item["name"]}
        events += [("response.function_call_arguments.done", arguments)]
    events += [("response.output_item.done", {"output_index": 0, "item": item})]
    events += [("response.completed", {"response": response})]
    return [event({"type": name, "sequence_number": n, **data}, name) for n, (name, data) in enumerate(events)]


def item_started(item: dict[str, Any]) -> dict[str, Any]:
    empty: dict[str, Any] = {"content": []} if item["type"] == "message" else {"arguments": ""}
    return {**item, "status": "in_progress", **empty}


def embeddings(request: Request, provider: str, meters: Meters) -> Reply:
    """Answer `POST /v1/embeddings`: only input is billed."""
    texts = request.body["input"]
    packed = base64.b64encode(struct.pack(f"<{len(VECTOR)}f", *VECTOR)).decode()
    vector = packed if request.body.get("encoding_format") == "base64" else list(VECTOR)
    count = len(texts) if isinstance(texts, list) else 1
    body = {
        "object": "list",
        "data": [{"object": "embedding", "index": index, "embedding": vector} for index in range(count)],
        "model": request.body["model"],
        "usage": {"prompt_tokens": meters.input_tokens, "total_tokens": meters.input_tokens},
    }
    return Reply(200, [encode(body)], provider=provider, model=request.body["model"], meters=meters)


OPENAI_PATHS: dict[str, Callable[[Request, str, Meters], Reply]] = {
    "/chat/completions": chat,
    "/responses": responses,
    "/embeddings": embeddings,
}
