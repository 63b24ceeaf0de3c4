"""Says in one sentence why a database refused: its reason and code, without its lists of words, frames and versions."""

import re
from collections.abc import Iterator
from typing import Final

__all__ = ["refusal"]

_LEAD: Final = re.compile(
    r"(Received ClickHouse exception, code: \d+, server response: )?(Code: \d+\. DB::Exception: )*"
)
_STATUS: Final = re.compile(r"HTTP driver received HTTP status (\d+)")
# What the engine adds for its own developers: the address, its version, every word it would have taken, where in the plan it was, its file
# of what was sent, and a piece of that, which may be a prompt.
_TAILS: Final = (
    re.compile(r" \(for url \S*\)\s*\Z"),
    re.compile(r" before: '.*'", re.DOTALL),
    re.compile(r"[\s:]*\(in file/uri [^()]*\)"),
    re.compile(r"\s*\(version [^()]*(\([^()]*\))?\)"),
    re.compile(r"[.,:]? Expected one of: .*", re.DOTALL),
    re.compile(r"[.:]? (In scope|While (processing|executing)) .*", re.DOTALL),
)
_LENGTH_MAX: Final = 400


def refusal(error: Exception) -> str:
    """Return the reason as one line that ends with the engine's code and its name, where it gave one."""
    name, code = getattr(error, "name", None), getattr(error, "code", None)
    status = _STATUS.match(str(error))
    if status and not code:
        return f"What answers there is not ClickHouse (HTTP status {status[1]})."
    text = "" if code else next(_reasons_of_the_system(error), "")
    reason = _reason(text or str(error), name)
    known = ", ".join([*([f"code {code}"] if code else []), *([str(name)] if name else [])])
    return f"{reason} ({known})." if known else f"{reason}."


def _reason(text: str, name: str | None) -> str:
    for tail in _TAILS:
        text = tail.sub("", text)
    text = text.replace(f"({name})", "") if name else text
    text = " ".join(_LEAD.sub("", text).split()).rstrip(" .:;")
    return f"{text[:_LENGTH_MAX]}..." if len(text) > _LENGTH_MAX else text or "It gave no reason"


def _reasons_of_the_system(error: BaseException | None) -> Iterator[str]:
    """Yield what the operating system said, from the errors that led to this one: the last is where it began."""
    while error is not None:
        if isinstance(error, OSError) and error.strerror:
            yield error.strerror
        error = error.__cause__ or error.__context__
