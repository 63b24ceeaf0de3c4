"""User ids as pseudonyms: a keyed hash that joins the calls of a user and does not say who that is."""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Any, Final

from spanledger.attributes import USER_ATTRIBUTES, USER_ID, USER_PSEUDONYM
from spanledger.once import warn_once

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Pseudonyms", "pseudonyms_from"]

_KEY_BYTES_MIN: Final = 16
# OpenInference writes the arguments of a call as one JSON text. What it says of the user is left out.
_ARGUMENTS: Final = "llm.invocation_parameters"
_USER_ARGUMENTS: Final = frozenset({"user", "user_id", "safety_identifier", "metadata"})
_NAMES: Final = frozenset({*USER_ATTRIBUTES, USER_PSEUDONYM, _ARGUMENTS})


class Pseudonyms:
    """Turns user ids into HMAC-SHA256 of the id (UTF-8) under one key (UTF-8), as 64 hex digits.

    Every service with the same key gives a user the same pseudonym. Without a key that works it knows no ids at all.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, user_id: str) -> str | None:
        """Return the pseudonym of an id; None when there is no key to make one with."""
        return hmac.digest(self._key, user_id.encode("utf-8", "replace"), "sha256").hex() if self._key else None

    def applied(self, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return attributes of which none says who the user is; the same ones when none did."""
        if _NAMES.isdisjoint(attributes):
            return attributes
        result = dict(attributes)
        known = result.pop(USER_PSEUDONYM, None)
        for name in USER_ATTRIBUTES:
            if name in result and not (name == USER_ID and result[name] == known):
                pseudonym = self.of(str(result.pop(name)))
                if pseudonym:
                    result[name] = pseudonym
        if USER_ID in result:
            result[USER_PSEUDONYM] = result[USER_ID]
        if _ARGUMENTS in result:
            result[_ARGUMENTS] = _without_user(result[_ARGUMENTS])
        return result


def pseudonyms_from(key: str | None) -> Pseudonyms | None:
    """Return what makes pseudonyms with the key of the settings; None when none are asked for.

    An empty key is a mistake (a secret that was not mounted, say): then no user id leaves at all.
    """
    if key is None:
        return None
    secret = key.strip().encode("utf-8", "replace")
    if not secret:
        warn_once("user-key", "spanledger: the user key is empty, so no user id is sent; set SPANLEDGER_USER_KEY")
    elif len(secret) < _KEY_BYTES_MIN:
        warn_once(
            "user-key",
            "spanledger: the user key has %d bytes and can be guessed; use %d or more (openssl rand -hex 32)",
            len(secret),
            _KEY_BYTES_MIN,
        )
    return Pseudonyms(secret)


def _without_user(arguments: object) -> str:
    try:
        given = json.loads(str(arguments))
    except ValueError:
        given = None
    if not isinstance(given, dict):
        return "{}"  # cut in the middle, say: it may name the user anywhere
    return json.dumps({key: value for key, value in given.items() if key not in _USER_ARGUMENTS})
