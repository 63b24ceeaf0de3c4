"""The Collector keeps out what the SDK keeps in: one table of names, made from the SDK's."""

import pytest

from tests.collector.otelcol.names import FILE, written

pytestmark = pytest.mark.skipif(not FILE.exists(), reason="needs the checkout: collector/otelcol")


def test_the_table_of_the_collector_is_that_of_the_sdk_and_the_ledger() -> None:
    assert FILE.read_text("utf-8") == written(), "run `python -m tests.collector.otelcol.names`"
