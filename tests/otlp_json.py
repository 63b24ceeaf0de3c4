"""Turns protobuf's JSON into OTLP's: ids in hex and not in base64."""

import base64
import json
from typing import Any

from spanledger_collector.receiver.door import OtlpRequest

_IDS = {"traceId", "spanId", "parentSpanId"}


def as_otlp_json(message: dict[str, Any]) -> OtlpRequest:
    """Return a trace request in OTLP/JSON."""
    return OtlpRequest("traces", "json", json.dumps(hex_ids(message)).encode())


def hex_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: base64.b64decode(item).hex() if key in _IDS else hex_ids(item) for key, item in value.items()}
    return [hex_ids(item) for item in value] if isinstance(value, list) else value
