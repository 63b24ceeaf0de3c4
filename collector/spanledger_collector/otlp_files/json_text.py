"""JSON values out of a text that is read piece by piece: a file may be one line of a gigabyte."""

import codecs
import json
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from spanledger_collector.exceptions import InputError
from spanledger_collector.otlp_files.source import Source

__all__ = ["VALUE_CHARS_MAX", "JsonText"]

VALUE_CHARS_MAX: Final = 256_000_000
"""Largest value that is read whole; one is held in memory at a time."""
_PIECE_BYTES: Final = 1_000_000
# The parser's error may stand this far before the end when a word, a number or an escape is cut in two.
_CUT_CHARS: Final = 12
_SPACE: Final = " \t\r\n"


class JsonText:
    """A cursor in the JSON text of a source. Errors name the line that is being read."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._parser = json.JSONDecoder(parse_constant=_no_constant)
        self._text = ""
        self._at = 0
        self._line = 1
        self._line_at = 0
        self._is_ended = False

    @property
    def line(self) -> int:
        """Number of the line at the cursor, from 1."""
        self._line += self._text.count("\n", self._line_at, self._at)
        self._line_at = self._at
        return self._line

    def next_char(self) -> str:
        """Return the next character that is no space, without passing it; empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._fill(_PIECE_BYTES):
                return ""

    def take(self, char: str) -> bool:
        """Pass the next character if it is this one."""
        if self.next_char() != char:
            return False
        self._at += 1
        return True

    def expect(self, char: str) -> None:
        """Pass this character; InputError if another one comes."""
        if not self.take(char):
            self.fail(f"{char!r} is expected")

    def value(self, chars_max: int = VALUE_CHARS_MAX) -> tuple[Any, str] | None:
        """Return the next value and its text; None (and pass nothing) if it is longer than ``chars_max``.

        InputError when it is no JSON or has no end.
        """
        self.next_char()
        while True:
            try:
                value, end = self._parser.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                is_cut = error.msg.startswith("Unterminated string") or error.pos >= len(self._text) - _CUT_CHARS
                if not is_cut or self._is_ended:
                    self._fail_at(error.pos, error.msg, is_cut=is_cut)
            except (RecursionError, ValueError) as error:
                self.fail(str(error))
            else:
                if end < len(self._text) or self._is_ended or not isinstance(value, int | float):
                    text = self._text[self._at : end]
                    self._at = end
                    return value, text
            known = len(self._text) - self._at
            if known > chars_max:
                return None
            # Twice as much each time: what was parsed in vain stays below what is parsed at last.
            self._fill(max(_PIECE_BYTES, known))

    def elements(self) -> Iterator[None]:
        """Pass an array, stopping before each of its values for the caller to read it."""
        self.expect("[")
        if self.take("]"):
            return
        while True:
            yield
            if self.take("]"):
                return
            self.expect(",")

    def members(self) -> Iterator[str]:
        """Pass an object, stopping before each of its values for the caller to read it; yields the keys."""
        self.expect("{")
        if self.take("}"):
            return
        while True:
            if self.next_char() != '"':
                self.fail("a key is expected")
            entry = self.value()
            self.expect(":")
            yield str(entry[0]) if entry else ""
            if self.take("}"):
                return
            self.expect(",")

    def fail(self, what: str) -> NoReturn:
        """Raise InputError about the text at the cursor."""
        if self.next_char() == "":
            self._fail_at(self._at, what, is_cut=True)
        self._fail_at(self._at, what, is_cut=False)

    def _fail_at(self, position: int, what: str, *, is_cut: bool) -> NoReturn:
        # A value that breaks off is noticed at the next character, which may be lines below.
        end_of_good = len(self._text[:position].rstrip())
        line = self.line + self._text.count("\n", self._at, max(self._at, end_of_good))
        if is_cut:
            raise InputError(
                f"{self._source.path} is cut off in line {line} ({what}). "
                "What came before it was read; copy the file again."
            )
        self.refuse(line, f"this is not OTLP in JSON ({what})")

    def refuse(self, line: int, what: str) -> NoReturn:
        """Raise InputError about a line."""
        raise InputError(
            f"{self._source.path}, line {line}: {what}. What came before it was read; correct or remove the line."
        )

    def _fill(self, size: int) -> bool:
        """Read more; False at the end."""
        if self._is_ended:
            return False
        self._line = self.line
        data = self._source.read(size)
        try:
            more = self._decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            offset = self._source.offset - len(data) + error.start
            raise InputError(
                f"{self._source.path}, about byte {offset}: this is not UTF-8 ({error.reason}). Save the file as UTF-8."
            ) from error
        self._text = self._text[self._at :] + more
        self._at = self._line_at = 0
        self._is_ended = not data
        return bool(data)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
