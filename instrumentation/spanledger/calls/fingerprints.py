"""Keyed fingerprints: whether two prompts are the same, without what they say.

A fingerprint is a keyed BLAKE2b (RFC 7693) of 64 bits, as 16 hex digits: no easier to reverse than an HMAC, and with less
work around it. With SPANLEDGER_FINGERPRINT_KEY set, the fingerprints of all processes that hold the same key compare, and
nobody without the key can test a guess of a prompt.
Without it the key is derived from the address of the ledger: fingerprints of all processes that write to one ledger
still compare, and tables computed elsewhere are useless, but whoever can read the ledger, knows that address and
guesses a prompt to the letter can confirm the guess.
"""

from __future__ import annotations

import hashlib
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

__all__ = ["derived_key", "fingerprints", "given_key"]

_BYTES: Final = 8
_DIGITS: Final = b"0123456789"
_SEPARATOR: Final = "\x1e"


def derived_key(ledger_url: str) -> bytes:
    """Return the key of a process that was given none."""
    return hashlib.sha256(f"spanledger fingerprints of {urlsplit(ledger_url).netloc}".encode()).digest()


def given_key(text: str) -> bytes:
    """Return the key that a text stands for: itself, as far as BLAKE2b takes it, else its hash."""
    key = text.encode()
    return key if len(key) <= hashlib.blake2b.MAX_KEY_SIZE else hashlib.sha512(key).digest()


def fingerprints(prompt: Prompt, key: bytes) -> dict[str, str]:
    """Return the fingerprints of a prompt as span attributes: the whole, its cacheable prefix, system text, template.

    The prefix is all that comes before the last message of the user. The template is the prompt without its digits, so
    that prompts which differ in a number only are one. No bytes are hashed twice.
    """
    if not prompt.texts:
        return {}
    user_from = prompt.user_from
    before = prompt.texts[:user_from]
    prefix, last = _encoded(before), _encoded(prompt.texts[user_from:])
    digest = _digest(prefix, key)
    found = {PREFIX_FINGERPRINT: digest.hexdigest()} if before else {}
    digest.update(last)
    found[PROMPT_FINGERPRINT] = digest.hexdigest()
    if system := prompt.system_texts:
        is_prefix = system == before
        found[SYSTEM_FINGERPRINT] = (
            found[PREFIX_FINGERPRINT] if is_prefix else _digest(_encoded(system), key).hexdigest()
        )
    whole = prefix + last
    template = whole.translate(None, _DIGITS)
    is_whole = len(template) == len(whole)
    found[TEMPLATE_FINGERPRINT] = found[PROMPT_FINGERPRINT] if is_whole else _digest(template, key).hexdigest()
    return found


def _encoded(texts: Sequence[str]) -> bytes:
    # Each text ends with a separator, so that moving a word from one message to the next makes another prompt.
    return _SEPARATOR.join([*texts, ""]).encode("utf-8", "surrogatepass") if texts else b""


def _digest(data: bytes, key: bytes) -> hashlib.blake2b:
    return hashlib.blake2b(data, digest_size=_BYTES, key=key)
