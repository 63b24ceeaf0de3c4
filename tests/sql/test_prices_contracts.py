"""Contracts, regions and corrections through the real path: spans in, views out, and an audit that adds up."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from spanledger_collector.closing import close_month
from spanledger_collector.exceptions import PriceError
from spanledger_collector.prices import (
    Alias,
    Assignment,
    CurrencyRate,
    Override,
    Term,
    apply,
    checked_assignment,
    discard,
    draft,
    install,
    preview,
)
from spanledger_collector.prices.extract import list_version
from spanledger_collector.prices.tables import USER, Entry, read_agreed
from tests.ledger import Ledger, only
from tests.otlp import SpanSpec, chat

GROUPS = "select tenant, team, provider, model, sum(known_usd) as usd from costs group by all order by all"
LIST_USD = Decimal("0.00225")  # gpt-5: 1,000 in at 1.25 USD per million, 100 out at 10


@pytest.fixture(autouse=True)
def as_before(ledger: Ledger) -> Iterator[None]:
    """Take back what a test put in force: the list's own book, the first one, is in force again."""
    yield
    ledger.empty()
    for table in ("price_books", "rate_segments", "contract_rules"):
        ledger.client.command(f"delete from {table} where book > 1")
    for dictionary in ("segment_dict", "contract_dict", "region_dict"):
        ledger.client.command(f"system reload dictionary {dictionary}")


def put(ledger: Ledger, *entries: Entry, aliases: tuple[Alias, ...] = ()) -> list[dict[str, Any]]:
    """Put what the owner says in force and return the audit of it."""
    drafted = draft(ledger.client, "test", entries=entries, aliases=aliases)
    assert drafted
    found = apply(ledger.client, drafted, "tester")
    audit = ledger.rows(
        "select * except (at) from repricing_history where book_to = {book:UInt32}", book=drafted.head.book
    )
    assert len(audit) == len(found)
    return audit


def of(model: str, start: float, service: str = "app", **extra: Any) -> SpanSpec:
    return chat(start, service=service, extra={"gen_ai.response.model": model, "spanledger.team": "red", **extra})


def call(start: float, tenant: str = "", **extra: Any) -> SpanSpec:
    return of("gpt-5", start, **{"spanledger.tenant": tenant} | extra)


def cost(ledger: Ledger) -> dict[str, Decimal | None]:
    return {row["tenant"]: row["cost_usd"] for row in ledger.rows("select tenant, cost_usd from calls")}


def test_a_discount_holds_for_the_tenant_that_it_is_assigned_to_and_nobody_else(
    ledger: Ledger, recently: float
) -> None:
    put(ledger, Term("acme", Decimal(20), provider="openai"), Assignment("acme", tenant="a"))
    ledger.settled(call(recently, "a"), call(recently + 1, "b"))

    assert cost(ledger) == {"a": LIST_USD * Decimal("0.8"), "b": LIST_USD}
    assert {row["tenant"]: row["usd"] for row in ledger.rows(GROUPS)} == cost(ledger)


def test_the_most_specific_term_counts(ledger: Ledger, recently: float) -> None:
    terms = [
        Term("acme", Decimal(50), provider="openai", model="gpt-5", meter="output_usd_per_token"),
        Term("acme", Decimal(30), provider="openai", model="gpt-5*"),
        Term("acme", Decimal(10)),
    ]
    put(ledger, *terms, Assignment("acme", tenant="a"))
    ledger.booked(call(recently, "a"))

    # gpt-5 in full is more specific than gpt-5*, but speaks of output only
    assert cost(ledger) == {"a": Decimal("0.00125") * Decimal("0.7") + Decimal("0.001") * Decimal("0.5")}


def test_a_commitment_costs_nothing_more_and_is_priced(ledger: Ledger, recently: float) -> None:
    put(ledger, Term("ptu", Decimal(100), "commitment", provider="openai"), Assignment("ptu", service="batch"))
    [row] = ledger.booked(of("gpt-5", recently, "batch"))

    assert (row["cost_usd"], row["completeness"]) == (Decimal(0), "priced")
    assert only(ledger.rows("select source from rates where rate_id = {rate:UInt32}", rate=row["rate_id"])) == {
        "source": "commitment"
    }


