"""OTLP files of every form are read whole, in order, in pieces."""

import base64
import contextlib
import gzip
import io
import json
import struct
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict, MessageToJson
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from spanledger_collector.exceptions import InputError
from spanledger_collector.otlp_files import read_requests
from spanledger_collector.receiver.door import OtlpRequest

zstd = pytest.importorskip("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")

START_NS = time.time_ns() - 3_600_000_000_000
Message = ExportTraceServiceRequest | ExportLogsServiceRequest | ExportMetricsServiceRequest
Shape = list[list[list[int]]]
"""Resources of scopes of spans; a span is given by the size of its text."""


def traces(shape: Shape, first: int = 1) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    number = first
    for r, scopes in enumerate(shape):
        resource = request.resource_spans.add(schema_url="https://opentelemetry.io/schemas/1.30.0")
        resource.resource.attributes.add(key="service.name").value.string_value = f"service {r}"
        for s, spans in enumerate(scopes):
            scope = resource.scope_spans.add()
            scope.scope.name, scope.scope.version = f"scope {s}", "1"
            for size in spans:
                span = scope.spans.add(name="chat", kind=3)
                span.trace_id, span.span_id = number.to_bytes(16, "big"), number.to_bytes(8, "big")
                span.start_time_unix_nano, span.end_time_unix_nano = START_NS + number, START_NS + 1_000_000_000
                span.attributes.add(key="gen_ai.usage.input_tokens").value.int_value = number
                span.attributes.add(key="text").value.string_value = "ü" * size
                number += 1
    return request


def logs(count: int) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for number in range(1, count + 1):
        record = scope.log_records.add(time_unix_nano=number, event_name="spanledger.outcome", severity_number=9)
        record.attributes.add(key="spanledger.task.id").value.string_value = str(number)
    return request


def metrics() -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="calls", description="Calls", unit="1")
    metric.gauge.data_points.add(as_int=1, time_unix_nano=1)
    return request


def otlp_dict(message: Message) -> dict[str, Any]:
    """The request as OTLP/JSON spells it: ids in hex."""

    def hexed(value: Any) -> Any:
        if isinstance(value, list):
            return [hexed(part) for part in value]
        if not isinstance(value, dict):
            return value
        return {
            key: base64.b64decode(part).hex() if key in {"traceId", "spanId", "parentSpanId"} else hexed(part)
            for key, part in value.items()
        }

    spelled: dict[str, Any] = hexed(MessageToDict(message, use_integers_for_enums=True))
    return spelled


def varint(number: int) -> bytes:
    return bytes([number]) if number < 0x80 else bytes([number & 0x7F | 0x80]) + varint(number >> 7)


def one_after_the_other(messages: Iterable[Message]) -> bytes:
    return b"".join(message.SerializeToString() for message in messages)


def with_varints(messages: Iterable[Message]) -> bytes:
    return b"".join(varint(message.ByteSize()) + message.SerializeToString() for message in messages)


def with_four_bytes(messages: Iterable[Message]) -> bytes:
    return b"".join(struct.pack(">I", message.ByteSize()) + message.SerializeToString() for message in messages)


def one_a_line(messages: Iterable[Message]) -> bytes:
    return b"".join(json.dumps(otlp_dict(message)).encode() + b"\n" for message in messages)


def one_a_line_without_the_last_end(messages: Iterable[Message]) -> bytes:
    return one_a_line(messages).rstrip()


def as_array(messages: Iterable[Message]) -> bytes:
    return json.dumps([otlp_dict(message) for message in messages], ensure_ascii=False, indent=2).encode()


def printed_prettily(messages: Iterable[Message]) -> bytes:
    return b"\r\n\r\n".join(json.dumps(otlp_dict(message), indent=4).encode() for message in messages)


def with_byte_order_mark(messages: Iterable[Message]) -> bytes:
    return b"\xef\xbb\xbf" + one_a_line(messages)


def in_protobufs_own_json(messages: Iterable[Message]) -> bytes:
    return b"\n".join(MessageToJson(message, indent=None).encode() for message in messages)


def in_snake_case(messages: Iterable[Message]) -> bytes:
    return b"\n".join(MessageToJson(message, preserving_proto_field_name=True).encode() for message in messages)


