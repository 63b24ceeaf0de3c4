"""Whatever comes: a request is stored whole, or partly and the answer says so, or kept aside; never a 500, never a neighbour lost."""

import gzip
import json
import random
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from spanledger_collector.quarantine import prune
from spanledger_collector.server import EmbeddedServer
from spanledger_collector.zstd import zstd
from tests.otlp import SpanSpec, chat, key_values, new_id, request

LEDGER_ROWS = "select count() from calls where span_id = {id:String}"


@pytest.fixture(scope="module")
def server(new_store: Callable[[], Path]) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(new_store(), otlp_http_port=0, otlp_grpc_port=0, clickhouse_port=0) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: EmbeddedServer) -> Iterator[Client]:
    with closing(server.database.client()) as client:
        yield client


@pytest.fixture
def recent() -> float:
    return float(int(time.time()) - 600)


def post(server: EmbeddedServer, body: bytes, path: str = "/v1/traces", **headers: str) -> tuple[int, bytes]:
    names = {"Content-Type": "application/x-protobuf"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    call = urllib.request.Request(server.otlp_http_url + path, body, names)  # noqa: S310 - our own, on loopback
    try:
        with urllib.request.urlopen(call, timeout=120) as answer:  # noqa: S310
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def rejected(answer: bytes) -> int:
    return int(ExportTraceServiceResponse.FromString(answer).partial_success.rejected_spans)


def landed(client: Client, spans: Sequence[SpanSpec]) -> int:
    """Return how many of the spans are in the landing table, copies not counted."""
    ids = {"ids": [span.span_id for span in spans]}
    found = client.query("select uniqExact(SpanId) from otel_traces where SpanId in {ids:Array(String)}", ids)
    return int(found.result_rows[0][0])


def aside(client: Client) -> int:
    return int(client.query("select count() from quarantined_requests").result_rows[0][0])


def framed(payload: bytes) -> bytes:
    """Return a request with one resource entry, whose length is right whatever is in it."""
    size, digits = len(payload), bytearray()
    while size > 0x7F:
        digits.append(size & 0x7F | 0x80)
        size >>= 7
    return b"\x0a" + bytes([*digits, size]) + payload


def payload_of(spans: Sequence[SpanSpec]) -> bytes:
    return bytes(ExportTraceServiceRequest.FromString(request(spans).body).resource_spans[0].SerializeToString())


def spoiled(payload: bytes, dice: random.Random) -> bytes:
    """Return a payload that was cut, or in which bits fell over, or bytes went missing or were added."""
    at, left = dice.randrange(len(payload)), bytearray(payload)
    how = dice.choice(("cut", "cut", "flip", "flip", "flips", "lost", "added"))
    if how == "cut":
        return payload[:at]
    if how == "lost":
        del left[at]
    elif how == "added":
        left[at:at] = dice.randbytes(3)
    else:
        for _ in range(1 if how == "flip" else 6):
            left[dice.randrange(len(left))] ^= 1 << dice.randrange(8)
    return bytes(left)


def test_spoiled_requests_are_stored_or_kept_aside_and_cost_no_neighbour_anything(
    server: EmbeddedServer, client: Client, recent: float
) -> None:
    dice, before = random.Random(4), aside(client)
    broken = {framed(spoiled(payload_of([chat(recent), chat(recent, extra={"a": True})]), dice)) for _ in range(12)}
    neighbours = [chat(recent) for _ in range(8)]
    bodies = [*broken, *(request([span]).body for span in neighbours)]
    dice.shuffle(bodies)

    with ThreadPoolExecutor(32) as pool:
        answers = dict(zip(bodies, pool.map(lambda body: post(server, body), bodies), strict=True))

    assert {code for code, _ in answers.values()} <= {200, 400}
    assert landed(client, neighbours) == len(neighbours)
    assert aside(client) - before == sum(code == 400 for code, _ in answers.values())


def test_a_request_that_is_cut_off_anywhere_is_not_taken(server: EmbeddedServer, client: Client, recent: float) -> None:
    body, before = request([chat(recent, extra={"unique": new_id()})]).body, aside(client)
    pieces = [body[:size] for size in (1, 2, 3, len(body) // 2, len(body) - 1)]
    packed = gzip.compress(body)
    pieces_packed = [packed[:size] for size in (1, 9, 12, len(packed) // 2, len(packed) - 8, len(packed) - 1)]

    with ThreadPoolExecutor(11) as pool:
        codes = [code for code, _ in pool.map(lambda piece: post(server, piece), pieces)]
        codes += [
            code for code, _ in pool.map(lambda piece: post(server, piece, Content_Encoding="gzip"), pieces_packed)
        ]

    assert codes == [400] * 11
    assert aside(client) - before == 11


def test_a_request_that_comes_again_is_kept_aside_once(server: EmbeddedServer, client: Client) -> None:
    before = aside(client)

    for _ in range(3):
        assert post(server, b"the same garbage")[0] == 400

    assert aside(client) - before == 1


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param({f"a{number}": number for number in range(9_000)}, id="9,000 attributes"),
        pytest.param({"long": "x" * 1_000_000}, id="a value of 1 MB"),
        pytest.param({"deep": ["a", "b", 1, 2.5, True]}, id="an array"),
        pytest.param({"": ""}, id="an empty name"),
        pytest.param({"gen_ai.usage.output_tokens": -5}, id="a negative count"),
    ],
)
def test_what_is_odd_but_possible_is_stored_whole(
    server: EmbeddedServer, client: Client, recent: float, extra: dict[str, Any]
) -> None:
    span = chat(recent, extra=extra)

    assert post(server, request([span]).body) == (200, b"")
    (kept,) = client.query(
        "select SpanAttributes from otel_traces where SpanId = {id:String}", {"id": span.span_id}
    ).result_rows
    assert len(kept[0]) == len(span.attributes)
    assert kept[0].get("long", "") == extra.get("long", "")
    assert client.query(LEDGER_ROWS, {"id": span.span_id}).result_rows == [(1,)]


def test_of_a_value_of_megabytes_the_beginning_is_kept_and_the_call_is_billed(
    server: EmbeddedServer, client: Client, recent: float
) -> None:
    span = chat(recent, extra={"long": "x" * 3_000_000})

    assert post(server, request([span]).body) == (200, b"")
    size = client.query(
        "select length(SpanAttributes['long']) from otel_traces where SpanId = {id:String}", {"id": span.span_id}
    )
    assert size.result_rows == [(1_048_576 + len(" (cut)"),)]
    assert client.query(LEDGER_ROWS, {"id": span.span_id}).result_rows == [(1,)]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"trace": 0}, "trace id is not 16 bytes or is all zero"),
        ({"span": 0}, "span id is not 8 bytes or is all zero"),
        ({"start": 0.0, "end": 1.0}, "starts before the ledger's retention"),
        ({"start": 4.3e9, "end": 4.3e9}, "starts more than a day in the future"),
        ({"attributes": {"gen_ai.usage.input_tokens": 2_000_000_000}}, "reports a billion tokens or more"),
        ({"attributes": {f"a{number}": 1 for number in range(10_001)}}, "has more than 10,000 attributes"),
    ],
)
def test_an_impossible_span_is_named_in_the_answer_and_its_neighbours_are_stored(
    server: EmbeddedServer, client: Client, recent: float, broken: dict[str, Any], reason: str
) -> None:
    good = [chat(recent), chat(recent)]
    impossible = replace(chat(recent), **broken)

    code, answer = post(server, request([good[0], impossible, good[1]]).body)

    told = ExportTraceServiceResponse.FromString(answer).partial_success
    assert (code, told.rejected_spans, told.error_message) == (200, 1, f"Kept aside: {reason}.")
    assert landed(client, good) == 2


