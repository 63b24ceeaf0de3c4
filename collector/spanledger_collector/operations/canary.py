"""A span that goes all the way through a running collector, costs nothing, and is removed again.

It says that an agent ran, and no tokens: that is no call of a model, so it can never bill, whatever becomes of it.
"""

import secrets
import time
import urllib.error
import urllib.request
from typing import Final

from clickhouse_connect.driver.client import Client
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from spanledger_collector.exceptions import StoreError

__all__ = ["SERVICE", "fly"]

SERVICE: Final = "spanledger-doctor"
_SECONDS_MAX: Final = 20.0
_TRACES: Final = {"otel_traces": "TraceId = {id:String}"} | dict.fromkeys(
    ("genai_calls", "trace_spans", "election_queue"), "trace_id = unhex({id:String})"
)


def fly(otlp_url: str, token: str, owner: Client) -> float:
    """Send a canary and return the seconds until the ledger shows it as judged; StoreError says where it was lost."""
    trace_id = secrets.token_hex(16)
    started = time.monotonic()
    try:
        _send(otlp_url, token, trace_id)
        _await(owner, trace_id, "the landing table", "select count() from otel_traces where TraceId = {id:String}")
        _await(
            owner,
            trace_id,
            "the ledger",
            "select count() from spans_judged where trace_id = {id:String} and verdict not in ('pending', 'bills')",
        )
        return time.monotonic() - started
    finally:
        for table, condition in _TRACES.items():
            owner.command(f"delete from {table} where {condition}", {"id": trace_id})


def _send(url: str, token: str, trace_id: str) -> None:
    message = ExportTraceServiceRequest()
    group = message.resource_spans.add()
    group.resource.attributes.append(_text("service.name", SERVICE))
    span = group.scope_spans.add().spans.add()
    span.trace_id, span.span_id, span.name, span.kind = bytes.fromhex(trace_id), secrets.token_bytes(8), "canary", 1
    span.start_time_unix_nano = span.end_time_unix_nano = time.time_ns()
    span.attributes.extend([_text("gen_ai.operation.name", "invoke_agent"), _text("gen_ai.agent.name", "canary")])
    headers = {"Content-Type": "application/x-protobuf", "Authorization": f"Bearer {token}"}
    call = urllib.request.Request(f"{url}/v1/traces", message.SerializeToString(), headers)  # noqa: S310 - our own
    try:
        urllib.request.urlopen(call, timeout=_SECONDS_MAX).close()  # noqa: S310
    except urllib.error.HTTPError as error:
        raise StoreError(f"The collector refused the canary with HTTP status {error.code}.") from error
    except OSError as error:
        raise StoreError(f"The collector at {url} does not take the canary: {error}.") from error


def _await(owner: Client, trace_id: str, where: str, sql: str) -> None:
    end = time.monotonic() + _SECONDS_MAX
    while not owner.query(sql, {"id": trace_id}).result_rows[0][0]:
        if time.monotonic() > end:
            raise StoreError(
                f"The canary was acknowledged and did not reach {where} within {_SECONDS_MAX:.0f} seconds."
            )
        time.sleep(0.1)


def _text(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))