FRAMINGS: list[tuple[Callable[[Iterable[Message]], bytes], str]] = [
    (one_after_the_other, ".pb"),
    (with_varints, ".binpb"),
    (with_four_bytes, ".pb"),
    (one_a_line, ".jsonl"),
    (one_a_line_without_the_last_end, ".json"),
    (as_array, ".json"),
    (printed_prettily, ".json"),
    (with_byte_order_mark, ".json"),
    (in_protobufs_own_json, ".json"),
    (in_snake_case, ".json"),
]
framings = pytest.mark.parametrize(("framing", "suffix"), FRAMINGS, ids=[framing.__name__ for framing, _ in FRAMINGS])


def spans_of(requests: Iterable[OtlpRequest]) -> list[tuple[str, str, int, str, int, int]]:
    """Every span with its resource and scope, in order: what must not change by cutting."""
    found = []
    for request in requests:
        assert request.signal == "traces"
        body = (
            otlp_dict(ExportTraceServiceRequest.FromString(request.body))
            if request.encoding == "protobuf"
            else json.loads(request.body)
        )
        for resource in body.get("resourceSpans", []):
            service = resource["resource"]["attributes"][0]["value"]["stringValue"]
            for scope in resource.get("scopeSpans", []):
                for span in scope.get("spans", []):
                    tokens, text = span["attributes"]
                    assert span["traceId"] == f"{int(span['spanId'], 16):032x}"
                    found.append(
                        (
                            service,
                            scope["scope"]["name"],
                            int(span["spanId"], 16),
                            str(span["startTimeUnixNano"]),
                            int(tokens["value"]["intValue"]),
                            len(text["value"].get("stringValue", "")),
                        )
                    )
    return found


def direct(messages: Iterable[ExportTraceServiceRequest]) -> list[tuple[str, str, int, str, int, int]]:
    return spans_of(OtlpRequest("traces", "protobuf", message.SerializeToString()) for message in messages)


TWO = [traces([[[3, 4], [5]], [[6]]]), traces([[[7]]], first=5)]


@framings
@pytest.mark.parametrize("packing", ["plain", "gzip", "zstd", "gzip in two parts"])
def test_every_form_is_read_whole_and_in_order(
    tmp_path: Path, framing: Callable[[Iterable[Message]], bytes], suffix: str, packing: str
) -> None:
    data = framing(TWO)
    packed = {
        "plain": data,
        "gzip": gzip.compress(data),
        "zstd": zstd.compress(data),
        "gzip in two parts": gzip.compress(data[:100]) + gzip.compress(data[100:]),
    }[packing]
    file = tmp_path / f"spans{suffix}{'' if packing == 'plain' else '.gz'}"
    file.write_bytes(packed)

    assert spans_of(read_requests(file)) == direct(TWO)


@framings
def test_the_form_is_told_by_the_content_where_the_name_says_nothing(
    tmp_path: Path, framing: Callable[[Iterable[Message]], bytes], suffix: str
) -> None:
    file = tmp_path / "spans"
    file.write_bytes(framing(TWO))

    assert spans_of(read_requests(file)) == direct(TWO)


@pytest.mark.parametrize("framing", [with_varints, as_array, in_snake_case], ids=lambda framing: framing.__name__)
def test_what_is_read_can_be_booked(tmp_path: Path, ledger: Any, framing: Callable[[Iterable[Message]], bytes]) -> None:
    file = tmp_path / "spans"
    file.write_bytes(framing(TWO))

    ledger.deliver_requests(*read_requests(file, bytes_max=200))

    sql = "select SpanId as id, SpanAttributes['gen_ai.usage.input_tokens'] as n from otel_traces order by id"
    assert ledger.rows(sql) == [{"id": f"{number:016x}", "n": str(number)} for number in range(1, 6)]


shapes = st.lists(st.lists(st.lists(st.integers(0, 300), max_size=6), max_size=3), min_size=1, max_size=3)


