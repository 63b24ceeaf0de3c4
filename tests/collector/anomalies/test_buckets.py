"""The ten minutes that detection reads count each billed call once, whatever is delivered when, and nothing before it is judged."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from spanledger_collector.anomalies import Pass, detect, detection
from spanledger_collector.anomalies.signals import Thresholds, read_thresholds, sum_buckets
from spanledger_collector.prices import Override, set_override
from spanledger_collector.refresh import heal, judge
from tests.ledger import Ledger
from tests.otlp import SpanSpec, chat, new_id
from tests.sql.traffic import Traffic

WORK: list[Callable[[Client], object]] = [judge, sum_buckets]
BUCKETS = """
select
  toStartOfHour(bucket) as hour, sum(b.calls) as n, sum(b.unknown_calls) as unknown, sum(b.errors) as failed, sum(b.attempts) as tries,
  sum(b.known_usd) as usd, sum(b.output_tokens) as output,
  sum(b.uncached_usd) + sum(b.cache_read_usd) + sum(b.cache_write_usd) + sum(b.output_usd) + sum(b.other_usd) as usd_of_parts
from spend_buckets as b final
where part = {part:String}
group by hour having n != 0 order by hour"""
CALLS = """
select
  toStartOfHour(c.ts) as hour, count() as n, countIf(c.cost_usd is null) as unknown, countIf(c.status = 'error') as failed,
  sum(c.attempts) as tries,
  ifNull(sum(c.cost_usd), 0) as usd, sumIf(c.output_tokens, c.completeness = 'priced') as output, usd as usd_of_parts
