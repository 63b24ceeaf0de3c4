"""One reader for each kind of request body: OpenAI chat, responses, embeddings; Anthropic; Converse; Gemini."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from spanledger.calls.parts import ASSISTANT, MEDIA, SYSTEM, TOOL, USER, Prompt, items

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["read_anthropic", "read_chat", "read_converse", "read_gemini", "read_input", "read_prompt", "read_responses"]

_ROLES: Final = {
    "system": SYSTEM,
    "developer": SYSTEM,
    "user": USER,
    "assistant": ASSISTANT,
    "model": ASSISTANT,
    "tool": TOOL,
    "function": TOOL,
}


def _role(name: object) -> str:
    return _ROLES.get(name, USER) if isinstance(name, str) else USER


def read_chat(body: Any) -> Prompt:
    """OpenAI chat completions: the system prompt is a message among the others."""
    found = Prompt()
    found.define(body.get("tools") or body.get("functions"))
    for message in items(body.get("messages")):
        if isinstance(message, dict):
            found.next_message()
            _read_chat_message(found, message)
    return found


def _read_chat_message(found: Prompt, message: dict[str, Any]) -> None:
    role = _role(message.get("role"))
    content = message.get("content")
    if isinstance(content, str):
        found.add(role, content)
    else:
        for part in items(content):
            _read_chat_part(found, role, part)
    if role == ASSISTANT:
        found.add(ASSISTANT, message.get("refusal"))
        for call in items(message.get("tool_calls")):
            if isinstance(call, dict):
                _read_function(found, call.get("function") or call.get("custom"))
        _read_function(found, message.get("function_call"))


def _read_chat_part(found: Prompt, role: str, part: Any) -> None:
    if isinstance(part, str):
        found.add(role, part)
    elif isinstance(part, dict):
        kind = str(part.get("type", ""))
        if kind in {"text", "input_text", "output_text", "refusal"}:
            found.add(role, part.get("text") or part.get("refusal"))
        else:  # image_url, input_audio, file, input_image, input_file
            found.add_json(MEDIA, part.get(kind) or part)


def _read_function(found: Prompt, function: Any) -> None:
    if isinstance(function, dict):
        found.add(ASSISTANT, function.get("name"))
        found.add_json(ASSISTANT, function.get("arguments") or function.get("input"))


def read_responses(body: Any) -> Prompt:
    """OpenAI responses: instructions, and an input that is one text or a list of items."""
    found = Prompt()
    found.define(body.get("tools"))
    found.add(SYSTEM, body.get("instructions"))
    given = body.get("input")
    found.next_message()
    found.add(USER, given)
    for item in items(given):
        found.next_message()
        if isinstance(item, str):
            found.add(USER, item)
        elif isinstance(item, dict):
            _read_response_item(found, item)
    return found


def _read_response_item(found: Prompt, item: dict[str, Any]) -> None:
    kind = str(item.get("type", ""))
    if "role" in item:
        _read_chat_message(found, item)
    elif kind.endswith("_output"):
        found.add_json(TOOL, item.get("output"))
    elif kind.endswith("_call"):
        _read_function(found, item)
    elif kind == "reasoning":
        for part in [*items(item.get("summary")), *items(item.get("content"))]:
            _read_chat_part(found, ASSISTANT, part)


def read_anthropic(body: Any) -> Prompt:
    """Anthropic messages: a system prompt of its own; tool results arrive as messages of the user."""
    found = Prompt()
    found.define(body.get("tools"))
    _read_blocks(found, SYSTEM, body.get("system"))
    for message in items(body.get("messages")):
        if isinstance(message, dict):
            found.next_message()
            _read_blocks(found, _role(message.get("role")), message.get("content"))
    found.cache_ttls = ",".join(sorted({_ttl(mark) for mark in _cache_marks(body)}, reverse=True))
    return found


def _cache_marks(body: Any) -> Iterator[Any]:
    """Yield every mark that asks for a part of a request to be cached."""
    messages = (message.get("content") for message in items(body.get("messages")) if isinstance(message, dict))
    lists = (items(blocks) for blocks in (body.get("tools"), body.get("system"), *messages))
    for block in [body, *chain.from_iterable(lists)]:
        if isinstance(block, dict):
            inner = (part for part in items(block.get("content")) if isinstance(part, dict))
            yield from filter(None, (part.get("cache_control") for part in (block, *inner)))


def _ttl(mark: Any) -> str:
    return "1h" if isinstance(mark, dict) and mark.get("ttl") == "1h" else "5m"


def _read_blocks(found: Prompt, role: str, content: Any) -> None:
    found.add(role, content)
    for block in items(content):
        if isinstance(block, str):
            found.add(role, block)
        elif isinstance(block, dict):
            _read_block(found, role, block)


def _read_block(found: Prompt, role: str, block: dict[str, Any]) -> None:
    kind = str(block.get("type", ""))
    if kind == "text":
        found.add(role, block.get("text"))
    elif kind.endswith("tool_result"):
        content = block.get("content")
        if isinstance(content, dict):
            found.add_json(TOOL, content)
        else:
            _read_blocks(found, TOOL, content)
    elif kind in {"tool_use", "server_tool_use", "mcp_tool_use"}:
        found.add(ASSISTANT, block.get("name"))
        found.add_json(ASSISTANT, block.get("input"))
    elif kind == "thinking":
        found.add(ASSISTANT, block.get("thinking"))
    else:  # image, document, search_result
        found.add_json(MEDIA, block.get("source") or block)


def read_input(body: Any) -> Prompt:
    """Embeddings: one text or many. Input that is token numbers has no characters to count."""
    return _read_texts(body.get("input"))


def read_prompt(body: Any) -> Prompt:
    """Text completions, and models of Bedrock that take one text."""
    return _read_texts(body.get("prompt") or body.get("inputText"))


def _read_texts(given: Any) -> Prompt:
    found = Prompt()
    found.add(USER, given)
    for text in items(given):
        found.add(USER, text)
    return found


def read_converse(body: Any) -> Prompt:
    """Bedrock Converse: blocks that are named by their only key."""
    found = Prompt()
    found.define((body.get("toolConfig") or {}).get("tools"))
    _read_converse_blocks(found, SYSTEM, body.get("system"))
    for message in items(body.get("messages")):
        found.next_message()
        _read_converse_blocks(found, _role(message.get("role")), message.get("content"))
    return found


def _read_converse_blocks(found: Prompt, role: str, content: Any) -> None:
    for block in items(content):
        if "text" in block:
            found.add(role, block["text"])
        elif "toolResult" in block:
            _read_converse_blocks(found, TOOL, block["toolResult"].get("content"))
        elif "toolUse" in block:
            _read_function(found, block["toolUse"])
        elif "reasoningContent" in block:
            found.add(ASSISTANT, (block["reasoningContent"].get("reasoningText") or {}).get("text"))
        elif "json" in block:
            found.add_json(role, block["json"])
        elif "cachePoint" not in block:  # image, document, video
            found.add_json(MEDIA, block)


def read_gemini(body: Any) -> Prompt:
    """Gemini generateContent, and its embeddings, whose requests hold one content each."""
    found = Prompt()
    found.define(body.get("tools"))
    _read_gemini_parts(found, SYSTEM, body.get("systemInstruction") or body.get("system_instruction"))
    for content in items(body.get("contents")):
        found.next_message()
        _read_gemini_parts(found, _role(content.get("role")), content)
    if items(body.get("requests")):
        found.next_message()
    for request in items(body.get("requests")):
        _read_gemini_parts(found, USER, request.get("content"))
    return found


def _read_gemini_parts(found: Prompt, role: str, content: Any) -> None:
    for part in items((content or {}).get("parts")):
        if part.get("text") is not None:
            found.add(ASSISTANT if part.get("thought") else role, part["text"])
        elif part.get("functionResponse"):
            found.add_json(TOOL, part["functionResponse"].get("response"))
        elif part.get("functionCall"):
            found.add(ASSISTANT, part["functionCall"].get("name"))
            found.add_json(ASSISTANT, part["functionCall"].get("args"))
        else:  # inlineData, fileData
            found.add_json(MEDIA, part)
