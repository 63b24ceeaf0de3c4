"""Hours, days and months are those of the reporting zone, and whatever the zone, they add up to the total."""

import random
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from spanledger_collector.exceptions import UsageError
from spanledger_collector.migrations import migrate
from spanledger_collector.zone import checked_zone, realign_hours, stored_zone, write_zone
from tests.ledger import Ledger
from tests.otlp import chat

CHANGES = " or ".join(
    f"timezoneOffset(toTimeZone(at - interval 36 hour, '{zone}')) != timezoneOffset(toTimeZone(at + interval 36 hour, '{zone}'))"
    for zone in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
)
# Calls at each half hour of the days around the last year's changes of clocks.
CALLS = f"""
insert into otel_traces (Timestamp, TraceId, SpanId, SpanName, ServiceName, ScopeName, SpanKind, Duration, SpanAttributes)
select
  toDateTime64(at, 9, 'UTC'), lower(hex(sipHash128(number))), lower(leftPad(hex(sipHash64(number)), 16, '0')),
  'chat', 'app', 'somebody', 'Client', 1000,
  map('gen_ai.operation.name', 'chat', 'gen_ai.provider.name', 'openai', 'gen_ai.response.model', 'gpt-4o-mini',
    'gen_ai.usage.input_tokens', toString(100 + number % 7), 'gen_ai.usage.output_tokens', '10')
from (select number, toStartOfDay(now('UTC')) - toIntervalMinute(number * 30) as at from numbers(17600))
where {CHANGES}
settings max_partitions_per_insert_block = 0
"""
# How many half hours a day has where the clocks change, beside 48.
ZONES: dict[str, set[int]] = {
    "UTC": set(),
    "Europe/Berlin": {46, 50},
    "America/New_York": {46, 50},
    "Australia/Lord_Howe": {47, 49},  # by half an hour
    "Asia/Kolkata": set(),
}


@pytest.fixture(scope="module")
def told(_ledger_of_module: Ledger) -> Iterator[Ledger]:
    """A ledger with calls of the days when clocks changed, and of the hours on both sides of the seam."""
    ledger, now = _ledger_of_module, time.time()
    ledger.empty()
    ledger.client.command(CALLS)
    ledger.deliver(*(chat(now - minutes * 60) for minutes in range(1, 400, 7)))
    yield ledger
    report_in(ledger, "UTC")


def report_in(ledger: Ledger, zone: str) -> None:
    target = ledger.database.target
    realign_hours(ledger.client, zone, 400)
    write_zone(ledger.client, target.database, zone)
    with ledger.database.bare_client() as client:
        migrate(client, replace(target, zone=zone))
    ledger.settle()


@pytest.mark.parametrize("zone", ZONES)
def test_days_and_months_are_the_zones_and_add_up(told: Ledger, zone: str) -> None:
    """litellm#27780 #29568: $8.78 shown for a day of $0.99; five daily sums exceeded the five-day total by 52.7 %."""
    report_in(told, zone)

    total = told.row("select count() as n, sum(cost_usd) as usd from calls")
    for view in ("cost_by_day", "cost_by_month", "cost_by_team", "cost_by_user", "costs", "actor_costs"):
        assert told.row(f"select sum(c.calls) as n, sum(known_usd) as usd from {view} as c") == total, view
    for period, first_day in (("day", "toDate"), ("month", "toStartOfMonth")):
        shown = told.rows(f"select {period}, calls, known_usd from cost_by_{period} order by {period}")
        truth = f"select {first_day}(ts, {{zone:String}}) as {period}, count() as calls, sum(cost_usd) as known_usd from calls "
        assert shown == told.rows(f"{truth} group by {period} order by {period}", zone=zone)
    lengths = {row["calls"] for row in told.rows("select calls from cost_by_day where day < today() - 2")}
    assert lengths >= ZONES[zone]
    assert max(lengths) == max({48} | ZONES[zone])
    assert told.rows("select * from ledger_check where calls_difference != 0 or usd_difference != 0") == []


