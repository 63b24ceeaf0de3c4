"""How replay delivers OTLP requests: into a store in this process, into a ClickHouse server, or to a running collector."""

import contextlib
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import quote

from clickhouse_connect.driver.exceptions import ClickHouseError
from google.rpc import status_pb2

from spanledger_collector.database import Database, Serving
from spanledger_collector.exceptions import InputError, StoreError
from spanledger_collector.receiver.commit import Committer
from spanledger_collector.receiver.door import Door, OtlpRequest, check, is_bad_input
from spanledger_collector.receiver.http import TENANT_HEADER
from spanledger_collector.refusals import refusal

__all__ = ["Send", "into", "over_http"]

_CONTENT_TYPES: Final = {"protobuf": "application/x-protobuf", "json": "application/json"}
_SECONDS_PER_REQUEST: Final = 120
_TRIES: Final = 5
_AGAIN: Final = (429, 503)

Send = Callable[[OtlpRequest], "Future[Any]"]
"""Takes a request; its future raises InputError when the request is refused, StoreError when nothing can be taken."""


@contextlib.contextmanager
def into(database: Database) -> Iterator[Send]:
    """Deliver into an open database."""
    if database.target.kind == "embedded":
        with contextlib.closing(Committer(lambda: Door(database), lambda: None)) as committer:
            yield lambda request: _submitted(committer, request)
        return
    with ThreadPoolExecutor(1) as pool, contextlib.closing(Door(database)) as door:
        yield lambda request: pool.submit(_insert, door, request)


@contextlib.contextmanager
def over_http(serving: Serving) -> Iterator[Send]:
    """Deliver to the collector that serves a store, as its owner: it takes the tenant of a request from us."""
    with ThreadPoolExecutor(2) as pool:
        yield lambda request: pool.submit(_post, serving, request)


def _submitted(committer: Committer, request: OtlpRequest) -> "Future[Any]":
    try:
        check(request)  # what cannot be read stays in its file; the receiver would keep it aside
        return committer.submit(request)
    except InputError as error:
        refused: Future[Any] = Future()
        refused.set_exception(error)
        return refused


def _insert(door: Door, request: OtlpRequest) -> None:
    check(request)
    try:
        door.insert([request])
    except ClickHouseError as error:
        if is_bad_input(error):
            raise InputError(f"A request cannot be read. {refusal(error)}") from error
        raise StoreError(f"The ledger cannot be written. {refusal(error)} Nothing is counted twice.") from error


def _post(serving: Serving, request: OtlpRequest) -> None:
    """Post a request to a collector; as an exporter does, try again while it says that it cannot now."""
    check(request)
    url = serving.otlp_http_url
    headers = {
        "Content-Type": _CONTENT_TYPES[request.encoding],
        "Authorization": f"Bearer {serving.token}",
        TENANT_HEADER: quote(request.tenant),
    }
    call = urllib.request.Request(f"{url}/v1/{request.signal}", request.body, headers)  # noqa: S310 - a URL on loopback, our own
    for left in reversed(range(_TRIES)):
        try:
            urllib.request.urlopen(call, timeout=_SECONDS_PER_REQUEST).close()  # noqa: S310
        except urllib.error.HTTPError as error:
            if error.code not in _AGAIN:
                raise InputError(_reason(error.read(), request.encoding)) from error
            if not left:
                raise StoreError(
                    f"The collector at {url} takes nothing now; replay again later, nothing is counted twice."
                ) from error
            time.sleep(1)
        except OSError as error:
            raise StoreError(
                f"The collector at {url} does not answer: {error}. Replay again; nothing is counted twice."
            ) from error
        else:
            return


def _reason(body: bytes, encoding: str) -> str:
    """Return why a collector refused, from the Status message that it answered with in the request's encoding."""
    try:
        return str(json.loads(body)["message"] if encoding == "json" else status_pb2.Status.FromString(body).message)
    except Exception:  # noqa: BLE001 - whatever this is, it is no Status
        return "The collector refused the request and gave no reason."
