"""Inserts OTLP requests into the ledger through ClickHouse's own readers; knows which requests are bad."""

import itertools
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from clickhouse_connect.driver.exceptions import ClickHouseError

from spanledger_collector.assets import assets
from spanledger_collector.database import Database
from spanledger_collector.exceptions import InputError
from spanledger_collector.quarantine import RefusedRequest, Rejected, keep, rejected

__all__ = ["Door", "Encoding", "OtlpRequest", "Signal", "check", "is_bad_input", "is_out_of_memory", "is_outage"]

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
    # The engine would optimise the plan of every view at each insert, where there is no index to use and no filter to move. Merging the
    # normaliser's stages into one expression alone is a fifth of an insert; the rest is 10 to 30 ms of CPU of what is left: 185 -> 166 ms
    # with 1 span, 204 -> 174 with 1,000, 370 -> 358 with 10,000 (medians of 11, interleaved, on 2 busy cores).
    "query_plan_enable_optimizations": 0,
    # Rows of one insert that replace each other are left to the merges, and to FINAL, as those of two inserts are: 376 -> 357 ms with
    # 10,000 spans (the least of 10, interleaved, on 2 busy cores).
    "optimize_on_insert": 0,
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
    "input_format_json_throw_on_bad_escape_sequence": 0,  # half a character, as JavaScript cuts texts
}
_TOP_LEVEL_TAG: Final = 0x0A  # field 1, length-delimited: resource_spans, resource_logs
# What we add to each request, behind what is in it (otlp.proto): field 1000, text, and field 1001, a number.
_TENANT_TAG: Final = b"\xc2\x3e"
_NUMBER_TAG: Final = b"\xc8\x3e"
_JSON_NAMES: Final = {"traces": b'"resourceSpans"', "logs": b'"resourceLogs"', "metrics": b'"resourceMetrics"'}
_ENTRIES_MAX: Final = 100_000
_OBJECTS_MAX: Final = 2_000_000
_numbers = itertools.count(time.time_ns())


@dataclass(frozen=True)
class OtlpRequest:
    """One export request as it came, decompressed.

    ``tenant`` is whose credential it came with: its spans are that tenant's, whatever they say; empty: they say it themselves.
    ``number`` tells requests apart; a later one, in this process or the next, has a higher one.
    """

    signal: Signal
    encoding: Encoding
    body: bytes
    tenant: str = ""
    number: int = field(default_factory=lambda: next(_numbers), compare=False)


def check(request: OtlpRequest) -> None:
    """Raise InputError when the request's frame is broken, so that it cannot spoil the requests it is written with."""
    if request.encoding == "protobuf":
        _check_frames(request.body)
        return
    if request.body.count(b"{") + request.body.count(b"[") > _OBJECTS_MAX:
        raise InputError(f"The body has more than {_OBJECTS_MAX} objects and arrays; send smaller batches.")
    name = _JSON_NAMES[request.signal]
    # The engine would take one of two entries of that name, and say nothing.
    hook = _without_repeats if request.body.count(name) > 1 else None
    try:
        document = json.loads(request.body.decode(), object_pairs_hook=hook)
    except (ValueError, RecursionError) as error:
        raise InputError(f"The body is not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise InputError(
            f"The body is a JSON {type(document).__name__}; an OTLP/JSON request is an object with resourceSpans or resourceLogs."
        )


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has the same name twice")
    return found


class Door:
    """Where requests enter one database; holds a connection, so one for each thread."""

    def __init__(self, database: Database) -> None:
        self._client = database.client()
        self._embedded = database.target.kind == "embedded"

    def insert(self, requests: Sequence[OtlpRequest]) -> dict[int, Rejected]:
        """Write requests of one signal and encoding in one insert, all or nothing; raises ClickHouseError.

        Returns what was kept aside of them, because it cannot be booked, by the number of the request.
        """
        requests = [request for request in requests if request.body]
        if not requests:
            return {}
        signal, encoding = requests[0].signal, requests[0].encoding
        settings: dict[str, object] = dict(_INSERT_SETTINGS)
        if encoding == "protobuf":
            body, form = b"".join(map(_framed, requests)), "Protobuf"
            settings |= self._schema(_MESSAGES[signal])
        else:
            body, form = b"\n".join(map(_as_row, requests)), "JSONEachRow"
            settings |= _JSON_SETTINGS
        self._client.raw_insert(_TABLES[signal, encoding], insert_block=body, fmt=form, settings=settings)
        numbers = [request.number for request in requests]
        return rejected(self._client, min(numbers), max(numbers))

    def keep_aside(self, refused: Sequence[RefusedRequest]) -> None:
        """Write requests that cannot be read where they can be looked at; raises ClickHouseError."""
        keep(self._client, refused)

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
    """Tell what no smaller insert would avoid: disk, time, shutdown."""
    return getattr(error, "code", None) in _OUTAGES


def is_out_of_memory(error: Exception) -> bool:
    """Tell a limit of memory, which a smaller insert may stay below."""
    return getattr(error, "code", None) == _MEMORY_LIMIT


_MEMORY_LIMIT: Final = 241
# Of the system: files, threads, pipes that cannot be had. A full disk also comes as an error of the standard library (1001) or of its
# helper (1000).
_OUTAGES: Final = {74, 75, 76, 107, 159, 173, 209, 210, 236, 243, 252, 298, 425, 439, 1000, 1001}
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
    436,
    444,
    467,
    525,
    535,
    637,
    718,
}


def _framed(request: OtlpRequest) -> bytes:
    """Return a protobuf request as one of several, with what we add to it."""
    tenant = request.tenant.encode()
    stamp = _TENANT_TAG + _length(len(tenant)) + tenant if tenant else b""
    number = _NUMBER_TAG + _length(request.number)
    return b"".join((_length(len(request.body) + len(stamp) + len(number)), request.body, stamp, number))


def _as_row(request: OtlpRequest) -> bytes:
    """Return a JSON request as one of several, with what we add to it; the engine refuses one that brings the same names."""
    ours = json.dumps({"tenant": request.tenant, "request": request.number}).encode()[:-1]
    rest = request.body.lstrip()[1:].lstrip()
    return b"".join((ours, b"" if rest.startswith(b"}") else b",", rest))


def _length(value: int) -> bytes:
    """Return a number as protobuf writes it before a text."""
    digits = bytearray()
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    digits.append(value)
    return bytes(digits)


def _check_frames(body: bytes) -> None:
    position, size, entries = 0, len(body), 0
    while position < size:
        entries += 1
        if entries > _ENTRIES_MAX:
            raise InputError(f"The body has more than {_ENTRIES_MAX} resource entries; send smaller batches.")
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