def test_only_counts_are_too_large_and_not_other_numbers(server: EmbeddedServer, client: Client, recent: float) -> None:
    span = chat(recent, extra={"session.token": "9999999999999", "gen_ai.request.max_tokens": 2_147_483_647})

    assert post(server, request([span]).body) == (200, b"")
    assert landed(client, [span]) == 1


@pytest.mark.parametrize(
    ("at_ns", "reason"), [(0, "is of a time before"), (1, "is of a time before"), (4.3e18, "in the future")]
)
def test_a_log_record_of_an_impossible_time_is_kept_aside(
    server: EmbeddedServer, client: Client, recent: float, at_ns: float, reason: str
) -> None:
    message = ExportLogsServiceRequest()
    scoped = message.resource_logs.add().scope_logs.add()
    for time_ns in (int(at_ns), int(recent * 1e9)):
        scoped.log_records.add(time_unix_nano=time_ns, attributes=key_values({"id": str(at_ns)}))

    code, answer = post(server, message.SerializeToString(), "/v1/logs")

    assert (code, rejected(answer)) == (200, 1)
    assert reason in answer.decode()
    stored = client.query("select count() from otel_logs where LogAttributes['id'] = {id:String}", {"id": str(at_ns)})
    assert stored.result_rows == [(1,)]


