"""The book of alerts: one alert for each thing that is true, told to each receiver from beginning to end, whatever dies in between."""

import resource
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanledger_collector.alerting.book import Alert, Book, open_anyway
from spanledger_collector.alerting.evaluation import Finding
from spanledger_collector.alerting.rules import rule_named
from spanledger_collector.exceptions import StoreError

SPEND = rule_named("SpendPerHour")
LAG = rule_named("RollupLag")
HOLD = 90.0
RESEND = 60.0


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    opened = Book(tmp_path / "alerts.sqlite")
    yield opened
    opened.close()


def spend(usd: float, team: str = "search") -> Finding:
    return Finding(SPEND, {"team": team}, usd)


def note(book: Book, now: float, *findings: Finding, blind: Sequence[str] = ()) -> None:
    book.note([(finding, {"impact": f"{finding.value:g} USD"}) for finding in findings], now, unknown_rules=blind)


def due(book: Book, now: float, receiver: str = "hook", *, repeats: bool = False, hold: float = HOLD) -> list[Alert]:
    resend = RESEND if repeats else None
    return book.due(receiver, now, rules={"SpendPerHour", "RollupLag"}, resend_seconds=resend, hold_seconds=hold)


def tell(book: Book, now: float, receiver: str = "hook", *, repeats: bool = False) -> list[tuple[int, bool]]:
    """Tell what is due, and return which notice of it and whether it has ended."""
    alerts = due(book, now, receiver, repeats=repeats)
    book.told(receiver, alerts, now)
    return [(alert.notice, alert.is_resolved) for alert in alerts]


def test_what_is_true_is_told_once_and_that_it_ended_once(book: Book) -> None:
    note(book, 0, spend(120))
    told = [tell(book, 1), tell(book, 2)]
    note(book, 60, spend(130))
    told.append(tell(book, 61))
    note(book, 120)
    note(book, 180)
    told += [tell(book, 181), tell(book, 300)]

    assert told == [[(1, False)], [], [], [(1, True)], []]


def test_one_evaluation_without_it_is_no_end(book: Book) -> None:
    note(book, 0, spend(120))
    note(book, 60)
    note(book, 120, spend(120))
    note(book, 180)

    assert [alert.fired_at for alert in book.alerts()] == [0]


def test_what_must_hold_for_minutes_is_told_after_them(book: Book) -> None:
    lag = Finding(LAG, {"rollup_table": "cost_hours"}, 700)
    note(book, 0, lag)
    note(book, 299, lag)
    before = due(book, 299)
    note(book, 300, lag)

    assert before == []
    assert [alert.fired_at for alert in due(book, 300)] == [300]


def test_what_did_not_hold_is_never_told(book: Book) -> None:
    note(book, 0, Finding(LAG, {}, 700))
    note(book, 60)
    note(book, 120)
    note(book, 400, Finding(LAG, {}, 700))

    assert due(book, 400) == []


def test_it_is_told_again_when_the_money_has_doubled_and_not_before(book: Book) -> None:
    note(book, 0, spend(110))
    told = [tell(book, 0)]
    for now, usd in ((60, 219.9), (120, 220), (180, 439.9), (240, 440)):
        note(book, now, spend(usd))
        told.append(tell(book, now))

    assert told == [[(1, False)], [], [(2, False)], [], [(3, False)]]


def test_what_does_not_double_is_told_once(book: Book) -> None:
    for now, seconds in enumerate((700, 7000)):
        note(book, now * 600, Finding(LAG, {}, seconds))
    note(book, 1200, Finding(LAG, {}, 70_000))

    assert [alert.notice for alert in due(book, 1200)] == [1]


def test_a_receiver_that_forgets_is_told_again_and_again_until_it_ends(book: Book) -> None:
    note(book, 0, spend(120))
    told = [tell(book, now, repeats=True) for now in (0, 59, 60, 119, 120)]
    note(book, 121)
    note(book, 122)
    told += [tell(book, now, repeats=True) for now in (209, 210, 400)]

    assert told == [[(1, False)], [], [(1, False)], [], [(1, False)], [], [(1, True)], []]


