"""The Collector keeps out what the SDK keeps in: one table of names, made from the SDK's."""

import re

import pytest

from tests.collector.otelcol.names import FILE, read_by_the_ledger, written
from tests.collector.otelcol.processes import CONFIGURATIONS

pytestmark = pytest.mark.skipif(not FILE.exists(), reason="needs the checkout: collector/otelcol")


def test_the_table_of_the_collector_is_that_of_the_sdk_and_the_ledger() -> None:
    assert FILE.read_text("utf-8") == written(), "run `python -m tests.collector.otelcol.names`"


def test_whatever_the_ledger_reads_as_a_count_or_a_cost_makes_a_span_go_around_the_sampling() -> None:
    text = (CONFIGURATIONS / "gateway.yaml").read_text("utf-8")
    (listed,) = re.findall(r"    attributes: \[(.*?)\]", text, re.DOTALL)
    beginnings = tuple(listed.replace(",", " ").split())
    money = re.compile(r"\w*_tokens|json|reported_cost_usd|web_searches")
    # Codex's plain names count only on its own spans, which go by their scope.
    codex = {
        "cache_write_token_count",
        "cached_token_count",
        "input_token_count",
        "output_token_count",
        "reasoning_token_count",
    }

    left = {name for name, field in read_by_the_ledger() if money.fullmatch(field) and not name.startswith(beginnings)}

    assert left == codex
    assert "spanledger.tenant" not in beginnings  # every span has it by then