def test_text_that_is_not_utf8_reads_as_text_in_the_ledger(
    server: EmbeddedServer, client: Client, recent: float
) -> None:
    span = chat(recent, name="n@me", service="s@rvice", extra={"spanledger.team": "t@eam", "k@y": "v@lue"})
    body = request([span]).body.replace(b"@", b"\xff")

    assert post(server, body)[0] == 200
    asked = urllib.parse.urlencode(
        {"query": f"select * from calls where span_id = '{span.span_id}' format JSONEachRow"}
    )
    with urllib.request.urlopen(f"{server.clickhouse_url}/?{asked}", timeout=120) as answer:  # noqa: S310
        row = json.loads(answer.read().decode())
    assert (row["team"], row["service"]) == ("t\ufffdeam", "s\ufffdrvice")


def test_names_that_come_twice_and_nested_values_harm_nobody(
    server: EmbeddedServer, client: Client, recent: float
) -> None:
    span = chat(recent)
    message = ExportTraceServiceRequest.FromString(request([span]).body)
    attributes = message.resource_spans[0].scope_spans[0].spans[0].attributes
    attributes.extend(key_values({"gen_ai.usage.input_tokens": 7, "twice": "a"}))
    attributes.extend(key_values({"twice": "b"}))
    value = AnyValue(string_value="inmost")
    for _ in range(15):
        outer = AnyValue()
        outer.kvlist_value.values.add(key="k").value.CopyFrom(value)
        value = AnyValue()
        value.array_value.values.append(outer)
    attributes.add(key="nested").value.CopyFrom(value)

    assert post(server, message.SerializeToString()) == (200, b"")
    told = client.query(
        "select count(), any(input_tokens) from calls where span_id = {id:String}", {"id": span.span_id}
    )
    assert told.result_rows == [(1, 1000)]  # the first of two


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param('{"resourceSpans": [], "resourceSpans": []}', 400, id="the same name twice"),
        pytest.param('{"tenant": "other", "resourceSpans": []}', 400, id="a name that is ours"),
        pytest.param('{"resourceSpans": [{"resource": {}, "resource": {}}]}', 400, id="the same name twice, deeper"),
        pytest.param(
            '{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "\\ud800"}]}]}]}', 200, id="half a character"
        ),
        pytest.param(
            '{"resourceSpans": [{"scopeSpans": [{"spans": [{"kind": -1}, {"kind": "x"}]}]}]}', 200, id="odd kinds"
        ),
        pytest.param('{"resourceSpans": null}', 200, id="null"),
        pytest.param('{"resourceSpans": [{"scopeSpans": NaN}]}', 400, id="not a number"),
        pytest.param('{"unknown": {"more": [1, 2]}, "resourceSpans": []}', 200, id="an unknown name"),
        pytest.param("\ufeff{}", 400, id="a byte order mark"),
        pytest.param(" { } ", 200, id="nothing in it"),
        pytest.param('{"resourceSpans": []}\n{"resourceSpans": []}', 400, id="two documents"),
        pytest.param('{"a":' * 100_000, 400, id="a nest"),
        pytest.param('{"resourceSpans": [' + "[]," * 2_000_001 + "[]]}", 400, id="millions of arrays"),
        pytest.param(
            '{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": 1e400}]}]}]}',
            200,
            id="an endless number",
        ),
    ],
)
def test_json_is_read_strictly_or_kept_aside(server: EmbeddedServer, text: str, code: int) -> None:
    assert post(server, text.encode(), Content_Type="application/json")[0] == code