def test_an_alert_that_began_and_ended_while_the_receiver_was_away_is_told_from_its_beginning(book: Book) -> None:
    note(book, 0, spend(120))
    note(book, 60)
    note(book, 120)
    told = [tell(book, now) for now in (5000, 5089, 5090)]

    assert told == [[(1, False)], [], [(1, True)]]


def test_the_same_thing_again_is_a_new_alert_told_after_the_end_of_the_first(book: Book) -> None:
    note(book, 0, spend(120))
    note(book, 60)
    note(book, 120)
    note(book, 180, spend(500))
    told = [[(alert.id, alert.is_resolved) for alert in due(book, 200)]]
    for now in (200, 300, 301):
        told.append(tell(book, now))  # noqa: PERF401 - telling changes what is due

    assert told == [[(1, False)], [(1, False)], [(1, True)], [(1, False)]]
    assert [alert.value for alert in book.alerts()] == [500]


def test_receivers_are_told_apart(book: Book) -> None:
    note(book, 0, spend(120), spend(130, "labs"))

    assert tell(book, 0, "one") == [(1, False), (1, False)]
    assert tell(book, 0, "two") == [(1, False), (1, False)]
    assert tell(book, 0, "one") == []


def test_an_alert_whose_rule_could_not_be_asked_stays_as_it_is(book: Book) -> None:
    note(book, 0, spend(120))
    for now in (60, 120, 180):
        note(book, now, blind=["SpendPerHour"])

    assert [alert.is_resolved for alert in book.alerts()] == [False]


def test_the_texts_are_those_of_the_last_time_it_was_true(book: Book) -> None:
    note(book, 0, spend(120))
    note(book, 60, spend(150))
    note(book, 120)
    note(book, 180)
    tell(book, 180)

    (alert,) = due(book, 300)
    assert (alert.annotations["impact"], alert.is_resolved) == ("150 USD", True)


def test_what_was_not_told_is_there_after_a_restart(tmp_path: Path) -> None:
    first = Book(tmp_path / "alerts.sqlite")
    note(first, 0, spend(120))
    first.close()
    again = Book(tmp_path / "alerts.sqlite")

    assert [alert.labels["team"] for alert in due(again, 1)] == ["search"]
    again.close()


def test_what_waits_is_shown_with_the_reason(book: Book) -> None:
    note(book, 0, spend(120), spend(130, "labs"))
    book.failed("hook", 10, "It cannot be reached.")
    book.failed("hook", 20, "It did not answer in time.")

    (waiting,) = book.waiting()
    assert (waiting.alerts, waiting.failures, waiting.reason) == (2, 2, "It did not answer in time.")
    tell(book, 30)
    assert [(place.alerts, place.failures) for place in book.waiting()] == [(0, 0)]


def test_what_ended_a_week_ago_is_forgotten(book: Book) -> None:
    note(book, 0, spend(120))
    note(book, 1)
    note(book, 2)
    kept = len(book.alerts(resolved=True))
    note(book, 2 + 7 * 86400 + 1)

    assert (kept, book.alerts(resolved=True)) == (1, [])


def test_only_the_owner_can_read_the_book(tmp_path: Path) -> None:
    Book(tmp_path / "alerts.sqlite").close()

    assert (tmp_path / "alerts.sqlite").stat().st_mode & 0o077 == 0


def test_a_file_that_is_no_book_is_named(tmp_path: Path) -> None:
    file = tmp_path / "alerts.sqlite"
    file.write_text("not a database, but longer than the head of one" * 99)

    with pytest.raises(StoreError, match=r"alerts\.sqlite cannot be used"):
        Book(file)


def test_a_collector_moves_a_damaged_book_aside_and_begins_a_new_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "alerts.sqlite"
    text = "not a database, but longer than the head of one" * 99
    file.write_text(text)

    opened = open_anyway(file)
    note(opened, 0, spend(120))
    opened.close()

    (aside,) = tmp_path.glob("alerts.sqlite.damaged-*")
    assert aside.read_text() == text
    assert "Moved it to" in caplog.text
    again = Book(file)
    assert len(again.alerts()) == 1
    again.close()


