"""Keyed fingerprints: whether two prompts are the same, without what they say.

A fingerprint is the first 64 bits of an HMAC-SHA256, as 16 hex digits. With SPANLEDGER_FINGERPRINT_KEY set, the
fingerprints of all processes that hold the same key compare, and nobody without the key can test a guess of a prompt.
Without it the key is derived from the address of the ledger: fingerprints of all processes that write to one ledger
still compare, and tables computed elsewhere are useless, but whoever can read the ledger, knows that address and
guesses a prompt to the letter can confirm the guess.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from spanledger.attributes import (
    PREFIX_FINGERPRINT,
    PROMPT_FINGERPRINT,
    SYSTEM_FINGERPRINT,
    TEMPLATE_FINGERPRINT,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanledger.calls.parts import Prompt

__all__ = ["derived_key", "fingerprints"]

_BYTES: Final = 8
_DIGITS: Final = b"0123456789"
_SEPARATOR: Final = "\x1e"


def derived_key(ledger_url: str) -> bytes:
    """Return the key of a process that was given none."""
    return hashlib.sha256(f"spanledger fingerprints of {urlsplit(ledger_url).netloc}".encode()).digest()


def fingerprints(prompt: Prompt, key: bytes) -> dict[str, str]:
    """Return the fingerprints of a prompt as span attributes: the whole, its cacheable prefix, system text, template.

    The prefix is all that comes before the last message of the user. The template is the prompt without its digits, so
    that prompts which differ in a number only are one.
    """
    if not prompt.texts:
        return {}
    whole = _encoded(prompt.texts)
    prefix = _encoded(prompt.texts[: prompt.user_from])
    system = _encoded(prompt.system_texts)
    digest = _keyed(key).copy()
    found = {}
    if prefix:
        digest.update(prefix)
        found[PREFIX_FINGERPRINT] = _hex(digest)
    digest.update(memoryview(whole)[len(prefix) :])
    found[PROMPT_FINGERPRINT] = _hex(digest)
    if system:  # often all of the prefix; the same bytes are not hashed twice
        found[SYSTEM_FINGERPRINT] = found[PREFIX_FINGERPRINT] if system == prefix else _fingerprint(key, system)
    template = whole.translate(None, _DIGITS)
    is_same = len(template) == len(whole)
    found[TEMPLATE_FINGERPRINT] = found[PROMPT_FINGERPRINT] if is_same else _fingerprint(key, template)
    return found


def _encoded(texts: Sequence[str]) -> bytes:
    # Each text ends with a separator, so that moving a word from one message to the next makes another prompt.
    return (_SEPARATOR.join(texts) + _SEPARATOR).encode("utf-8", "surrogatepass") if texts else b""


@lru_cache(maxsize=4)
def _keyed(key: bytes) -> hmac.HMAC:
    return hmac.new(key, digestmod="sha256")


def _fingerprint(key: bytes, data: bytes) -> str:
    digest = _keyed(key).copy()  # half the time of a new one
    digest.update(data)
    return _hex(digest)


def _hex(digest: hmac.HMAC) -> str:
    return digest.digest()[:_BYTES].hex()
