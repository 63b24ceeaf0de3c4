"""The book for people: per million tokens, exact, dated."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from clickhouse_connect.driver.client import Client

from spanledger_collector.exceptions import PriceError
from spanledger_collector.prices.book import install, set_override
from spanledger_collector.prices.extract import PriceList
from spanledger_collector.prices.overrides import Override
from spanledger_collector.prices.segments import END, START
from spanledger_collector.prices.show import list_prices, show

SPRING, SUMMER = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def priced(client: Client, listed: PriceList) -> Client:
    install(client, note="test", prices=listed)
    cheaper = {"input_usd_per_token": Decimal("0.000001")}
    set_override(client, Override("openai", "gpt-5", cheaper, SPRING, SUMMER, note="credit"), prices=listed)
    return client


def test_a_model_is_shown_with_its_whole_history(priced: Client) -> None:
    lines = [line for line in show(priced, "openai", "gpt-5") if not line.context]

    assert [(line.valid_from, line.valid_to, line.source, line.prices["input_usd_per_mtok"]) for line in lines] == [
        (START, SPRING, "genai-prices", Decimal("1.25")),
        (SPRING, SUMMER, "override", Decimal(1)),
        (SUMMER, END, "genai-prices", Decimal("1.25")),
    ]


def test_prices_are_written_without_needless_digits(priced: Client) -> None:
    line = show(priced, "openai", "gpt-5")[0]

    assert str(line.prices["output_usd_per_mtok"]) == "10"
    assert str(line.prices["input_usd_per_mtok"]) == "1.25"
    assert str(line.prices["web_search_usd"]) == "0.01"
    assert str(line.prices["request_usd"]) == "0"


def test_a_model_is_shown_by_any_of_its_names(priced: Client) -> None:
    assert show(priced, "openai", "gpt-5-2025-08-07") == show(priced, "openai", "gpt-5")


def test_tiers_and_times_of_day_are_lines_of_their_own(priced: Client) -> None:
    tiers = [line.above_tokens for line in show(priced, "google", "gemini-2.5-pro") if not line.context]
    times = [(line.from_minute, line.to_minute) for line in show(priced, "deepseek", "deepseek-chat")]

    assert tiers == [0, 200_000]
    assert times == [(0, 30), (30, 990), (990, 1440)]


def test_a_model_that_the_book_does_not_have_is_refused_with_a_suggestion(priced: Client) -> None:
    with pytest.raises(PriceError, match=r"no price for openai/gpt-5-minni\. Did you mean .*gpt-5-mini"):
        show(priced, "openai", "gpt-5-minni")


def test_a_provider_that_the_book_does_not_have_is_refused(priced: Client) -> None:
    with pytest.raises(PriceError, match=r"no price for nobody/x\. `spanledger prices list` shows"):
        show(priced, "nobody", "x")


def test_the_list_holds_what_is_valid_at_a_time(priced: Client) -> None:
    def input_usd_per_mtok(at: datetime) -> list[Decimal]:
        lines = list_prices(priced, provider="openai", model="gpt-5", at=at)
        return [line.prices["input_usd_per_mtok"] for line in lines if not line.context]

    assert input_usd_per_mtok(SPRING) == [Decimal(1)]
    assert input_usd_per_mtok(SUMMER) == [Decimal("1.25")]


def test_the_list_of_a_provider_is_found_by_any_of_its_names(priced: Client) -> None:
    assert list_prices(priced, provider="x_ai", at=SPRING) == list_prices(priced, provider="x-ai", at=SPRING) != []


def test_the_list_is_of_now_unless_told_otherwise(priced: Client) -> None:
    assert list_prices(priced, model="gpt-5", now=lambda: SPRING) == list_prices(priced, model="gpt-5", at=SPRING)


def test_the_list_of_everything_has_every_priced_model(priced: Client, listed: PriceList) -> None:
    lines = list_prices(priced, at=SPRING)

    assert {(line.provider, line.model) for line in lines} == {
        (one.key.provider, one.key.model) for one in listed.segments if one.valid_from <= SPRING < one.valid_to
    }