from calls as c
where {part:String} = 'cell' or c.user != ''
group by hour order by hour"""


def seen_twice(at: float, **extra: str | int) -> tuple[SpanSpec, SpanSpec]:
    """Return what two instrumentations say of one call, the outer one first."""
    outer = chat(at, tokens=(100_000, 1000), scope="openinference.instrumentation.openai", extra=extra)
    return outer, chat(
        at + 0.01, seconds=0.9, tokens=(100_000, 1000), trace=outer.trace, parent=outer.span, extra=extra
    )


def one_session(now: float) -> list[SpanSpec]:
    """Return 60 calls of one session in ten minutes, each seen twice: 120 would be told of, 60 are not."""
    first = now // 600 * 600
    who = {"session.id": "s1", "user.id": "ana"}
    return [span for number in range(60) for span in seen_twice(first + number * (now - first) / 61, **who)]


def one_loop(now: float) -> list[SpanSpec]:
    """Return 120 calls of one session in ten minutes, each seen once."""
    first = now // 600 * 600
    who = {"session.id": "s1", "user.id": "ana"}
    return [chat(first + number * (now - first) / 121, tokens=(100_000, 1000), extra=who) for number in range(120)]


def test_calls_that_two_instrumentations_saw_open_no_incident_before_they_are_judged_nor_after(ledger: Ledger) -> None:
    now = time.time()
    ledger.deliver(*one_session(now))

    early = detect(ledger.database, datetime.fromtimestamp(now, UTC))
    left_out = ledger.row("select sum(b.calls) as n from spend_buckets as b final where part = ''")
    counted = ledger.row("select sum(b.calls) as n from spend_buckets as b final where part != ''")
    judge(ledger.client)
    late = detect(ledger.database, datetime.fromtimestamp(now, UTC))

    assert (left_out, counted) == ({"n": 120}, {"n": 0})
    assert early.opened == late.opened == ()
    assert ledger.rows(BUCKETS, part="cell") == ledger.rows(CALLS, part="cell") == ledger.rows(BUCKETS, part="actor")
    assert ledger.row("select max(session_calls_max) as n from spend_buckets final") == {"n": 60}
    assert ledger.row("select sum(b.calls) as n from spend_buckets as b final where part = ''") == {"n": 0}


def test_an_incident_stays_while_its_calls_are_read_again_as_after_a_start(ledger: Ledger) -> None:
    now = time.time()
    ledger.deliver(*one_loop(now))
    judge(ledger.client)
    opened = detect(ledger.database, datetime.fromtimestamp(now, UTC)).opened

    heal(ledger.client)  # reads the last minute of writing again, and those calls wait for the election
    meanwhile = detect(ledger.database, datetime.fromtimestamp(now + 60, UTC))
    left_out = ledger.row("select sum(b.calls) as n from spend_buckets as b final where part = ''")
    judge(ledger.client)
    after = detect(ledger.database, datetime.fromtimestamp(now + 120, UTC))

    assert len(opened) == 1
    assert left_out == {"n": 120}
    assert (meanwhile.resolved, meanwhile.changed) == ((), ())
    assert (after.opened, after.resolved) == ((), ())
    assert ledger.row("select status, calls from anomalies") == {"status": "open", "calls": 120}


def test_an_incident_whose_calls_are_read_again_in_that_moment_is_told_of_when_they_are_judged(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    ledger.booked(*one_loop(now))

    def read_after_a_start(*asked: Any) -> Thresholds:
        heal(ledger.client)
        return read_thresholds(*asked)

    with monkeypatch.context() as between_sums_and_evidence:
        between_sums_and_evidence.setattr(detection, "read_thresholds", read_after_a_start)
        early = detect(ledger.database, datetime.fromtimestamp(now, UTC))
    judge(ledger.client)
    (opened,) = detect(ledger.database, datetime.fromtimestamp(now + 60, UTC)).opened

    assert early.opened == ()
    assert "120" in opened.cause


def test_what_is_not_summed_in_time_is_told_of_in_the_next_run(ledger: Ledger) -> None:
    now = time.time()
    ledger.booked(*one_loop(now))

    assert detect(ledger.database, datetime.fromtimestamp(now, UTC), patience=lambda: False) == Pass()
    opened = detect(ledger.database, datetime.fromtimestamp(now, UTC)).opened
    much_later = datetime.fromtimestamp(now + 86_400, UTC)

    assert len(opened) == 1
    assert detect(ledger.database, much_later, patience=lambda: False) == Pass()
    assert ledger.row("select status from anomalies") == {"status": "open"}
    assert len(detect(ledger.database, much_later).resolved) == 1


def test_a_trace_that_waits_for_a_late_span_keeps_the_calls_that_were_judged(ledger: Ledger) -> None:
    now, trace = time.time() - 3600, new_id()
    ledger.booked(chat(now, trace=trace))
    time.sleep(1.2)  # what came a second before the late span may have come with it

    ledger.deliver(chat(now + 1, trace=trace))
    sum_buckets(ledger.client)

    assert ledger.row("select sum(b.calls) as n from spend_buckets as b final where part = 'cell'") == {"n": 1}
    judge(ledger.client)
    sum_buckets(ledger.client)
    assert ledger.row("select sum(b.calls) as n from spend_buckets as b final where part = 'cell'") == {"n": 2}


@pytest.mark.parametrize("seed", range(2))
def test_the_sums_are_those_of_the_calls_by_hour_whatever_is_delivered_when(
    ledger: Ledger, recently: float, seed: int
) -> None:
    dice = random.Random(seed)
    traffic = Traffic(dice, recently // 3600 * 3600 - 12 * 3600)
    for _ in range(80):
        traffic.trace()
    for span in traffic.spans:
        who = {"user.id": dice.choice(["", "ana", "bo"]), "session.id": dice.choice(["", "s1"])}
        span.attributes = {**span.attributes, **{name: value for name, value in who.items() if value}}
    delivery = traffic.spans + dice.sample(traffic.spans, len(traffic.spans) // 4)
    dice.shuffle(delivery)
    prices = {"input_usd_per_token": Decimal("0.000000123456789"), "output_usd_per_token": Decimal("0.000004")}
    since = datetime.fromtimestamp(recently // 900 * 900 - 9 * 3600, UTC)
    try:
        for start in range(0, len(delivery), 40):
            ledger.deliver(*delivery[start : start + 40])
            dice.choice(WORK)(ledger.client)
            if start == 80:
                set_override(ledger.client, Override("openai", "gpt-4o-mini", prices, valid_from=since))
        ledger.settle()
        sum_buckets(ledger.client)

        for part in ("cell", "actor"):
            assert ledger.rows(BUCKETS, part=part) == ledger.rows(CALLS, part=part)
            assert len(ledger.rows(CALLS, part=part)) > 5
    finally:
        set_override(ledger.client, Override("openai", "gpt-4o-mini", {}, valid_from=since))
