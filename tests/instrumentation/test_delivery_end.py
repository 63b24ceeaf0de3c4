"""The end of a process: what was sent without an answer is in doubt, and only what never left or was refused is lost."""

from __future__ import annotations

import logging
import socket
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from spanledger.delivery import Delivery
from spanledger.health import SignalStats
from spanledger.otlp import Answer, Limits
from spanledger.otlp_grpc import GrpcSender
from spanledger.otlp_http import HttpSender
from spanledger.settings import settings_from
from tests.instrumentation.grpc_ledger import GrpcLedger
from tests.instrumentation.test_delivery import UNCONFIRMED, Endpoint, Reply, encode, refused_url, until

if TYPE_CHECKING:
    from collections.abc import Iterator


def queue_to(url: str, *items: str, protocol: str = "http/protobuf", batch_items_max: int = 2048) -> Delivery[str]:
    settings = settings_from({}, {"endpoint": url, "protocol": protocol})
    sender = GrpcSender if protocol == "grpc" else HttpSender
    queue = Delivery(
        "spans",
        encode,
        lambda: sender(settings, "spans"),
        url=settings.traces_url,
        delay_s=30,
        batch_items_max=batch_items_max,
    )
    for item in items:
        queue.put(item)
    return queue


def close(queue: Delivery[str], timeout_s: float, answer_timeout_s: float) -> SignalStats:
    queue.begin_close(timeout_s, answer_timeout_s)
    queue.end_close()
    return queue.health.stats()


