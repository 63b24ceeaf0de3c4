"""OTLP/JSON as other writers spell it: snake_case keys, ids in base64 (protobuf's own JSON). Made plain here."""

import base64
import binascii
import re
from typing import Any, Final

__all__ = ["is_plain", "plain"]

_IDS: Final = {"traceId": 16, "spanId": 8, "parentSpanId": 8}
_UNDERSCORE: Final = re.compile(r"_([a-z0-9])")


def is_plain(value: Any) -> bool:
    """Tell whether a request or entry is in the spelling of the OTLP specification, by its first item."""
    while isinstance(value, dict | list):
        if isinstance(value, list):
            value = value[0] if value else None
            continue
        if any("_" in key or _decoded_id(key, value[key]) for key in value):
            return False
        # Resource and scope are small; the items are what differs, and they come last or in the only list of objects.
        lists = [part for key, part in value.items() if isinstance(part, list) and key != "attributes"]
        value = lists[0] if lists else None
    return True


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
