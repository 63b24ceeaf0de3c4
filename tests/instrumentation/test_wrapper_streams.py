"""A stream of OpenAI chat tells its usage, and the application sees the chunks that it would have seen."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import openai
import pytest
from openai.types.chat import ChatCompletionChunk

from spanledger import calls
from spanledger.calls.options import Hosts
from spanledger.calls.stream_usage import merge_usage
from tests.instrumentation.test_calls import QUESTION, openai_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spanledger_collector.demo.vendor import VendorServer
    from tests.instrumentation.conftest import Metered

STREAM: Any = {"model": "gpt-5-mini", "messages": QUESTION, "stream": True}
USAGE = "gen_ai.usage.input_tokens"


@pytest.fixture
def listed() -> Iterator[Callable[[str], None]]:
    """Return a function that lists the hosts whose streams are asked for their usage."""
    before = calls.call_options()
    yield lambda hosts: calls.configure(replace(before, stream_usage_hosts=Hosts.parse(hosts)))
    calls.configure(before)


def plain(vendor: VendorServer, **more: Any) -> list[Any]:
    with openai_client(vendor) as client:
        return list(client.chat.completions.create(**STREAM, **more))


def stepped(vendor: VendorServer) -> list[Any]:
    with openai_client(vendor) as client, client.chat.completions.create(**STREAM) as stream:
        chunks = []
        while (chunk := next(stream, None)) is not None:
            chunks.append(chunk)
        return chunks


def raw(vendor: VendorServer) -> list[Any]:
    with openai_client(vendor) as client:
        return list(client.chat.completions.with_raw_response.create(**STREAM).parse())


def left_at_the_finish(vendor: VendorServer) -> list[Any]:
    chunks = []
    with openai_client(vendor) as client, client.chat.completions.create(**STREAM) as stream:
        for chunk in stream:
            chunks.append(chunk)
            if chunk.choices[0].finish_reason:
                break
    return chunks


def asynchronous(vendor: VendorServer) -> list[Any]:
    async def call() -> list[Any]:
        async with openai.AsyncOpenAI(api_key="k", base_url=f"{vendor.url}/v1") as client:
            return [chunk async for chunk in await client.chat.completions.create(**STREAM)]

    return asyncio.run(call())


def shape(chunks: list[Any]) -> list[Any]:
    """Return what an application can see of chunks, without ids and the usage that the last one has gained."""
    seen = [chunk.to_dict() for chunk in chunks]
    return [{key: value for key, value in chunk.items() if key not in {"id", "created", "usage"}} for chunk in seen]


@pytest.mark.parametrize("read", [plain, stepped, raw, asynchronous, left_at_the_finish])
def test_the_usage_is_told_and_no_chunk_more_is_seen(
    read: Callable[[Any], list[Any]], metered: Metered, vendor: VendorServer, listed: Callable[[str], None]
) -> None:
    before = read(vendor)
    listed("127.0.0.1")
    after = read(vendor)

    assert shape(after) == shape(before)
    assert [chunk.usage is not None for chunk in after] == [False] * (len(after) - 1) + [True]
    assert all("usage" not in chunk.to_dict() for chunk in after[:-1])
    unasked, asked = (request.body for request in vendor.requests)
    assert asked == unasked | {"stream_options": {"include_usage": True}}
    without, with_usage = metered.collect()
    assert USAGE not in without.attributes
    assert with_usage.attributes[USAGE] == vendor.bill[-1].meters.input_tokens
    if read is not left_at_the_finish:  # where the emitter cannot know that the stream was read to its end
        assert with_usage.attributes["spanledger.cost_usd"]


def test_the_helper_sees_the_same_events(metered: Metered, vendor: VendorServer, listed: Callable[[str], None]) -> None:
    def events() -> list[str]:
        with (
            openai_client(vendor) as client,
            client.chat.completions.stream(model="gpt-5-mini", messages=QUESTION) as stream,
        ):
            return [event.type for event in stream]

    before = events()
    listed("127.0.0.1")

    assert events() == before
    assert metered.collect()[-1].attributes[USAGE]


@pytest.mark.parametrize("include", [True, False])
def test_an_application_that_decides_itself_is_left_alone(
    include: bool, metered: Metered, vendor: VendorServer, listed: Callable[[str], None]
) -> None:
    given = {"stream_options": {"include_usage": include}}
    before = plain(vendor, **given)
    listed("127.0.0.1")
    after = plain(vendor, **given)
    plain(vendor, extra_body=given)

    assert shape(after) == shape(before)
    assert (after[-1].choices == []) == include
    assert [request.body["stream_options"] for request in vendor.requests] == [given["stream_options"]] * 3


def test_raw_bytes_and_hosts_that_are_not_listed_are_left_alone(
    metered: Metered, vendor: VendorServer, listed: Callable[[str], None]
) -> None:
    listed("127.0.0.1")
    with (
        openai_client(vendor) as client,
        client.chat.completions.with_streaming_response.create(**STREAM) as response,
    ):
        lines = list(response.iter_lines())
    listed("api.openai.com")
    plain(vendor)

    assert not any('"choices":[]' in line.replace(" ", "") for line in lines)
    assert all("stream_options" not in request.body for request in vendor.requests)


@pytest.mark.parametrize(("version", "is_asked"), [("2024-08-01-preview", False), ("2024-10-21", True)])
def test_azure_is_asked_where_its_interface_knows_the_option(
    version: str, is_asked: bool, metered: Metered, vendor: VendorServer, listed: Callable[[str], None]
) -> None:
    listed("127.0.0.1")
    client = openai.AzureOpenAI(
        api_key="k", api_version=version, base_url=f"{vendor.url}/v1", default_headers={"authorization": "Bearer k"}
    )
    with client, pytest.raises(openai.NotFoundError):  # nobody serves Azure's paths here; what was asked is what counts
        client.chat.completions.create(**STREAM)

    assert ("stream_options" in vendor.requests[0].body) == is_asked


def chunk(*reasons: str | None, usage: bool = False) -> ChatCompletionChunk:
    choices: list[Any] = [
        {"index": number, "delta": {}, "finish_reason": reason} for number, reason in enumerate(reasons)
    ]
    counts = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5} if usage else None
    return ChatCompletionChunk.model_validate(
        {"id": "1", "created": 1, "model": "m", "object": "chat.completion.chunk", "choices": choices, "usage": counts}
    )


class Stream:
    """As much of the client's stream as the merging knows of."""

    def __init__(self, *items: Any) -> None:
        self._iterator = self._read(items)
        self.is_closed = False

    def _read(self, items: Any) -> Iterator[Any]:
        try:
            for item in items:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self.is_closed = True

    def seen(self) -> list[tuple[int, bool]]:
        return [(len(item.choices), item.usage is not None) for item in self._iterator]


