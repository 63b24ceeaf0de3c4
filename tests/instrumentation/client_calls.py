"""Every form of call that a client offers, made by the real client: `python client_calls.py openai anthropic`.

Each form is tagged with its name as the feature. What the installed version does not offer is skipped by name. Needs
nothing but `spanledger` and the client, so that it runs in the environment of any version.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import spanledger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Forms = dict[str, "Callable[[Any], Any]"]

QUESTION: Any = [{"role": "user", "content": "Where is my order?"}]
CHAT: dict[str, Any] = {"model": "gpt-5-mini", "messages": QUESTION}
USAGE = {"stream": True, "stream_options": {"include_usage": True}}
RESPOND: dict[str, Any] = {"model": "gpt-5-mini", "input": "Where is my order?"}
MESSAGES: dict[str, Any] = {"model": "claude-sonnet-5-5", "max_tokens": 100, "messages": QUESTION}
# No cache write of an hour: only clients with a span of their own (anthropic 1 and later) tell it from one of 5 minutes.
USED = {"input_tokens": 3050, "cache_read_tokens": 2000, "cache_write_tokens": 1000, "output_tokens": 60}
PLAIN = {"x-demo-usage": json.dumps({"input_tokens": 16, "output_tokens": 0})}
CACHED = {"x-demo-usage": json.dumps(USED)}


def read_all(stream: Any) -> None:
    with closing(stream):
        for _ in stream:
            pass


def helper(manager: Any) -> None:
    with manager as stream:
        for _ in stream:
            pass


def streamed_body(manager: Any) -> None:
    with manager as response:
        response.parse()


async def async_read_all(stream: Awaitable[Any]) -> None:
    async for _ in await stream:
        pass


async def async_helper(manager: Any) -> None:
    async with manager as stream:
        async for _ in stream:
            pass


OPENAI: Forms = {
    "chat": lambda client: client.chat.completions.create(**CHAT),
    "chat stream": lambda client: read_all(client.chat.completions.create(**CHAT, **USAGE)),
    "chat helper": lambda client: helper(
        client.chat.completions.stream(**CHAT, stream_options={"include_usage": True})
    ),
    "chat beta helper": lambda client: helper(
        client.beta.chat.completions.stream(**CHAT, stream_options={"include_usage": True})
    ),
    "chat parse": lambda client: client.chat.completions.parse(**CHAT),
    "chat beta parse": lambda client: client.beta.chat.completions.parse(**CHAT),
    "chat raw": lambda client: client.chat.completions.with_raw_response.create(**CHAT).parse(),
    "chat streamed body": lambda client: streamed_body(client.chat.completions.with_streaming_response.create(**CHAT)),
    "responses": lambda client: client.responses.create(**RESPOND),
    "responses stream": lambda client: read_all(client.responses.create(**RESPOND, stream=True)),
    "responses helper": lambda client: helper(client.responses.stream(**RESPOND)),
    "responses parse": lambda client: client.responses.parse(**RESPOND),
    "responses raw": lambda client: client.responses.with_raw_response.create(**RESPOND).parse(),
    "embeddings": lambda client: client.embeddings.create(
        model="text-embedding-3-small", input="Hello", extra_headers=PLAIN
    ),
}
OPENAI_ASYNC: Forms = {
    "async chat": lambda client: client.chat.completions.create(**CHAT),
    "async chat stream": lambda client: async_read_all(client.chat.completions.create(**CHAT, **USAGE)),
    "async responses": lambda client: client.responses.create(**RESPOND),
    "async responses stream": lambda client: async_read_all(client.responses.create(**RESPOND, stream=True)),
    "async embeddings": lambda client: client.embeddings.create(
        model="text-embedding-3-small", input="Hello", extra_headers=PLAIN
    ),
}
ANTHROPIC: Forms = {
    "messages": lambda client: client.messages.create(**MESSAGES),
    "messages stream": lambda client: read_all(client.messages.create(**MESSAGES, stream=True)),
    "messages helper": lambda client: helper(client.messages.stream(**MESSAGES)),
    "messages parse": lambda client: client.messages.parse(**MESSAGES),
    "messages raw": lambda client: client.messages.with_raw_response.create(**MESSAGES).parse(),
    "messages streamed body": lambda client: streamed_body(client.messages.with_streaming_response.create(**MESSAGES)),
    "beta": lambda client: client.beta.messages.create(**MESSAGES),
    "beta stream": lambda client: read_all(client.beta.messages.create(**MESSAGES, stream=True)),
    "beta helper": lambda client: helper(client.beta.messages.stream(**MESSAGES)),
}
ANTHROPIC_ASYNC: Forms = {
    "async messages": lambda client: client.messages.create(**MESSAGES),
    "async messages stream": lambda client: async_read_all(client.messages.create(**MESSAGES, stream=True)),
    "async messages helper": lambda client: async_helper(client.messages.stream(**MESSAGES)),
    "async beta": lambda client: client.beta.messages.create(**MESSAGES),
}


def offers(client: Any, form: str) -> bool:
    """Whether this version of the client has the method of a form; asked of the client, not of its version."""
    words = form.removeprefix("async ").split()
    try:
        if words[0] == "responses":
            return hasattr(client, "responses") and hasattr(
                client.responses, {"helper": "stream"}.get(words[-1], "create")
            )
        resource = client
        if words[0] == "chat":
            resource = client.beta.chat.completions if "beta" in words else client.chat.completions
        elif words[0] in {"messages", "beta"}:
            resource = client.beta.messages if words[0] == "beta" else client.messages
        method = {"helper": "stream", "parse": "parse"}.get(words[-1])
        return method is None or hasattr(resource, method)
    except AttributeError:
        return False


def run(client: Any, forms: Forms) -> None:
    for form, call in forms.items():
        if offers(client, form):
            with spanledger.tags(feature=form):
                call(client)


async def run_async(client: Any, forms: Forms) -> None:
    for form, call in forms.items():
        if offers(client, form):
            with spanledger.tags(feature=form):
                await call(client)


def openai() -> None:
    from openai import AsyncOpenAI, OpenAI

    async def main() -> None:
        async with AsyncOpenAI(default_headers=CACHED) as client:
            await run_async(client, OPENAI_ASYNC)

    with OpenAI(default_headers=CACHED) as client:
        run(client, OPENAI)
    asyncio.run(main())


def anthropic() -> None:
    from anthropic import Anthropic, AsyncAnthropic

    async def main() -> None:
        async with AsyncAnthropic(default_headers=CACHED) as client:
            await run_async(client, ANTHROPIC_ASYNC)

    with Anthropic(default_headers=CACHED) as client:
        run(client, ANTHROPIC)
    asyncio.run(main())


def llamaindex() -> None:
    from llama_index.core.llms import ChatMessage  # type: ignore[import-not-found] # installed in its own environment
    from llama_index.llms.openai import OpenAI  # type: ignore[import-not-found] # installed in its own environment

    message = ChatMessage(role="user", content="Where is my order?")
    llm = OpenAI(model="gpt-4o-mini", api_base=os.environ["OPENAI_BASE_URL"])
    calls: dict[str, Callable[[], Any]] = {
        "chat": lambda: llm.chat([message]),
        "complete": lambda: llm.complete("Where is my order?"),
        "stream": lambda: list(llm.stream_chat([message], stream_options={"include_usage": True})),
        "async": lambda: asyncio.run(llm.achat([message])),
    }
    for form, call in calls.items():
        with spanledger.tags(feature=form):
            call()


def openai_agents() -> None:
    from agents import Agent, Runner  # type: ignore[import-not-found] # installed in its own environment

    with spanledger.tags(feature="agent"):
        Runner.run_sync(Agent(name="triage", model="gpt-5-mini"), "Where is my order?")


if __name__ == "__main__":
    spanledger.instrument()
    for name in sys.argv[1:]:
        globals()[name]()
