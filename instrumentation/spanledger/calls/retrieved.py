"""Which text of a prompt was retrieved: no message says so, so the application's retriever does."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, TypeVar

from spanledger.once import warn_once

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["mark_retrieved", "retrieved_chunks"]

_T = TypeVar("_T")

# Marked text stays in memory as long as its context; a worker thread that serves many requests has one for ever.
_CHUNKS_MAX: Final = 64
_CHARS_MAX: Final = 1_000_000

_marked: ContextVar[tuple[str, ...]] = ContextVar("spanledger.retrieved", default=())


def mark_retrieved(text_or_chunks: _T) -> _T:
    """Say that a text of the prompt was retrieved, and return it.

    For example: `context = spanledger.mark_retrieved(search(question))`.
    Later calls in this context (this function and what it calls, this asyncio task) count a marked text that they find
    in their prompt as retrieved: cost per retrieved character, beside that of the user's words and of the history. Takes
    one string or a list of them; the last 64 are kept, up to a million characters. Nothing of the text leaves the process.
    """
    try:
        _mark([text_or_chunks] if isinstance(text_or_chunks, str) else text_or_chunks)  # type: ignore[arg-type] # checked there
    except Exception:  # noqa: BLE001 - a call must not fail for the way its context was found
        warn_once("mark-retrieved", "mark_retrieved() is passed over: expected a string or a list", with_error=True)
    return text_or_chunks


def _mark(chunks: Sequence[object]) -> None:
    if not isinstance(chunks, list | tuple):  # a generator would be empty for the application afterwards
        raise TypeError(f"expected a string or a list of strings, got {type(chunks).__name__}")
    texts = [chunk.strip() for chunk in chunks if isinstance(chunk, str)]
    if len(texts) < len(chunks):
        warn_once("mark-retrieved-item", "mark_retrieved() passes over chunks that are no strings")
    kept: list[str] = []
    chars = 0
    for text in reversed([*(text for text in _marked.get() if text not in texts), *filter(None, texts)]):
        chars += len(text)
        if len(kept) == _CHUNKS_MAX or chars > _CHARS_MAX:
            break
        kept.append(text)
    _marked.set(tuple(reversed(kept)))


def retrieved_chunks() -> tuple[str, ...]:
    """Return what is marked in this context."""
    return _marked.get()
