"""The demo company's clients: one per team and vendor, each with the key of its team."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Self

import anthropic
import openai

from spanledger_collector.demo.company import TEAMS, UNTAGGED, api_key
from spanledger_collector.demo.plan import Call

__all__ = ["Clients"]

TIMEOUT_SECONDS = 0.25
QUESTION: Any = [{"role": "user", "content": "Where is my order A-1042?"}]
SYSTEM = "You help travellers. Be brief."
CHAT: Any = [{"role": "system", "content": SYSTEM}, *QUESTION]
NO_RETRIES = {"timeout", "midstream"}


class Clients:
    """Context manager; closes every client at the end."""

    def __init__(self, vendor_url: str) -> None:
        self._clients: dict[tuple[str, str], Any] = {}
        self._open = ExitStack()
        for team in (*TEAMS, UNTAGGED):
            for vendor, make in FACTORIES.items():
                self._clients[team, vendor] = self._open.enter_context(make(vendor_url, api_key(team)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def make(self, team: str, call: Call) -> None:
        """Make one call, whole or as a stream; raises what the client raises."""
        client = self._clients[team, call.vendor]
        if call.case == "timeout":
            client = client.with_options(timeout=TIMEOUT_SECONDS)
        if call.case in NO_RETRIES:
            # A retry would be billed a second time, behind the back of every instrumentation.
            client = client.with_options(max_retries=0)
        headers = {"x-demo-case": call.case, "x-demo-usage": json.dumps(call.meters.as_json())}
        tier = {"service_tier": call.service_tier} if call.service_tier else {}
        APIS[call.api](client, call, extra_headers=headers, **tier)


def openai_client(vendor_url: str, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{vendor_url}/v1", api_key=key)


def anthropic_client(vendor_url: str, key: str) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=vendor_url, api_key=key)


def deepseek_client(vendor_url: str, key: str) -> openai.OpenAI:
    """Return a client of another vendor by its real name; the demo's vendor is its proxy, so nothing leaves."""
    http_client = openai.DefaultHttpxClient(proxy=vendor_url)
    return openai.OpenAI(base_url="http://api.deepseek.com/v1", api_key=key, http_client=http_client)


def in_house_client(vendor_url: str, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{vendor_url}/compatible/v1", api_key=key)


def chat(client: Any, call: Call, **options: Any) -> None:
    if call.stream and call.include_usage:
        options["stream_options"] = {"include_usage": True}
    messages = [*CHAT[:1], *question(call)]
    consume(client.chat.completions.create(model=call.model, messages=messages, stream=call.stream, **options), call)


def responses(client: Any, call: Call, **options: Any) -> None:
    consume(client.responses.create(model=call.model, input="Label this offer.", stream=call.stream, **options), call)


def embeddings(client: Any, call: Call, **options: Any) -> None:
    client.embeddings.create(model=call.model, input="Where is my order?", **options)


def messages(client: Any, call: Call, **options: Any) -> None:
    request = {"model": call.model, "max_tokens": 2_000, "system": SYSTEM, "messages": question(call), **options}
    if not call.stream:
        client.messages.create(**request)
        return
    with client.messages.stream(**request) as stream:
        stream.get_final_message()


def question(call: Call) -> Any:
    """Return what the user says: what the call is for, or what users always ask."""
    return [{"role": "user", "content": call.prompt}] if call.prompt else QUESTION


def consume(answer: Any, call: Call) -> None:
    """Read a stream to its end."""
    if call.stream:
        for _ in answer:
            pass


FACTORIES: dict[str, Callable[[str, str], Any]] = {
    "openai": openai_client,
    "anthropic": anthropic_client,
    "deepseek": deepseek_client,
    "in-house": in_house_client,
}
APIS: dict[str, Callable[..., None]] = {
    "chat": chat,
    "responses": responses,
    "embeddings": embeddings,
    "messages": messages,
}