@pytest.mark.parametrize("zone", ZONES)
def test_between_any_two_times_whole_days_and_the_hours_around_them_are_the_hours(told: Ledger, zone: str) -> None:
    report_in(told, zone)
    sums = "sum(c.calls) as n, sum(c.input_tokens) as tokens, sum(c.known_usd) as usd, sumIf(c.calls, c.unknown) as unknown"
    first = told.row("select toUnixTimestamp(min(bucket)) as at from costs")["at"]
    numbers, now, used = random.Random(zone), int(time.time()), 0

    for _ in range(60):
        since, until = sorted(numbers.choices(range(first - 86_400, now + 7200), k=2))
        midnight = told.row(f"select toUnixTimestamp(toStartOfDay(toDateTime({since}), '{zone}')) as at")["at"]
        since = numbers.choice((since, midnight, midnight + 1, midnight + 3600))
        range_ = f"bucket >= toDateTime({since}) and bucket <= toDateTime({until})"
        between = f"costs_between(since = toDateTime({since}), until = toDateTime({until})) as c"
        assert told.row(f"select {sums} from {between}") == told.row(f"select {sums} from costs as c where {range_}")
        used += told.row(f"select count() as n from {between} where bucket in (select bucket from daily_costs)")["n"]
    assert used


@pytest.mark.parametrize("zone", ZONES)
def test_a_charts_steps_are_those_of_the_zone_and_hold_every_hour(told: Ledger, zone: str) -> None:
    report_in(told, zone)
    sums = "sum(c.calls) as n, sum(c.known_usd) as usd, sumIf(c.calls, c.unknown) as unknown"
    first = told.row("select toUnixTimestamp(min(bucket)) as at from costs")["at"]
    since, until = first + 5000, int(time.time()) - 3600
    midnight = f"toStartOfDay(bucket, '{zone}')"
    parts = {
        step: f"{midnight} + intDiv(dateDiff('second', {midnight}, bucket), {step}) * {step}" for step in (3600, 21_600)
    }
    if zone != "Australia/Lord_Howe":  # where hours after a change of half an hour are none of the day's parts
        parts[3600] = f"toStartOfHour(bucket, '{zone}')"
    starts = {
        **parts,
        86_400: midnight,
        604_800: f"toDateTime(toMonday(bucket, '{zone}'), '{zone}')",
        2_592_000: f"toDateTime(toStartOfMonth(bucket, '{zone}'), '{zone}')",
    }

    for step, start in starts.items():
        steps = f"costs_in_steps(since = toDateTime({since}), until = toDateTime({until}), step = {step}) as c"
        hours = f"costs as c where bucket >= toDateTime({since}) and bucket <= toDateTime({until})"
        shown = told.rows(f"select toUnixTimestamp(time) as at, {sums} from {steps} group by at order by at")
        assert shown == told.rows(
            f"select toUnixTimestamp({start}) as at, {sums} from {hours} group by at order by at"
        ), step
        rows = [told.row(f"select count() as n from {each}")["n"] for each in (steps, hours)]
        assert (rows[0] < rows[1]) is (step >= 86_400)


def test_a_ledger_keeps_its_zone_and_says_how_to_change_it(ledger: Ledger) -> None:
    target = ledger.database.target
    report_in(ledger, "Europe/Berlin")

    assert stored_zone(ledger.client) == "Europe/Berlin"
    with ledger.database.bare_client() as client:
        assert migrate(client, target) == []
        with pytest.raises(UsageError, match=r"reports in Europe/Berlin, not in UTC. `spanledger zone UTC` changes it"):
            migrate(client, replace(target, zone="UTC"))
    report_in(ledger, "UTC")


def test_a_zone_that_does_not_exist_is_refused_with_those_that_are_near(ledger: Ledger) -> None:
    with pytest.raises(UsageError, match=r"'Europe/Berln' is no time zone.*Europe/Berlin"):
        checked_zone(ledger.client, "Europe/Berln")


def test_hours_without_calls_cannot_be_cut_anew(ledger: Ledger) -> None:
    ledger.client.command("insert into cost_hours (bucket, calls, run_at) values ('2024-01-01 00:00:00', 1, now())")

    assert realign_hours(ledger.client, "Europe/Berlin", 400) is False
    with pytest.raises(UsageError, match="1 rows of hours whose single calls are no longer kept"):
        realign_hours(ledger.client, "Asia/Kolkata", 400)
    assert ledger.row("select count() as n from cost_hours") == {"n": 1}
