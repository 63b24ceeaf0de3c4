"""Names seen in telemetry get their name in the price book, once per version of the list."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from clickhouse_connect.driver.client import Client

from spanledger_collector.prices.aliases import resolve_new
from spanledger_collector.prices.book import set_override
from spanledger_collector.prices.extract import PriceList
from spanledger_collector.prices.overrides import Override

NAMES = ("provider_raw", "model_raw")
PRICES = {"input_usd_per_token": Decimal("0.000001"), "output_usd_per_token": Decimal("0.000002")}


@pytest.fixture(autouse=True)
def fresh(client: Client) -> Iterator[None]:
    yield
    for table in ("model_names", "model_aliases", "price_overrides"):
        client.command(f"truncate table {table}")
    client.command("system reload dictionary alias_dict")


def seen(client: Client, *names: tuple[str, str]) -> None:
    client.insert("model_names", names, column_names=NAMES)


def alias(client: Client, provider_raw: str, model_raw: str) -> tuple[str, str]:
    query = "select dictGet('alias_dict', ('provider', 'model'), ({p:String}, {m:String})) as found, found.1, found.2"
    [(_, provider, model)] = client.query(query, parameters={"p": provider_raw, "m": model_raw}).result_rows
    return provider, model


def test_new_names_are_resolved_and_unknown_ones_written_down_too(client: Client) -> None:
    seen(client, ("openai", "gpt-5-2025-08-07"), ("aws.bedrock", "nonsense"), ("openai", "gpt-5-2025-08-07"))

    assert len(resolve_new(client)) == 1
    assert alias(client, "openai", "gpt-5-2025-08-07") == ("openai", "gpt-5")
    assert alias(client, "aws.bedrock", "nonsense") == ("aws", "")


def test_asking_again_writes_nothing(client: Client) -> None:
    seen(client, ("openai", "gpt-5"), ("openai", "nonsense"))
    resolve_new(client)
    rows = client.query("select count() from model_aliases").result_rows

    assert len(resolve_new(client)) == 0
    assert client.query("select count() from model_aliases").result_rows == rows


def test_a_name_that_an_override_knows_stands_for_itself(client: Client, listed: PriceList) -> None:
    seen(client, ("azure.ai.openai", "prod-chat"), ("vllm", "our-llama"))

    assert len(resolve_new(client)) == 0
    set_override(client, Override("azure", "prod-chat", PRICES), prices=listed)
    set_override(client, Override("vllm", "our-llama", PRICES), prices=listed)
    assert len(resolve_new(client)) == 2
    assert alias(client, "azure.ai.openai", "prod-chat") == ("azure", "prod-chat")
    assert alias(client, "vllm", "our-llama") == ("vllm", "our-llama")


def test_what_a_user_said_stands(client: Client) -> None:
    columns = (*NAMES, "provider", "model", "source", "source_version", "rank")
    client.insert("model_aliases", [("openai", "gpt-5", "azure", "gpt-5", "user", "", 2**62)], column_names=columns)
    seen(client, ("openai", "gpt-5"))

    assert len(resolve_new(client)) == 0
    client.command("system reload dictionary alias_dict")
    assert alias(client, "openai", "gpt-5") == ("azure", "gpt-5")


def test_a_new_version_of_the_list_is_asked_again_and_counts_what_changed(client: Client) -> None:
    columns = (*NAMES, "provider", "model", "source", "source_version", "rank")
    old = [
        ("openai", "gpt-5", "openai", "gpt-5", "genai-prices", "0.0.1", 1),
        ("openai", "gpt-5.1", "openai", "", "genai-prices", "0.0.1", 1),
    ]
    client.insert("model_aliases", old, column_names=columns)
    seen(client, ("openai", "gpt-5"), ("openai", "gpt-5.1"))

    assert len(resolve_new(client, now=lambda: datetime(2026, 1, 1, tzinfo=UTC))) == 1
    assert alias(client, "openai", "gpt-5.1") == ("openai", "gpt-5.1")
    assert len(resolve_new(client)) == 0
