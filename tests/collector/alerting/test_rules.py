"""Every rule fires, and stays quiet just below; what its query answers is what Grafana takes as a table of numbers."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import pytest

from spanledger_collector.alerting.evaluation import Finding, evaluate, filled, number_table
from spanledger_collector.alerting.probes import Refusals
from spanledger_collector.alerting.rules import RULES, query_text, rule_named
from spanledger_collector.alerting.thresholds import THRESHOLDS, own_thresholds, write_threshold
from spanledger_collector.exceptions import QueryError
from spanledger_collector.operations.disk import DiskWatch
from tests.ledger import Ledger
from tests.otlp import chat

MINUTE = 60.0
# gpt-4o-mini: 0.15 USD per million tokens of input, 0.60 of output
MILLION = 1_000_000
USD_PER_MILLION_IN = 0.15


@dataclass(frozen=True)
class Case:
    """Telemetry at which a rule fires, and telemetry just below; both told as functions of now."""

    rule: str
    fires: Callable[[Ledger, float], object]
    quiet: Callable[[Ledger, float], object]
    labels: dict[str, str]
    value: float


def tagged(**tags: str) -> dict[str, str]:
    names = {"user": "user.id", "session": "session.id"}
    return {names.get(name, f"spanledger.{name}"): text for name, text in tags.items()}


def spending(usd: float, *, calls: int = 1, **tags: str) -> Callable[[Ledger, float], object]:
    """Calls of ten minutes ago that cost so much together."""
    tokens = round(usd / calls / USD_PER_MILLION_IN * MILLION)

    def deliver(ledger: Ledger, now: float) -> None:
        ledger.deliver(
            *(chat(now - 10 * MINUTE + number, tokens=(tokens, 0), extra=tagged(**tags)) for number in range(calls))
        )

    return deliver


def unknown(count: int, *, of: int, before: int = 0) -> Callable[[Ledger, float], object]:
    """Calls of the last hour, some without usage; and of the days before, each 25th of them without."""

    def deliver(ledger: Ledger, now: float) -> None:
        recent = [chat(now - 20 * MINUTE + n, tokens=None if n < count else (10, 1)) for n in range(of)]
        old = [chat(now - 30 * 3600 + n, tokens=None if n % 25 == 0 else (10, 1)) for n in range(before)]
        ledger.deliver(*recent, *old)

    return deliver


def silent(minutes: float, *, active: int = 40, pause: float = 1) -> Callable[[Ledger, float], object]:
    """A service with a call every so many minutes, and none since some."""

    def deliver(ledger: Ledger, now: float) -> None:
        last = now // MINUTE * MINUTE - minutes * MINUTE
        ledger.deliver(*(chat(last - n * pause * MINUTE, service="billing") for n in range(active)))

    return deliver


def numbered(missing: int, *, age: float = 30) -> Callable[[Ledger, float], object]:
    """Spans of one process, numbered from 1, some of which never came."""

    def deliver(ledger: Ledger, now: float) -> None:
        numbers = [1, *range(2 + missing, 20 + missing)]
        spans = [chat(now - age * MINUTE + n, extra={"spanledger.sequence": n}, service="shop") for n in numbers]
        ledger.deliver(*spans, resource={"service.instance.id": "process-1"})

    return deliver


def kept_aside(count: int) -> Callable[[Ledger, float], object]:
    return lambda ledger, _: ledger.deliver(*(chat(1e9 + n) for n in range(count)))


def unpriced(tokens: int) -> Callable[[Ledger, float], object]:
    names = {"gen_ai.request.model": "acme-7b", "gen_ai.response.model": "acme-7b"}
    return lambda ledger, now: ledger.deliver(chat(now - 3600, tokens=(tokens, 0), extra=names))


def listed(days: int) -> Callable[[Ledger, float], object]:
    """The price list as old as that."""
    change = (
        "insert into price_books select * replace (now64(3, 'UTC') - toIntervalDay({days:UInt32}) as learned_at) "
        "from kept_books"
    )

    def insert(ledger: Ledger, now: float) -> None:
        ledger.client.command("truncate table price_books")
        ledger.client.command(change, {"days": days})

    return insert


def marked(rollup: str, seconds: int) -> Callable[[Ledger, float], object]:
    mark = (
        "insert into dirty_minutes "
        "select toStartOfMinute(now('UTC') - interval 40 minute), now64(3, 'UTC') - toIntervalSecond({seconds:UInt32})"
    )
    return lambda ledger, _: ledger.client.command(mark, {"seconds": seconds})


def queued(seconds: int) -> Callable[[Ledger, float], object]:
    mark = (
        "insert into election_queue (trace_id, marked_at) "
        "select unhex('00000000000000000000000000000009'), now64(3, 'UTC') - toIntervalSecond({seconds:UInt32})"
    )
    return lambda ledger, _: ledger.client.command(mark, {"seconds": seconds})


CASES = [
    Case(
        "SpendPerHour",
        spending(100.2, calls=6, team="search", feature="help", tenant="acme"),
        spending(99.8, calls=6, team="search", feature="help", tenant="acme"),
        {"tenant": "acme", "team": "search", "feature": "help"},
        100.2,
    ),
    Case(
        "SpendPerActor",
        spending(25.2, calls=3, user="ada", session="s-1"),
        spending(24.8, calls=3, user="ada", session="s-1"),
        {"tenant": "", "user": "ada", "session": "s-1"},
        25.2,
    ),
    Case(
        "SpendPerCall",
        spending(10.2, team="search"),
        spending(9.8, team="search"),
        {"tenant": "", "team": "search", "feature": "", "model": "gpt-4o-mini"},
        10.2,
    ),
    Case(
        "CompletenessDrop",
        unknown(4, of=40, before=50),
        unknown(3, of=40, before=50),
        {"completeness": "no_usage"},
        0.1,
    ),
    Case("ServiceSilent", silent(16), silent(14), {"service": "billing"}, 16),
    Case("PricesStale", listed(31), listed(30), {"source": "", "source_version": ""}, 31),
    Case("UnpricedModel", unpriced(100_000), unpriced(99_999), {"provider": "openai", "model": "acme-7b"}, 100_000),
    Case("SpansLost", numbered(5), numbered(4), {"service": "shop"}, 5),
    Case("QuarantineGrows", kept_aside(20), kept_aside(19), {"kept_aside": "spans"}, 20),
    Case("RollupLag", marked("cost_minutes", 660), marked("cost_minutes", 500), {"rollup_table": "cost_minutes"}, 660),
    Case("ElectionLag", queued(660), queued(500), {"step": "election"}, 660),
]


def asked(ledger: Ledger, rule: str) -> list[Finding]:
    findings, problems = evaluate(ledger.client, [rule_named(rule)])
    assert problems == []
    return findings


def seeded(ledger: Ledger, case: Case, deliver: Callable[[Ledger, float], object]) -> list[Finding]:
    deliver(ledger, time.time())
    if case.rule not in {"RollupLag", "ElectionLag"}:
        ledger.settle()
    return asked(ledger, case.rule)


@pytest.fixture
def price_books(ledger: Ledger) -> Iterable[None]:
    ledger.client.command("create table kept_books as price_books")
    ledger.client.command("insert into kept_books select * from price_books")
    yield
    ledger.client.command("truncate table price_books")
    ledger.client.command("insert into price_books select * from kept_books")
    ledger.client.command("drop table kept_books")


@pytest.mark.usefixtures("price_books")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_a_rule_fires(ledger: Ledger, case: Case) -> None:
    findings = seeded(ledger, case, case.fires)

    found = [
        finding for finding in findings if case.labels.items() <= finding.labels.items() or case.rule == "PricesStale"
    ]
    assert found, findings
    assert findings[0].value == pytest.approx(case.value, rel=0.02)
    assert set(found[0].labels) == set(case.labels)


@pytest.mark.usefixtures("price_books")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_a_rule_stays_quiet_just_below(ledger: Ledger, case: Case) -> None:
    assert seeded(ledger, case, case.quiet) == []


def test_every_rule_with_a_query_has_its_two_tests_here() -> None:
    tested = {case.rule for case in CASES} | {"Watchdog", "DiskLow", "SpendIncidentCritical", "SpendIncidentWarning"}

    assert tested == {rule.name for rule in RULES if rule.query}


def test_every_query_belongs_to_a_rule_and_every_threshold_to_a_query() -> None:
    from importlib.resources import files

    folder = files("spanledger_collector.alerting").joinpath("queries")
    texts = {entry.name.removesuffix(".sql"): entry.read_text("utf-8") for entry in folder.iterdir()}

    assert set(texts) == {rule.query for rule in RULES if rule.query}
    assert [name for name in THRESHOLDS if not any(f"{{{name}}}" in text for text in texts.values())] == []


def test_the_watchdog_fires_on_an_empty_ledger_and_nothing_else_does(ledger: Ledger) -> None:
    findings, problems = evaluate(ledger.client, [rule for rule in RULES if rule.name != "DiskLow"])

    assert problems == []
    assert [finding.rule.name for finding in findings] == ["Watchdog"]


def test_a_nearly_full_disk_fires_and_a_less_full_one_does_not(ledger: Ledger) -> None:
    free = ledger.row("select unreserved_space / total_space as part from system.disks")["part"]
    asked_with = {"disk_free_share": str(free * 1.1)}, {"disk_free_share": str(free * 0.9)}

    full, roomy = (ledger.rows(query_text("disk_low", share)) for share in asked_with)

    assert [row["disk"] for row in full] == ["default"]
    assert full[0]["value"] == pytest.approx(100 * free, rel=0.05)
    assert roomy == []


def test_an_owners_threshold_is_taken_until_it_is_reset(ledger: Ledger) -> None:
    (shipped,) = seeded(ledger, CASES[0], CASES[0].fires)

    write_threshold(ledger.client, "spend_usd_per_hour", 101.5)
    raised, kept = asked(ledger, "SpendPerHour"), own_thresholds(ledger.client)
    write_threshold(ledger.client, "spend_usd_per_hour", None)
    again, none = asked(ledger, "SpendPerHour"), own_thresholds(ledger.client)

    assert (raised, kept) == ([], {"spend_usd_per_hour": 101.5})
    assert (again, none) == ([shipped], {})


def test_a_ledger_that_was_always_half_blind_is_no_news(ledger: Ledger) -> None:
    now = time.time()
    ledger.deliver(*(chat(now - 20 * MINUTE + n, tokens=None if n % 2 else (10, 1)) for n in range(40)))
    ledger.deliver(*(chat(now - 30 * 3600 + n, tokens=None if n % 2 else (10, 1)) for n in range(40)))
    ledger.settle()

    assert asked(ledger, "CompletenessDrop") == []


def test_too_few_calls_say_nothing_about_completeness(ledger: Ledger) -> None:
    seeded(ledger, CASES[3], unknown(29, of=29))

    assert asked(ledger, "CompletenessDrop") == []


def test_a_service_that_pauses_often_is_not_silent(ledger: Ledger) -> None:
    seeded(ledger, CASES[4], silent(24, pause=9))

    assert asked(ledger, "ServiceSilent") == []


def test_spans_that_may_still_be_under_way_are_not_lost(ledger: Ledger) -> None:
    seeded(ledger, CASES[7], numbered(50, age=14))

    assert asked(ledger, "SpansLost") == []


class Committed:
    """Counts as the collector does."""

    def __init__(self, unavailable: int) -> None:
        self.requests = {("traces", "unavailable"): unavailable, ("traces", "stored"): 1000}


def test_refused_requests_are_told_once_they_are_many_and_only_new_ones(tmp_path: object) -> None:
    committed = Committed(4)
    probe = Refusals(committed, DiskWatch(tmp_path, 0))  # type: ignore[arg-type]  # counts are all it asks for

    few = list(probe())
    committed.requests["traces", "unavailable"] += 5
    many = list(probe())
    none = list(probe())

    assert few == none == []
    assert [(finding.rule.name, finding.value) for finding in many] == [("CollectorRefuses", 5)]


def test_a_full_disk_is_told_before_anything_was_refused(tmp_path: object) -> None:
    probe = Refusals(Committed(0), DiskWatch(tmp_path, 10**18))  # type: ignore[arg-type]  # counts are all it asks for

    (finding,) = probe()

    assert "MB left" in finding.texts["cause"]


def test_a_rule_that_fails_is_told_and_costs_the_others_nothing(ledger: Ledger) -> None:
    broken = replace(rule_named("PricesStale"))
    broken.__dict__["sql"] = "select nothing from nowhere"

    findings, (problem,) = evaluate(ledger.client, [broken, rule_named("Watchdog")])

    assert [finding.rule.name for finding in findings] == ["Watchdog"]
    assert problem.rule == "PricesStale"
    assert problem.finding.labels == {"rule": "PricesStale"}
    assert "nowhere" in problem.finding.texts["cause"]


@pytest.mark.parametrize(
    "types",
    [
        ["String"],
        ["String", "Float64", "UInt8"],
        ["DateTime('UTC')", "Float64"],
        ["Bool", "Float64"],
        ["Array(String)", "Float64"],
    ],
    ids=str,
)
def test_what_grafana_would_not_take_as_a_table_of_numbers_is_refused(types: list[str]) -> None:
    with pytest.raises(QueryError, match="exactly one of numbers"):
        number_table([f"c{n}" for n in range(len(types))], types, [])


def test_texts_name_labels_and_the_number_and_leave_nothing_open(ledger: Ledger) -> None:
    (finding,) = seeded(ledger, CASES[0], CASES[0].fires)

    assert (
        filled(finding.rule.summary, finding)
        == "Feature help of team search (tenant acme) spent 100.20 USD in an hour."
    )


def test_a_label_that_is_empty_reads_as_what_it_is(ledger: Ledger) -> None:
    (finding,) = seeded(ledger, CASES[0], spending(120, calls=6, team="search"))

    assert "Feature (not tagged) of team search" in filled(finding.rule.summary, finding)