@pytest.mark.parametrize("framing", [framing for framing, _ in FRAMINGS], ids=lambda framing: framing.__name__)
@settings(max_examples=25, deadline=None)
@given(several=st.lists(shapes, min_size=1, max_size=4), bytes_max=st.integers(50, 2_000))
def test_cutting_keeps_every_span_its_resource_its_scope_and_the_order(
    tmp_path_factory: pytest.TempPathFactory,
    framing: Callable[[Iterable[Message]], bytes],
    several: list[Shape],
    bytes_max: int,
) -> None:
    messages = [traces(shape, first=1 + 1000 * index) for index, shape in enumerate(several)]
    file = tmp_path_factory.mktemp("cut") / "spans"
    file.write_bytes(framing(messages))

    requests = list(read_requests(file, bytes_max=bytes_max))

    assert spans_of(requests) == direct(messages)
    # A span here has at most 800 bytes, what is repeated around it 300.
    assert all(len(request.body) <= bytes_max + 1_100 or spans_in(request) == 1 for request in requests)


def spans_in(request: OtlpRequest) -> int:
    return len(spans_of([request]))


@framings
def test_a_large_request_of_one_resource_is_cut_between_its_spans(
    tmp_path: Path, framing: Callable[[Iterable[Message]], bytes], suffix: str
) -> None:
    message = traces([[[1_000] * 3_000]])
    file = tmp_path / f"large{suffix}"
    file.write_bytes(framing([message]))

    requests = list(read_requests(file))

    assert len(requests) >= 2
    assert max(len(request.body) for request in requests) < 4_100_000
    assert spans_of(requests) == direct([message])


def test_memory_stays_bounded_on_one_line_of_any_length(tmp_path: Path) -> None:
    entry = json.dumps(otlp_dict(traces([[[500] * 200]]))["resourceSpans"][0]).encode()
    file = tmp_path / "long.json.gz"
    with gzip.open(file, "wb", compresslevel=1) as packed:
        packed.write(b'{"resourceSpans":[' + entry)
        for _ in range(240):
            packed.write(b"," + entry)
        packed.write(b"]}")

    tracemalloc.start()
    spans = sum(request.body.count(b'"spanId"') for request in read_requests(file))
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert spans == 241 * 200
    assert len(entry) * 241 > 40_000_000
    assert peak_bytes < 30_000_000


@pytest.mark.parametrize(
    "framing", [one_after_the_other, with_varints, with_four_bytes, one_a_line, as_array], ids=lambda f: f.__name__
)
def test_signals_are_told_apart_by_what_they_hold(
    tmp_path: Path, framing: Callable[[Iterable[Message]], bytes]
) -> None:
    file = tmp_path / "mixed"
    file.write_bytes(framing([traces([[[1]]]), logs(2), metrics(), logs(1), traces([[[2]]])]))

    assert [request.signal for request in read_requests(file)] == ["traces", "logs", "metrics", "logs", "traces"]


def test_the_sparsest_spans_log_records_and_metrics_are_told_apart(tmp_path: Path) -> None:
    span = ExportTraceServiceRequest()
    span.resource_spans.add().scope_spans.add().spans.add(trace_id=b"t" * 16, span_id=b"s" * 8, name="x")
    record = ExportLogsServiceRequest()
    record.resource_logs.add().scope_logs.add().log_records.add().body.string_value = "x"
    metric = ExportMetricsServiceRequest()
    metric.resource_metrics.add().scope_metrics.add().metrics.add(name="x")
    file = tmp_path / "sparse.pb"
    file.write_bytes(with_varints([span, record, metric]))

    assert [request.signal for request in read_requests(file)] == ["traces", "logs", "metrics"]


def test_the_collectors_traces_data_is_the_same_as_a_request(tmp_path: Path) -> None:
    file = tmp_path / "data.pb"
    file.write_bytes(TracesData.FromString(TWO[0].SerializeToString()).SerializeToString())

    assert spans_of(read_requests(file)) == direct(TWO[:1])


def test_a_line_goes_on_as_it_is(tmp_path: Path) -> None:
    line = json.dumps(otlp_dict(TWO[0]))
    file = tmp_path / "spans.jsonl"
    file.write_text(f"{line}\n\n{line}\n")

    assert [request.body.decode() for request in read_requests(file)] == [line, line]


@pytest.mark.parametrize("packing", [bytes, gzip.compress])
def test_progress_counts_bytes_of_the_file_up_to_its_size(tmp_path: Path, packing: Callable[[bytes], bytes]) -> None:
    file = tmp_path / "spans.jsonl"
    file.write_bytes(
        packing(one_a_line([traces([[[index * 7 % 900] * 5]], first=index * 10 + 1) for index in range(800)]))
    )
    seen: list[int] = []

    for _ in read_requests(file, seen.append):
        pass

    assert seen == sorted(seen)
    assert seen[-1] == file.stat().st_size


