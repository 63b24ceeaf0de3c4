"""OTLP/JSON as other writers spell it: snake_case keys, ids in base64 (protobuf's own JSON). Made plain here."""

import base64
import binascii
import re
from typing import Any, Final

__all__ = ["is_plain", "plain"]

_IDS: Final = {"traceId": 16, "spanId": 8, "parentSpanId": 8}
_UNDERSCORE: Final = re.compile(r"_([a-z0-9])")


def is_plain(value: Any) -> bool:
    """Tell whether a request or entry is in the spelling of the OTLP specification, by its keys and its first id."""
    return _spelling(value) is not False


def _spelling(value: Any) -> bool | None:
    """Return whether a value is plain; None where nothing in it tells."""
    if isinstance(value, dict):
        for key, part in value.items():
            if "_" in key:
                return False
            if key in _IDS and part:
                return not _decoded_id(key, part)
        parts = [part for key, part in value.items() if key != "attributes"]
    else:
        parts = value if isinstance(value, list) else []
    found = (_spelling(part) for part in parts if isinstance(part, dict | list))
    return next((answer for answer in found if answer is not None), None)


def plain(value: Any) -> Any:
    """Return a request or entry in the spelling of the specification; values of attributes stay as they are."""
    if isinstance(value, list):
        return [plain(part) for part in value]
    if not isinstance(value, dict):
        return value
    renamed = {_UNDERSCORE.sub(lambda match: match[1].upper(), key): part for key, part in value.items()}
    return {key: _decoded_id(key, part) or plain(part) for key, part in renamed.items()}


def _decoded_id(key: str, value: Any) -> str:
    """Return an id in hex if it is in base64; else empty."""
    size = _IDS.get(key)
    if size is None or not isinstance(value, str) or len(value) != (size + 2) // 3 * 4:
        return ""
    try:
        return base64.b64decode(value, validate=True).hex()
    except binascii.Error:
        return ""
