"""OpenAI chat streams that tell their usage, without the application seeing a chunk more.

A stream says what it used only when asked (`stream_options.include_usage`), in one more chunk that has no choices and
trips applications that do not expect it. So the wrapper asks, and merges that chunk into the last one that has choices:
the application gets as many chunks as before, and whoever meters the stream finds the usage.

Held back is only a chunk that ends a choice, and only until the next one arrives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanledger.once import warn_once

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

__all__ = ["asks_for_usage", "merge_usage"]

_USAGE: Final = {"include_usage": True}
_RAW_HEADER: Final = "X-Stainless-Raw-Response"


def asks_for_usage(options: Any, body: dict[str, Any]) -> dict[str, Any] | None:
    """Return the body that asks for the usage; None when the application decides that itself or reads raw bytes."""
    extra = getattr(options, "extra_json", None) or {}
    given = body.get("stream_options")
    if body.get("stream") is not True or "stream_options" in extra or "stream" in extra:
        return None
    if given is not None and (not isinstance(given, dict) or "include_usage" in given):
        return None
    headers = options.headers if isinstance(options.headers, dict) else {}
    if headers.get(_RAW_HEADER) == "stream":  # with_streaming_response: bytes, that no chunk can be merged away from
        return None
    return {**body, "stream_options": {**(given or {}), **_USAGE}}


def merge_usage(result: Any) -> Any:
    """Return what the client answers, with the chunk of the usage merged away wherever its stream is read."""
    try:
        if hasattr(result, "_iterator"):
            result._iterator = _merged(result._iterator)  # noqa: SLF001 - no public seam
        elif hasattr(result, "_parse"):  # with_raw_response: the stream is made when the application parses it
            parse = result._parse  # noqa: SLF001 - no public seam
            result._parse = lambda *args, **kwargs: merge_usage(parse(*args, **kwargs))  # noqa: SLF001 - see above
    except Exception:  # noqa: BLE001 - the caller's call comes first
        warn_once("stream-usage", "spanledger: the usage of a stream could not be merged", with_error=True)
    return result


def _merged(chunks: Any) -> Any:
    return _merged_async(chunks) if hasattr(chunks, "__anext__") else _merged_sync(chunks)


def _merged_sync(chunks: Iterator[Any]) -> Iterator[Any]:
    held = None
    try:
        for chunk in chunks:
            ready, held = _step(held, chunk)
            yield from ready
    except Exception:
        if held is not None:  # it had arrived before the stream broke
            yield held
        raise
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    if held is not None:
        yield held


async def _merged_async(chunks: AsyncIterator[Any]) -> AsyncIterator[Any]:
    held = None
    try:
        async for chunk in chunks:
            ready, held = _step(held, chunk)
            for each in ready:
                yield each
    except Exception:
        if held is not None:
            yield held
        raise
    finally:
        if hasattr(chunks, "aclose"):
            await chunks.aclose()
    if held is not None:
        yield held


def _step(held: Any, chunk: Any) -> tuple[list[Any], Any]:
    """Return the chunks that the application gets now, and the one that is held back."""
    choices = getattr(chunk, "choices", None)
    before = [held] if held is not None else []
    if choices == [] and getattr(chunk, "usage", None) is not None:
        if held is not None:
            held.usage = chunk.usage
        return before, None
    _forget_empty_usage(chunk)
    if choices and any(getattr(choice, "finish_reason", None) for choice in choices):
        return before, chunk
    return [*before, chunk], None


def _forget_empty_usage(chunk: Any) -> None:
    """Take back the `usage: null` that each chunk has when the usage is asked for: unset, as it was before."""
    fields = getattr(chunk, "__pydantic_fields_set__", None)
    if isinstance(fields, set) and getattr(chunk, "usage", None) is None:
        fields.discard("usage")