def test_of_two_assignments_the_more_specific_one_counts(ledger: Ledger, recently: float) -> None:
    put(
        ledger,
        Term("half", Decimal(50)),
        Term("tenth", Decimal(10)),
        Assignment("half", tenant="a"),
        Assignment("tenth", tenant="a", provider="openai"),
    )
    ledger.booked(call(recently, "a"))

    assert cost(ledger) == {"a": LIST_USD * Decimal("0.9")}


def test_an_assignment_ends_when_it_says(ledger: Ledger, recently: float) -> None:
    end = datetime.fromtimestamp(recently // 900 * 900, UTC)
    put(ledger, Term("half", Decimal(50)), Assignment("half", tenant="a", valid_to=end))
    ledger.settled(call(end.timestamp() - 1, "a"), call(end.timestamp(), "a"))

    rows = ledger.rows("select cost_usd from calls order by ts")
    assert [row["cost_usd"] for row in rows] == [LIST_USD / 2, LIST_USD]
    assert sum(row["usd"] for row in ledger.rows(GROUPS)) == LIST_USD * Decimal("1.5")


def test_assignments_that_could_claim_the_same_call_are_refused_until_that_is_settled(ledger: Ledger) -> None:
    standing = (Assignment("one", tenant="a"),)
    rival = Assignment("two", provider="openai")

    with pytest.raises(PriceError, match=r"Calls with tenant=a provider=openai would fall under two and under one"):
        checked_assignment(rival, standing)
    assert checked_assignment(rival, (*standing, Assignment("one", tenant="a", provider="openai"))) == rival
    assert checked_assignment(Assignment("two", tenant="b"), standing)


@pytest.mark.parametrize(
    ("model", "region", "factor"),
    [("gpt-5.4", "us", "1.1"), ("gpt-5.4", "eu", "1.1"), ("gpt-5.4", "", "1"), ("gpt-5", "eu", "1")],
)
def test_a_region_costs_more_where_the_book_has_no_price_of_its_own_for_it(
    ledger: Ledger, recently: float, model: str, region: str, factor: str
) -> None:
    host = f"{region}.api.openai.com" if region else "api.openai.com"
    plain, there = ledger.booked(
        of(model, recently, **{"server.address": "api.openai.com"}),
        of(model, recently + 1, **{"server.address": host}),
    )

    assert there["completeness"] == "priced"
    assert there["cost_usd"] == plain["cost_usd"] * Decimal(factor)


def test_a_price_in_another_currency_follows_its_value(ledger: Ledger, recently: float) -> None:
    day = datetime.fromtimestamp(recently // 900 * 900, UTC)
    price = {"input_usd_per_token": Decimal("0.000001"), "output_usd_per_token": Decimal("0.000002")}
    put(
        ledger,
        CurrencyRate("EUR", day - timedelta(days=9), Decimal("1.08")),
        CurrencyRate("EUR", day, Decimal("1.1")),
        Override("openai", "gpt-5", price, valid_from=day - timedelta(days=1), currency="EUR"),
    )
    ledger.booked(call(day.timestamp() - 1, "a"), call(day.timestamp(), "b"))

    euros = Decimal("0.0012")
    assert cost(ledger) == {"a": euros * Decimal("1.08"), "b": euros * Decimal("1.1")}


def test_before_plus_the_audited_difference_is_after_in_every_group(ledger: Ledger, recently: float) -> None:
    ledger.settled(*(call(recently + n * 700, "ab"[n % 2], **{"spanledger.team": f"t{n % 3}"}) for n in range(12)))
    before = {tuple(row.values())[:4]: row["usd"] for row in ledger.rows(GROUPS)}
    price = Override("openai", "gpt-5", {"input_usd_per_token": Decimal("0.0000011111111111111111111")})
    audit = put(ledger, price, Term("acme", Decimal("33.333333")), Assignment("acme", tenant="a"))
    ledger.settle()
    after = {tuple(row.values())[:4]: row["usd"] for row in ledger.rows(GROUPS)}

    delta = {(row["tenant"], row["team"], row["provider"], row["model"]): row["delta_usd"] for row in audit}
    assert len(delta) == 6
    assert {group: before[group] + delta[group] for group in before} == after
    assert all(row["new_usd"] - row["old_usd"] == row["delta_usd"] != 0 for row in audit)
    assert sum(row["calls"] for row in audit) == 12


def test_an_alias_moves_calls_to_their_model_and_says_what_that_costs(ledger: Ledger, recently: float) -> None:
    ledger.settled(of("our-deployment", recently))
    audit = put(ledger, aliases=(Alias("openai", "our-deployment", "openai", "gpt-5", USER),))
    ledger.settle()

    assert [(row["model"], row["calls"], row["newly_priced_calls"], row["old_usd"]) for row in audit] == [
        ("gpt-5", 1, 1, 0)
    ]
    assert only(ledger.rows(GROUPS))["usd"] == sum(row["delta_usd"] for row in audit) > 0


def test_a_name_that_older_rules_resolved_wrongly_is_resolved_again_and_the_audit_says_so(
    ledger: Ledger, recently: float
) -> None:
    name = ("anthropic", "claude-opus-4-6-turbo")
    ledger.settled(of(name[1], recently, **{"gen_ai.provider.name": name[0]}))
    columns = ["provider_raw", "model_raw", "provider", "model", "source", "source_version", "rank"]
    rank = ledger.row("select max(rank) + 1 as rank from model_aliases")["rank"]
    wrong = [*name, "anthropic", "claude-opus-4-6", "genai-prices", list_version(), rank]
    ledger.client.insert("model_aliases", [wrong], column_names=columns)
    ledger.client.command("system reload dictionary alias_dict")
    before = ledger.row("select model, cost_usd from calls")
    report = install(ledger.client, note="upgrade")
    ledger.settle()

    assert (before["model"], before["cost_usd"] is None) == ("claude-opus-4-6", False)
    assert report.is_new
    assert ledger.row("select model, cost_usd from calls") == {"model": name[1], "cost_usd": None}
    history = "select model, newly_unknown_calls, delta_usd from repricing_history order by model"
    assert ledger.rows(history) == [
        {"model": "claude-opus-4-6", "newly_unknown_calls": 1, "delta_usd": -before["cost_usd"]},
        {"model": name[1], "newly_unknown_calls": 0, "delta_usd": 0},
    ]
    assert not install(ledger.client, note="again").is_new


def test_a_draft_changes_nothing_until_it_is_in_force_and_leaves_nothing_when_it_is_not(
    ledger: Ledger, recently: float
) -> None:
    ledger.settled(call(recently, "a"))
    drafted = draft(ledger.client, "test", entries=[Term("half", Decimal(50)), Assignment("half", tenant="a")])
    assert drafted
    [group] = preview(ledger.client, drafted)
    ledger.settle()
    during = cost(ledger)
    discard(ledger.client, drafted)

    assert (group.tenant, group.calls, group.old_usd, group.new_usd) == ("a", 1, LIST_USD, LIST_USD / 2)
    assert during == cost(ledger) == {"a": LIST_USD}
    assert read_agreed(ledger.client).terms == ()
    assert ledger.rows("select * from rate_segments where book > (select max(book) from price_books)") == []


def was_marked_long_ago(ledger: Ledger) -> None:
    """Give every mark the age that it has when prices change some time after the last call."""
    marks = "select minute, marked_at - interval 2 hour as marked_at from dirty_minutes final"
    rows = [list(row.values()) for row in ledger.rows(marks)]
    ledger.client.command("truncate table dirty_minutes")
    ledger.client.insert("dirty_minutes", rows, column_names=["minute", "marked_at"])


def marked(ledger: Ledger) -> list[float]:
    rows = ledger.rows(
        "select toUnixTimestamp(minute) as minute from dirty_minutes final where marked_at > now64(3) - interval 1 hour order by minute"
    )
    return [row["minute"] for row in rows]


def test_only_the_minutes_that_a_change_concerns_are_summed_again(ledger: Ledger, recently: float) -> None:
    ledger.settled(*(call(recently + 60 * n, "ab"[n % 2]) for n in range(6)))
    was_marked_long_ago(ledger)
    put(ledger, Term("half", Decimal(50)), Assignment("half", tenant="a"))

    assert marked(ledger) == [(recently + 60 * n) // 60 * 60 for n in (0, 2, 4)]


def test_a_change_that_concerns_no_call_has_nothing_summed_again(ledger: Ledger, recently: float) -> None:
    ledger.settled(call(recently), call(recently + 600))
    was_marked_long_ago(ledger)
    put(ledger, Override("openai", "gpt-4o", {"input_usd_per_token": Decimal("0.000001")}))
    put(ledger, Term("half", Decimal(50)), Assignment("half", tenant="nobody"))

    assert marked(ledger) == []


def test_calls_that_come_while_prices_change_are_summed_again_whatever_they_cost(
    ledger: Ledger, recently: float
) -> None:
    ledger.settled(call(recently))
    was_marked_long_ago(ledger)
    ledger.settled(call(recently + 600, "b"))
    put(ledger, Override("openai", "gpt-4o", {"input_usd_per_token": Decimal("0.000001")}))

    assert marked(ledger) == [(recently + 600) // 60 * 60]


def test_a_call_that_moves_to_another_model_is_counted_once_and_its_cost_on_both(
    ledger: Ledger, recently: float
) -> None:
    ledger.settled(call(recently, "a"))
    audit = put(ledger, aliases=(Alias("openai", "gpt-5", "openai", "gpt-4o", USER),))
    ledger.settle()

    assert [(row["model"], row["calls"], row["old_usd"] != 0, row["new_usd"] != 0) for row in audit] == [
        ("gpt-4o", 1, False, True),
        ("gpt-5", 0, True, False),
    ]
    assert only(ledger.rows(GROUPS))["usd"] == LIST_USD + sum(row["delta_usd"] for row in audit)


def test_a_preview_says_what_of_it_is_in_a_closed_month(ledger: Ledger, recently: float) -> None:
    before = (datetime.fromtimestamp(recently, UTC).replace(day=1) - timedelta(days=3)).timestamp() // 900 * 900
    ledger.settled(call(before, "a"), call(recently, "a"))
    month = datetime.fromtimestamp(before, UTC).date().replace(day=1)
    close_month(ledger.client, month, closed_by="fin")
    drafted = draft(ledger.client, "test", entries=[Term("half", Decimal(50)), Assignment("half", tenant="a")])
    assert drafted
    found = preview(ledger.client, drafted)
    apply(ledger.client, drafted, "tester")
    ledger.settle()

    assert {one.month: one.is_closed for one in found} == {
        month: True,
        datetime.fromtimestamp(recently, UTC).date().replace(day=1): False,
    }
    assert only(ledger.rows("select sum(adjustment_usd) as usd from statements")) == {"usd": -LIST_USD / 2}


def test_a_change_whose_command_was_killed_takes_effect_in_the_process_that_goes_on(
    ledger: Ledger, recently: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.settled(call(recently, "a"), of("our-deployment", recently + 600))
    was_marked_long_ago(ledger)
    monkeypatch.setattr("spanledger_collector.prices.repricing.finish_repricing", lambda _: None)
    alias = Alias("openai", "our-deployment", "openai", "gpt-5", USER)
    put(ledger, Term("half", Decimal(50)), Assignment("half", tenant="a"), aliases=(alias,))
    monkeypatch.undo()
    ledger.settle()

    assert sum(row["usd"] for row in ledger.rows(GROUPS)) == LIST_USD * Decimal("1.5")
    assert install(ledger.client, note="restart").is_new is False
    assert ledger.rows("select * from repriced_minutes") == []
