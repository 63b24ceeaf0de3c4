"""Inserts OTLP requests into the ledger through ClickHouse's own readers; knows which requests are bad."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from clickhouse_connect.driver.exceptions import ClickHouseError

from spanledger_collector.assets import assets
from spanledger_collector.database import Database
from spanledger_collector.exceptions import InputError

__all__ = ["Door", "Encoding", "OtlpRequest", "Signal", "check", "is_bad_input", "is_outage"]

Signal = Literal["traces", "logs", "metrics"]
Encoding = Literal["protobuf", "json"]

_MESSAGES: Final = {"traces": "ExportTraceServiceRequest", "logs": "ExportLogsServiceRequest"}
_TABLES: Final = {
    ("traces", "protobuf"): "otlp_traces_in",
    ("logs", "protobuf"): "otlp_logs_in",
    ("traces", "json"): "otlp_json_traces_in",
    ("logs", "json"): "otlp_json_logs_in",
}
_INSERT_SETTINGS: Final = {
    # A batch of late data may touch many days; each is a partition.
    "max_partitions_per_insert_block": 0,
    # The engine would merge the normaliser's stages into one expression, at each insert: a fifth of all that an insert costs.
    "query_plan_merge_expressions": 0,
}
# OTLP/JSON has 64-bit numbers as strings or numbers, and leaves out what is empty.
_JSON_SETTINGS: Final = {
    "input_format_import_nested_json": 0,
    "input_format_json_named_tuples_as_objects": 1,
    "input_format_json_defaults_for_missing_elements_in_named_tuple": 1,
    "input_format_json_ignore_unknown_keys_in_named_tuple": 1,
    "input_format_skip_unknown_fields": 1,
    "input_format_null_as_default": 1,
    "input_format_json_read_numbers_as_strings": 1,
    "input_format_json_read_bools_as_strings": 1,
    "input_format_json_read_objects_as_strings": 1,
    "input_format_json_read_arrays_as_strings": 1,
}
_TOP_LEVEL_TAG: Final = 0x0A  # field 1, length-delimited: resource_spans, resource_logs


@dataclass(frozen=True)
class OtlpRequest:
    """One export request as it came, decompressed."""

    signal: Signal
    encoding: Encoding
    body: bytes


def check(request: OtlpRequest) -> None:
    """Raise InputError when the request's frame is broken, so that it cannot spoil the requests it is written with."""
    if request.encoding == "protobuf":
        _check_frames(request.body)
        return
    try:
        document = json.loads(request.body.decode())
    except (ValueError, RecursionError) as error:
        raise InputError(f"The body is not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise InputError(
            f"The body is a JSON {type(document).__name__}; an OTLP/JSON request is an object with resourceSpans or resourceLogs."
        )


class Door:
    """Where requests enter one database; holds a connection, so one for each thread."""

    def __init__(self, database: Database) -> None:
        self._client = database.client()
        self._embedded = database.target.kind == "embedded"

    def insert(self, requests: Sequence[OtlpRequest]) -> None:
        """Write requests of one signal and encoding in one insert, all or nothing; raises ClickHouseError."""
        signal, encoding = requests[0].signal, requests[0].encoding
        settings: dict[str, object] = dict(_INSERT_SETTINGS)
        if encoding == "protobuf":
            body, form = b"".join(request.body for request in requests), "ProtobufSingle"
            settings |= self._schema(_MESSAGES[signal])
        else:
            body, form = b"\n".join(request.body for request in requests), "JSONEachRow"
            settings |= _JSON_SETTINGS
        if body.strip():
            self._client.raw_insert(_TABLES[signal, encoding], insert_block=body, fmt=form, settings=settings)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _schema(self, message: str) -> dict[str, object]:
        schema = assets("sql").joinpath("otlp.proto")
        if self._embedded:
            # The engine in this process reads the file itself; it would cache an inline schema in the working directory.
            return {"format_schema": f"{schema}:{message}"}
        return {
            "format_schema_source": "string",
            "format_schema": schema.read_text("utf-8"),
            "format_schema_message_name": message,
        }


def is_bad_input(error: ClickHouseError) -> bool:
    """Tell data that can never be read from a database that cannot write now."""
    return getattr(error, "code", None) in _UNREADABLE


def is_outage(error: Exception) -> bool:
    """Tell what no smaller insert would avoid: memory, disk, time, shutdown."""
    return getattr(error, "code", None) in _OUTAGES


_OUTAGES: Final = {74, 75, 76, 159, 173, 209, 210, 236, 241, 243, 425}
# ClickHouse's error codes for input that it cannot parse.
_UNREADABLE: Final = {
    6,
    24,
    25,
    26,
    27,
    32,
    33,
    38,
    41,
    53,
    69,
    70,
    72,
    117,
    130,
    131,
    321,
    349,
    380,
    444,
    467,
    525,
    535,
    637,
    718,
}


def _check_frames(body: bytes) -> None:
    position, size = 0, len(body)
    while position < size:
        if body[position] != _TOP_LEVEL_TAG:
            raise InputError(f"The body is not an OTLP request in protobuf: byte {position} starts no resource entry.")
        position, length = _varint(body, position + 1)
        position += length
    if position != size:
        raise InputError(
            f"The body is cut off: its last entry ends {position - size} bytes after the {size} that came."
        )


def _varint(body: bytes, position: int) -> tuple[int, int]:
    value = 0
    for index in range(10):
        if position >= len(body):
            break
        byte = body[position]
        position += 1
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return position, value
    raise InputError("The body is cut off inside a length.")