def test_damage_inside_a_book_is_found_when_it_is_opened(tmp_path: Path) -> None:
    file = tmp_path / "alerts.sqlite"
    whole = Book(file)
    note(whole, 0, *(spend(120, f"team {n}") for n in range(500)))
    whole.close()
    content = bytearray(file.read_bytes())
    content[8192:-4096] = bytes(len(content) - 8192 - 4096)
    file.write_bytes(content)

    open_anyway(file).close()

    assert [each.stat().st_size for each in tmp_path.glob("alerts.sqlite.damaged-*")] == [len(content)]


def test_where_no_book_can_be_kept_a_collector_remembers_its_alerts_until_it_ends(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "alerts.sqlite").mkdir()

    opened = open_anyway(tmp_path / "alerts.sqlite")
    note(opened, 0, spend(120))

    assert tell(opened, 1) == [(1, False)]
    assert "kept in memory" in caplog.text
    assert (tmp_path / "alerts.sqlite").is_dir()
    opened.close()


def test_a_full_disk_says_so_and_costs_nothing_of_what_comes_when_there_is_room(tmp_path: Path) -> None:
    opened = Book(tmp_path / "alerts.sqlite")
    note(opened, 0, spend(120))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(sqlite3.OperationalError, match=r"disk"):
            note(opened, 60, spend(120), *(spend(130, f"team {n}" * 20) for n in range(2000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    kept = len(opened.alerts())
    note(opened, 120, spend(120), spend(130, "another team"))

    assert (kept, len(opened.alerts())) == (1, 2)
    opened.close()


def test_after_the_clock_went_back_receivers_are_told_all_the_same(book: Book) -> None:
    ahead, lag = 1e9, Finding(LAG, {}, 500)
    note(book, ahead, spend(120), lag)
    tell(book, ahead, repeats=True)
    note(book, 0, spend(120), lag)
    again = tell(book, 1, repeats=True)
    note(book, LAG.holds_minutes * 60, spend(120), lag)

    assert again == [(1, False)]
    assert {alert.rule for alert in book.alerts()} == {"SpendPerHour", "RollupLag"}


LOOKS = st.lists(st.sampled_from([0.0, 110.0, 150.0, 300.0, 700.0]), min_size=1, max_size=25)


@settings(max_examples=60, deadline=None)
@given(LOOKS, st.lists(st.booleans(), min_size=25, max_size=25))
def test_whatever_dies_a_receiver_hears_of_each_alert_from_beginning_to_end(
    looks: list[float], reached: list[bool]
) -> None:
    """A receiver that is away at times, and whose acknowledgement is lost at others, hears the same as one that never is."""
    book = Book(Path(":memory:"))
    always: list[tuple[int, bool]] = []
    sometimes: list[tuple[int, bool]] = []
    clock = 0.0

    def round_of(usd: float, *, is_reached: bool) -> None:
        note(book, clock, *([spend(usd)] if usd else []))
        for name, heard in (("always", always), ("sometimes", sometimes)):
            if name == "always" or is_reached:
                alerts = due(book, clock, name, hold=0)
                heard.extend((alert.id, alert.is_resolved) for alert in alerts)
                book.told(name, alerts, clock)

    for usd, is_reached in zip(looks, reached, strict=False):
        round_of(usd, is_reached=is_reached)
        clock += 60
    for _ in range(2 * len(looks) + 4):
        round_of(0, is_reached=True)
        clock += 60
    book.close()

    assert [event for event in always if event[1]] == [event for event in sometimes if event[1]]
    assert {alert for alert, _ in always} == {alert for alert, _ in sometimes}
    for heard in (always, sometimes):
        for alert in {alert for alert, _ in heard}:
            states = [ended for number, ended in heard if number == alert]
            assert states[0] is False
            assert states[-1] is True
            assert states.count(True) == 1


def test_a_finding_without_money_never_doubles(book: Book) -> None:
    free = replace(spend(0))
    note(book, 0, free)
    note(book, 60, free)

    assert [alert.notice for alert in due(book, 60)] == [1]
