"""Books in a real database: written once, reloaded at once, numbered for good."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from clickhouse_connect.driver.client import Client

from spanledger_collector.exceptions import PriceError
from spanledger_collector.prices.book import BookReport, install, set_override
from spanledger_collector.prices.extract import PriceList
from spanledger_collector.prices.overrides import Override
from spanledger_collector.prices.tables import read_head, read_rates

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SPRING, SUMMER = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 6, 1, 8, 15, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def fresh(client: Client) -> Iterator[None]:
    yield
    for table in ("rates", "rate_segments", "price_books", "price_overrides"):
        client.command(f"truncate table {table}")


@pytest.fixture
def small(listed: PriceList) -> PriceList:
    names = {("openai", "gpt-5"), ("openai", "gpt-5-mini"), ("anthropic", "claude-sonnet-4-5")}
    return PriceList(listed.version, tuple(s for s in listed.segments if (s.key.provider, s.key.model) in names), ())


def input_usd(client: Client, at: datetime, model: str = "gpt-5", contract: str = "") -> Decimal:
    query = (
        "select dictGet('rate_dict', 'input_usd_per_token', toUInt64("
        "spanledger_rate_of({contract:String}, 'openai', {model:String}, '', toDateTime({at:UInt32}, 'UTC'), 1)))"
    )
    parameters = {"contract": contract, "model": model, "at": int(at.timestamp())}
    return Decimal(client.query(query, parameters=parameters).result_rows[0][0])


def override(price: str, *, start: datetime = SPRING, end: datetime = SUMMER, contract: str = "") -> Override:
    return Override("openai", "gpt-5", {"input_usd_per_token": Decimal(price)}, start, end, contract)


def priced(client: Client, listed: PriceList, one: Override, *, force: bool = False) -> BookReport:
    return set_override(client, one, prices=listed, force=force, now=lambda: NOW)


def changed_models(report: BookReport) -> set[tuple[str, str]]:
    return {(change.key.provider, change.key.model) for change in report.changes}


def test_the_first_book_says_that_every_model_changed(client: Client, small: PriceList) -> None:
    report = install(client, note="first", prices=small, now=lambda: NOW)

    assert (report.book, report.is_new, report.segments) == (1, True, len(small.segments))
    assert changed_models(report) == {(s.key.provider, s.key.model) for s in small.segments}
    assert client.query(
        "select book, source, source_version, segments, overrides, note from price_books"
    ).result_rows == [(1, "genai-prices", small.version, len(small.segments), 0, "first")]


def test_a_provider_with_a_slip_of_the_pen_is_refused_unless_forced(client: Client, small: PriceList) -> None:
    install(client, note="first", prices=small)
    slip = replace(override("0.000001"), provider="opnai")

    with pytest.raises(PriceError, match=r"no provider 'opnai'. Did you mean openai"):
        priced(client, small, slip)
    assert read_head(client).book == 1


def test_installing_again_writes_nothing(client: Client, small: PriceList) -> None:
    install(client, note="first", prices=small)
    rows = client.query("select count() from rate_segments").result_rows
    again = install(client, note="again", prices=small)

    assert (again.book, again.is_new, again.new_rates, again.changes) == (1, False, 0, ())
    assert client.query("select count() from rate_segments").result_rows == rows


def test_a_new_version_of_the_list_makes_a_book_and_keeps_the_numbers(client: Client, small: PriceList) -> None:
    install(client, note="first", prices=small)
    before = read_rates(client)
    report = install(client, note="update", prices=PriceList("9.9.9", small.segments, ()))

    assert (report.book, report.is_new, report.changes) == (2, True, ())
    assert read_rates(client) == before


def test_an_interrupted_installation_is_done_again_under_a_fresh_number(client: Client, small: PriceList) -> None:
    install(client, note="first", prices=small)
    client.command("insert into rate_segments select * replace (2 as book) from rate_segments where model = 'gpt-5'")

    assert priced(client, small, override("0.000002")).book == 3
    assert input_usd(client, SPRING) == Decimal("0.000002")


def test_an_override_holds_from_its_first_second_until_before_its_last(client: Client, small: PriceList) -> None:
    install(client, note="first", prices=small)
    list_usd = input_usd(client, SPRING)
    report = priced(client, small, override("0.000002"))

    assert changed_models(report) == {("openai", "gpt-5")}
    assert [input_usd(client, at) for at in (SPRING - SECOND, SPRING, SUMMER - SECOND, SUMMER)] == [
        list_usd,
        Decimal("0.000002"),
        Decimal("0.000002"),
        list_usd,
    ]


def test_a_price_without_a_successor_ends_before_its_last_second(client: Client, small: PriceList) -> None:
    prices = {"input_usd_per_token": Decimal("0.000002"), "output_usd_per_token": Decimal(0)}
    priced(client, small, Override("openai", "our-own", prices, SPRING, SUMMER))

    assert [input_usd(client, at, "our-own") for at in (SPRING - SECOND, SPRING, SUMMER - SECOND, SUMMER)] == [
        Decimal(0),
        Decimal("0.000002"),
        Decimal("0.000002"),
        Decimal(0),
    ]


def test_an_override_of_one_model_leaves_the_others_alone(client: Client, small: PriceList) -> None:
    install(client, note="first", prices=small)
    before = input_usd(client, SPRING, "gpt-5-mini")
    priced(client, small, override("0.000002"))

    assert input_usd(client, SPRING, "gpt-5-mini") == before


def test_a_newer_override_beats_an_older_one_set_in_the_same_millisecond(client: Client, small: PriceList) -> None:
    for price in ("0.000002", "0.000003", "0.000004"):
        priced(client, small, override(price))

    assert input_usd(client, SPRING) == Decimal("0.000004")


def test_a_contract_pays_its_own_price_and_nobody_else_does(client: Client, small: PriceList) -> None:
    priced(client, small, override("0.000002", contract="acme"))

    assert input_usd(client, SPRING, contract="acme") == Decimal("0.000002")
    assert input_usd(client, SPRING) == Decimal("0.00000125")
    assert input_usd(client, SUMMER, contract="acme") == Decimal("0.00000125")


def test_a_withdrawn_override_gives_the_old_rate_back_under_its_old_number(client: Client, small: PriceList) -> None:
    install(client, note="first", prices=small)
    first = client.query("select rate_ids from rate_segments where book = 1 order by all").result_rows
    priced(client, small, override("0.000002"))
    report = priced(client, small, Override("openai", "gpt-5", {}))

    assert report.new_rates == 0
    assert client.query("select rate_ids from rate_segments where book = 3 order by all").result_rows == first


def test_numbers_are_not_used_again_after_an_override_is_gone(client: Client, small: PriceList) -> None:
    install(client, note="first", prices=small)
    priced(client, small, override("0.000002"))
    highest = max(read_rates(client).values())
    priced(client, small, Override("openai", "gpt-5", {}))
    priced(client, small, override("0.000003"))

    assert max(read_rates(client).values()) == highest + 1


def test_a_refused_override_leaves_no_trace(client: Client, small: PriceList) -> None:
    with pytest.raises(PriceError, match="per million"):
        priced(client, small, override("1.25"))

    assert client.query("select count() from price_overrides").result_rows == [(0,)]


def test_an_override_by_another_name_of_a_model_is_refused_and_told_the_right_one(
    client: Client, small: PriceList
) -> None:
    with pytest.raises(PriceError, match="openai/gpt-5-2025-08-07 is openai/gpt-5 in the price book"):
        priced(client, small, Override("openai", "gpt-5-2025-08-07", {"input_usd_per_token": Decimal(0)}))


def test_an_override_keeps_every_digit(client: Client, small: PriceList) -> None:
    exact = Decimal("0.000001234567890123456789")
    priced(client, small, override(str(exact)))

    assert input_usd(client, SPRING) == exact