def test_a_directory_a_missing_and_an_empty_file_are_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "empty.pb").touch()
    cases = {"no.pb": "There is no file", ".": "is a folder", "empty.pb": "is empty"}

    for name, words in cases.items():
        with pytest.raises(InputError, match=words):
            list(read_requests(tmp_path / name))


PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01"
ZIPPED = io.BytesIO(b"PK\x03\x04" + bytes(30)).getvalue()


FOREIGN = [
    PNG,
    ZIPPED,
    b"%PDF-1.7\n\n\x10",
    b"SELECT 1",
    b"<html></html>",
    b"Date,Team\n2026-01-01,a\n",
    b"\n\nhello\n",
    b"hello",
    bytes(100_000),
    b"\x00",
    b"\n",
    b"\xff\xfe{\x00}\x00",
    b"[1, 2]",
    b"{}",
    b"[]",
    b"null",
    b"17",
    b'"x"',
    b'{"a": 1}',
    b'{"resourceSpans": 5}',
    b'{"resourceSpans": "x"}',
    b'{"resourceSpans": {}}',
    b'{"resourceSpans": [1]}',
]


@pytest.mark.parametrize("name", ["file", "file.pb", "file.json", "file.jsonl.gz"])
@pytest.mark.parametrize(
    "data",
    FOREIGN,
)
def test_a_foreign_file_is_refused_in_one_sentence_with_its_name(tmp_path: Path, data: bytes, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(data)

    with pytest.raises(InputError) as caught:
        list(read_requests(file))

    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@framings
@pytest.mark.parametrize("is_packed", [False, True])
def test_what_is_before_a_cut_is_read_and_the_cut_is_told(
    tmp_path: Path, framing: Callable[[Iterable[Message]], bytes], suffix: str, is_packed: bool
) -> None:
    messages = [traces([[[400] * 10]], first=1), traces([[[400] * 10]], first=101), traces([[[400] * 10]], first=201)]
    data = framing(messages)
    file = tmp_path / f"cut{suffix}"
    file.write_bytes(gzip.compress(data)[:-20] if is_packed else data[:-20])
    requests: list[OtlpRequest] = []

    with pytest.raises(InputError, match="cut off"):
        requests.extend(read_requests(file, bytes_max=20_000))

    if not is_packed:
        assert spans_of(requests) == direct(messages[:2])


def test_a_broken_line_is_named_by_its_number_and_what_is_before_it_is_read(tmp_path: Path) -> None:
    line = json.dumps(otlp_dict(TWO[0]))
    file = tmp_path / "spans.jsonl"
    for broken in (
        line[:-3],
        line.replace('"spans"', "spans"),
        "x" + line,
        '{"hello": 1}',
        line[:40] + "\x00" + line[40:],
    ):
        file.write_text(f"{line}\n{line}\n{broken}\n{line}\n")
        requests: list[OtlpRequest] = []
        with pytest.raises(InputError, match=r"line 3\b"):
            requests.extend(read_requests(file))
        assert len(requests) == 2


def test_a_broken_line_far_into_a_long_file_is_named_by_its_number(tmp_path: Path) -> None:
    line = json.dumps(otlp_dict(traces([[[300] * 3]])))
    file = tmp_path / "spans.jsonl"
    file.write_text(f"{line}\n" * 4_000 + "oops\n" + f"{line}\n" * 10)

    with pytest.raises(InputError, match=r"line 4001\b"):
        list(read_requests(file))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    form = data.draw(st.sampled_from([one_after_the_other, with_varints, with_four_bytes, one_a_line, as_array]))
    whole = bytearray(form(TWO))
    for _ in range(data.draw(st.integers(1, 5))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    file = tmp_path_factory.mktemp("damaged") / "spans"
    file.write_bytes(whole[: data.draw(st.integers(1, len(whole)))])

    with contextlib.suppress(InputError):  # anything else fails the test
        assert list(read_requests(file, bytes_max=data.draw(st.integers(50, 5_000))))
