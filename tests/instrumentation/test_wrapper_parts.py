"""A prompt is measured part by part, the same way in every vendor's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spanledger.calls import readers
from spanledger.calls.fingerprints import derived_key, fingerprints, given_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanledger.calls.parts import Prompt

KEY = b"key"
PROMPT = "spanledger.prompt.fingerprint"
PREFIX = "spanledger.prompt.prefix.fingerprint"
SYSTEM = "spanledger.prompt.system.fingerprint"
TEMPLATE = "spanledger.prompt.template.fingerprint"

# One conversation, in five languages: system 6, question 5, tool call f + {"a":1} 8, tool result 4, last question 7.
SCHEMA: Any = {"type": "object"}
CHAT = {
    "messages": [
        {"role": "system", "content": "system"},
        {"role": "user", "content": [{"type": "text", "text": "first"}]},
        {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": '{"a":1}'}}]},
        {"role": "tool", "tool_call_id": "1", "content": "tool"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "another"}, {"type": "image_url", "image_url": {"url": "x"}}],
        },
    ]
}
RESPONSES = {
    "instructions": "system",
    "input": [
        {"role": "user", "content": "first"},
        {"type": "function_call", "name": "f", "arguments": '{"a":1}'},
        {"type": "function_call_output", "output": "tool"},
        {"role": "user", "content": [{"type": "input_text", "text": "another"}]},
    ],
}
ANTHROPIC = {
    "system": [{"type": "text", "text": "system", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": [{"type": "tool_use", "name": "f", "input": {"a": 1}}]},
        {"role": "user", "content": [{"type": "tool_result", "content": [{"type": "text", "text": "tool"}]}]},
        {"role": "user", "content": [{"type": "text", "text": "another"}]},
    ],
}
CONVERSE = {
    "system": [{"text": "system"}, {"cachePoint": {"type": "default"}}],
    "messages": [
        {"role": "user", "content": [{"text": "first"}]},
        {"role": "assistant", "content": [{"toolUse": {"name": "f", "input": {"a": 1}}}]},
        {"role": "user", "content": [{"toolResult": {"content": [{"text": "tool"}]}}]},
        {"role": "user", "content": [{"text": "another"}]},
    ],
}
GEMINI = {
    "systemInstruction": {"parts": [{"text": "system"}]},
    "contents": [
        {"role": "user", "parts": [{"text": "first"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"a": 1}}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": "tool"}}]},
        {"role": "user", "parts": [{"text": "another"}]},
    ],
}
LANGUAGES = [
    pytest.param(readers.read_chat, CHAT, id="chat"),
    pytest.param(readers.read_responses, RESPONSES, id="responses"),
    pytest.param(readers.read_anthropic, ANTHROPIC, id="anthropic"),
    pytest.param(readers.read_converse, CONVERSE, id="converse"),
    pytest.param(readers.read_gemini, GEMINI, id="gemini"),
]


def chars(prompt: Prompt, *retrieved: str) -> dict[str, int]:
    return {name.split(".")[2]: size for name, size in prompt.sizes(retrieved).items()}


def chat(*messages: tuple[str, str], **more: Any) -> Prompt:
    return readers.read_chat({"messages": [{"role": role, "content": text} for role, text in messages], **more})


@pytest.mark.parametrize(("read", "body"), LANGUAGES)
def test_a_conversation_has_the_same_sizes_in_every_language(read: Callable[[Any], Prompt], body: Any) -> None:
    assert chars(read(body)) == {"system": 6, "history": 5 + 8, "tool": 4, "user": 7}


@pytest.mark.parametrize(("read", "body"), LANGUAGES)
def test_a_system_prompt_has_the_same_fingerprint_in_every_language(read: Callable[[Any], Prompt], body: Any) -> None:
    expected = fingerprints(chat(("system", "system"), ("user", "something else")), KEY)[SYSTEM]

    assert fingerprints(read(body), KEY)[SYSTEM] == expected


def test_a_tool_result_is_no_message_of_the_user() -> None:
    messages = [
        {"role": "user", "content": "question"},
        {"role": "assistant", "content": [{"type": "tool_use", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "content": "found"}]},
    ]

    assert chars(readers.read_anthropic({"messages": messages})) == {"user": 8, "history": 1, "tool": 5}


def test_one_text_is_what_the_user_says() -> None:
    assert chars(readers.read_responses({"input": "Hello"})) == {"user": 5}
    assert chars(readers.read_input({"input": ["one", "four"]})) == {"user": 7}
    assert chars(readers.read_prompt({"prompt": "Hello"})) == {"user": 5}
    assert chars(readers.read_gemini({"requests": [{"content": {"parts": [{"text": "Hello"}]}}]})) == {"user": 5}


def test_tokens_instead_of_text_have_no_characters_rather_than_some_number() -> None:
    assert chars(readers.read_input({"input": [[1, 2, 3], [4]]})) == {}


def test_definitions_of_tools_count_as_the_json_that_is_sent() -> None:
    assert chars(chat(("user", "hi"), tools=[{"a": 1}])) == {"user": 2, "tool_definitions": len('[{"a":1}]')}


def test_text_that_was_retrieved_is_counted_as_that_and_as_nothing_else() -> None:
    prompt = chat(("system", "Be kind."), ("user", "Context: the sky is blue. Why?"))

    assert chars(prompt, "the sky is blue.", "not in there", "kind") == {"system": 4, "user": 14, "retrieved": 16 + 4}


def test_another_image_makes_another_prompt_of_the_same_size() -> None:
    def with_image(url: str) -> Prompt:
        parts = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}}]
        return readers.read_chat({"messages": [{"role": "user", "content": parts}]})

    one, other = with_image("a"), with_image("b")
    assert chars(one) == chars(other) == {"user": 11}
    assert fingerprints(one, KEY)[PROMPT] != fingerprints(other, KEY)[PROMPT]


def test_the_prefix_is_everything_before_the_last_message_of_the_user() -> None:
    one = fingerprints(chat(("system", "s"), ("user", "a"), ("assistant", "b"), ("user", "c")), KEY)
    other = fingerprints(chat(("system", "s"), ("user", "a"), ("assistant", "b"), ("user", "d")), KEY)
    moved = fingerprints(chat(("system", "s"), ("user", "a"), ("assistant", "x"), ("user", "c")), KEY)

    assert one[PREFIX] == other[PREFIX] != moved[PREFIX]
    assert one[PROMPT] != other[PROMPT]
    assert PREFIX not in fingerprints(chat(("user", "alone")), KEY)
    assert SYSTEM not in fingerprints(chat(("user", "alone")), KEY)


def test_prompts_that_differ_in_numbers_only_have_one_template() -> None:
    one, other, third = (fingerprints(chat(("user", f"order {x}")), KEY) for x in ("7", "1042", "seven"))

    assert one[TEMPLATE] == other[TEMPLATE] != third[TEMPLATE]
    assert one[PROMPT] != other[PROMPT]


def test_a_fingerprint_is_64_bits_in_hex_and_depends_on_the_key() -> None:
    prompt = chat(("system", "s"), ("user", "a"))
    one, other = fingerprints(prompt, KEY), fingerprints(prompt, derived_key("https://ledger.example:4318/v1/traces"))

    assert all(len(text) == 16 and int(text, 16) for text in one.values())
    assert set(one.values()).isdisjoint(other.values())
    assert derived_key("https://ledger.example:4318/v1/logs") == derived_key("https://ledger.example:4318/v1/traces")
    assert derived_key("https://ledger.example:4318") != derived_key("https://other.example:4318")


def test_moving_a_word_to_the_next_message_makes_another_prompt() -> None:
    one, other = chat(("user", "a b"), ("user", "c")), chat(("user", "a"), ("user", "b c"))

    assert fingerprints(one, KEY)[PROMPT] != fingerprints(other, KEY)[PROMPT]


LEAVES: Any = st.sampled_from([None, True, 7, "", "text", b"bytes", "\ud800", object()])
NAMES = st.sampled_from(["role", "content", "type", "text", "tool_calls", "function", "input", "messages", "source"])
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)
BODIES = st.dictionaries(st.sampled_from(["messages", "input", "system", "tools"]), VALUES, max_size=3)
READERS = [readers.read_chat, readers.read_responses, readers.read_anthropic, readers.read_input, readers.read_prompt]


@pytest.mark.parametrize("read", READERS)
def test_a_request_that_the_vendor_will_refuse_is_read_as_far_as_it_goes(read: Callable[[Any], Prompt]) -> None:
    messages = [
        {"role": ["x"], "content": "abc"},
        {"role": "assistant", "tool_calls": ["x"]},
        {"content": [{"type": []}]},
    ]

    assert chars(read({"messages": messages, "input": None, "system": 7})).get("user", 0) in {0, 3}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=150)
@given(st.sampled_from(READERS), BODIES)
def test_whatever_an_application_passes_can_be_read(read: Callable[[Any], Prompt], body: Any) -> None:
    prompt = read(body)

    assert sum(prompt.sizes().values()) <= sum(map(len, prompt.texts))
    assert all(len(text) == 16 for text in fingerprints(prompt, KEY).values())


MARK, HOUR_MARK = {"cache_control": {"type": "ephemeral"}}, {"cache_control": {"type": "ephemeral", "ttl": "1h"}}


@pytest.mark.parametrize(
    ("body", "ttls"),
    [
        ({"system": "be kind", "messages": [{"role": "user", "content": "hi"}]}, ""),
        ({**MARK, "messages": []}, "5m"),
        ({"system": [{"type": "text", "text": "be kind", **HOUR_MARK}]}, "1h"),
        ({"tools": [{"name": "look", **HOUR_MARK}], "messages": [{"role": "user", "content": [{"type": "text", **MARK}]}]}, "5m,1h"),
        ({"messages": [{"content": [{"type": "tool_result", "content": [{"type": "text", **HOUR_MARK}, 3]}, "x"]}, 3]}, "1h"),
        ({"messages": 3, "tools": {"a": 1}, "cache_control": 7}, "5m"),
    ],
)  # fmt: skip
def test_the_lifetimes_that_a_request_asks_for_are_told(body: dict[str, Any], ttls: str) -> None:
    assert readers.read_anthropic(body).cache_ttls == ttls


def test_a_key_may_be_of_any_length() -> None:
    prompt = chat(("user", "hello"))
    keys = [given_key(text) for text in ("k", "k" * 64, "k" * 65, "k" * 1000)]

    assert len({fingerprints(prompt, key)[PROMPT] for key in keys}) == len(keys)