@contextmanager
def black_hole(*, accepting: bool) -> Iterator[str]:
    """A port that takes connections and never reads; or whose backlog is full, so that it does not even take them."""
    with socket.create_server(("127.0.0.1", 0), backlog=8 if accepting else 0) as server:
        address = server.getsockname()
        fillers = [socket.socket() for _ in range(0 if accepting else 4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        yield f"http://127.0.0.1:{address[1]}"
        for filler in fillers:
            filler.close()


def test_an_endpoint_at_work_on_a_batch_gets_longer_than_the_end_would_wait_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = settings_from({}, {})
    with Endpoint() as endpoint:
        endpoint.gate.clear()
        threading.Timer(3.0, endpoint.gate.set).start()
        queue = queue_to(endpoint.url, "a", "b")

        assert close(queue, settings.exit_timeout_s, settings.exit_answer_timeout_s + 10) == SignalStats(2)
        assert caplog.messages == []


def test_what_waits_behind_a_slow_batch_is_delivered_too() -> None:
    with Endpoint() as endpoint:
        endpoint.gate.clear()
        queue = queue_to(endpoint.url, *"abcde", batch_items_max=2)
        threading.Timer(0.5, endpoint.gate.set).start()

        assert close(queue, 0.2, 10) == SignalStats(5)
        assert b",".join(endpoint.bodies) == b"a,b,c,d,e"


def test_what_was_sent_is_in_doubt_and_what_was_not_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    with Endpoint() as endpoint:
        endpoint.gate.clear()
        queue = queue_to(endpoint.url, *"abcde", batch_items_max=2)
        until(lambda: len(endpoint.times) == 1)

        assert close(queue, 0.05, 0.3) == SignalStats(0, {"exit": 3}, unconfirmed_items=2)
        assert caplog.messages == [
            UNCONFIRMED.format(2, endpoint.url),
            (
                f"spanledger: 3 spans could not be delivered to {endpoint.url}/v1/traces and are lost "
                "(the process ended before they were sent)"
            ),
        ]


def test_an_answer_after_the_end_changes_nothing_that_was_told() -> None:
    with Endpoint() as endpoint:
        endpoint.gate.clear()
        queue = queue_to(endpoint.url, "a", batch_items_max=1)
        until(lambda: len(endpoint.times) == 1)
        stats = close(queue, 0.05, 0.05)
        endpoint.gate.set()
        until(lambda: endpoint.bodies == [b"a"])

        assert queue.health.stats() == stats == SignalStats(unconfirmed_items=1)


def test_a_port_that_takes_the_batch_and_is_silent_leaves_it_in_doubt(caplog: pytest.LogCaptureFixture) -> None:
    with black_hole(accepting=True) as url:
        stats = close(queue_to(url, "a"), 0.5, 1.0)

    assert (stats.dropped_items, stats.unconfirmed_items) == ({}, 1)
    assert caplog.messages == [UNCONFIRMED.format(1, url)]


@pytest.mark.skipif(sys.platform != "linux", reason="a full backlog is refused elsewhere")
def test_a_port_that_takes_no_connection_loses_the_batch(caplog: pytest.LogCaptureFixture) -> None:
    with black_hole(accepting=False) as url:
        stats = close(queue_to(url, "a"), 0.3, 30)

    assert (stats.dropped_items, stats.unconfirmed_items) == ({"exit": 1}, 0)
    assert caplog.messages[0].startswith(f"spanledger: 1 spans could not be delivered to {url}/v1/traces and are lost")


def test_a_refused_connection_loses_the_batch_and_asks_for_the_ledger(caplog: pytest.LogCaptureFixture) -> None:
    url = refused_url()
    stats = close(queue_to(url, "a"), 5, 30)

    assert (stats.dropped_items, stats.unconfirmed_items) == ({"exit": 1}, 0)
    assert caplog.messages == [
        (
            f"spanledger: 1 spans could not be delivered to {url}/v1/traces and are lost "
            "(ConnectionRefusedError: [Errno 111] Connection refused; is `spanledger up` running?)"
        )
    ]


def test_a_batch_that_the_endpoint_turns_away_at_the_end_is_lost() -> None:
    with Endpoint(Reply(503)) as endpoint:
        stats = close(queue_to(endpoint.url, "a"), 5, 5)

    assert stats == SignalStats(0, {"exit": 1}, failed_attempts=1)


def test_a_connection_that_breaks_off_leaves_the_batch_in_doubt(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def break_off() -> None:
            connection, _ = server.accept()
            while not connection.recv(65_536).endswith(b"a"):
                continue
            connection.close()

        threading.Thread(target=break_off, daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        stats = close(queue_to(url, "a"), 5, 5)

    assert stats == SignalStats(failed_attempts=1, unconfirmed_items=1)
    assert caplog.messages == [
        (
            f"spanledger: 1 spans were sent to {url}/v1/traces, but it ended the connection before it confirmed; "
            "they may be stored"
        )
    ]


def test_grpc_tells_a_silent_server_from_one_that_cannot_be_reached(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    with GrpcLedger() as ledger:
        release = threading.Event()
        ledger.gate = release
        silent = close(queue_to(ledger.url, "", protocol="grpc"), 2, 3)
        release.set()
    unreachable = close(queue_to(refused_url(), "", protocol="grpc"), 5, 5)

    assert (silent.dropped_items, silent.unconfirmed_items) == ({}, 1)
    assert (unreachable.dropped_items, unreachable.unconfirmed_items) == ({"exit": 1}, 0)
    assert "is `spanledger up` running?" in caplog.messages[-1]


def test_http_that_meets_a_grpc_port_says_so() -> None:
    with GrpcLedger() as ledger:
        sender = HttpSender(settings_from({}, {"endpoint": ledger.url}), "spans")
        answer = sender.send(b"a", Limits(), lambda: None)
        sender.close()

    assert answer == Answer("retry", answer.message)
    assert answer.message.startswith("BadStatusLine: ")
    assert answer.message.endswith("; this looks like a gRPC port; use 4318, or SPANLEDGER_OTLP_PROTOCOL=grpc")


@pytest.mark.parametrize(("given", "seconds"), [({}, (2.0, 5.0)), ({"SPANLEDGER_EXIT_TIMEOUT_S": "7"}, (7.0, 7.0))])
def test_one_setting_rules_both_times(given: dict[str, str], seconds: tuple[float, float]) -> None:
    settings = settings_from(given, {})

    assert (settings.exit_timeout_s, settings.exit_answer_timeout_s) == seconds


def test_what_comes_after_the_end_is_counted() -> None:
    with Endpoint() as endpoint:
        queue = queue_to(endpoint.url)
        close(queue, 1, 1)

        queue.put("late")
        assert queue.health.stats() == SignalStats(dropped_items={"closed": 1})