@pytest.mark.parametrize(
    "piece", ['"status": "%s"', '"attributes": [{"key": "a", "value": "it\'s: (%s"}]', '"events": ["%s"]']
)
def test_what_cannot_be_read_is_not_repeated_in_the_answer_or_the_log(
    server: EmbeddedServer, piece: str, caplog: pytest.LogCaptureFixture
) -> None:
    span = "{" + piece % "Where is my parcel?" + "}"

    code, answer = post(
        server,
        f'{{"resourceSpans": [{{"scopeSpans": [{{"spans": [{span}]}}]}}]}}'.encode(),
        Content_Type="application/json",
    )

    assert code == 400
    assert b"while reading the value of nested key spans" in answer
    assert "nested key spans" in caplog.text
    for told in (answer.decode(), caplog.text):
        assert "parcel" not in told
        assert "in file" not in told


def test_partial_success_in_json_writes_its_count_as_text(server: EmbeddedServer) -> None:
    body = b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "00"}]}]}]}'

    code, answer = post(server, body, Content_Type="application/json")

    assert code == 200
    assert json.loads(answer) == {
        "partialSuccess": {"rejectedSpans": "1", "errorMessage": "Kept aside: trace id is not 16 bytes or is all zero."}
    }


def bombs() -> dict[str, tuple[str, bytes]]:
    zeros = bytes(70_000_000)
    module = zstd()
    assert module is not None
    return {
        "gzip": ("gzip", gzip.compress(zeros, 9)),
        "deflate": ("deflate", zlib.compress(zeros, 9)),
        "zstd": ("zstd", module.compress(zeros)),
        "members": ("gzip", gzip.compress(bytes(30_000_000), 9) * 3),
    }


def test_a_bomb_is_refused_before_it_goes_off(server: EmbeddedServer) -> None:
    answers = {name: post(server, body, Content_Encoding=coding) for name, (coding, body) in bombs().items()}

    assert {name: code for name, (code, _) in answers.items()} == dict.fromkeys(answers, 413)
    assert {Status.FromString(answer).message for _, answer in answers.values()} == {
        "The body unpacks to more than 64000000 bytes; send smaller batches."
    }


@pytest.mark.parametrize(
    ("body", "headers", "complaint"),
    [
        (gzip.compress(b"", mtime=0) * 5_000, {"Content_Encoding": "gzip"}, "more than 1000 members"),
        (b"\x0a\x00" * 100_001, {}, "more than 100000 resource entries"),
    ],
)
def test_what_is_small_but_takes_for_ever_is_refused(
    server: EmbeddedServer, body: bytes, headers: dict[str, str], complaint: str
) -> None:
    code, answer = post(server, body, **headers)

    assert code == 400
    assert complaint in Status.FromString(answer).message


def test_zstd_is_unpacked(server: EmbeddedServer, client: Client, recent: float) -> None:
    module, span = zstd(), chat(recent)
    assert module is not None

    assert post(server, module.compress(request([span]).body), Content_Encoding="zstd") == (200, b"")
    assert landed(client, [span]) == 1


def test_what_is_kept_aside_is_bounded(client: Client, server: EmbeddedServer) -> None:
    post(server, b"older garbage")
    post(server, b"newest garbage")
    before = aside(client)

    prune(client, bytes_max=1)

    assert 0 < aside(client) <= before / 2 + 1
    assert client.query("select count() from quarantined_requests where body = 'newest garbage'").result_rows == [(1,)]