@pytest.mark.parametrize(
    ("items", "seen"),
    [
        ([chunk(), chunk(None), chunk("stop"), chunk(usage=True)], [(0, False), (1, False), (1, True)]),
        ([chunk("stop"), chunk("stop"), chunk(usage=True)], [(1, False), (1, True)]),
        ([chunk("stop"), chunk(None), chunk("stop")], [(1, False), (1, False), (1, False)]),
        ([chunk("stop", usage=True)], [(1, True)]),
        ([chunk(usage=True)], []),
        ([], []),
    ],
    ids=["usual", "two choices", "no usage came", "usage with the finish", "nothing but usage", "empty"],
)
def test_chunks_are_merged_whatever_their_order(items: list[Any], seen: list[Any]) -> None:
    stream = Stream(*[item.model_copy() for item in items])

    assert merge_usage(stream).seen() == seen
    assert stream.is_closed


def test_what_arrived_before_a_stream_broke_is_seen_before_the_error() -> None:
    stream = merge_usage(Stream(chunk(None), chunk("stop"), ConnectionError("cut")))

    assert len([next(stream._iterator), next(stream._iterator)]) == 2
    with pytest.raises(ConnectionError, match="cut"):
        next(stream._iterator)
    assert stream.is_closed


def test_a_stream_that_is_left_is_closed() -> None:
    stream = merge_usage(Stream(chunk(None), chunk("stop")))
    next(stream._iterator)
    stream._iterator.close()

    assert stream.is_closed
