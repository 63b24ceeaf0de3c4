"""Contexts of prices have one spelling, and those that no call has are refused."""

import pytest

from spanledger_collector.exceptions import PriceError
from spanledger_collector.prices.contexts import canonical_context


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("", ""),
        ("service_tier=flex", "service_tier=flex"),
        ("service_tier = Flex", "service_tier=flex"),
        ("speed=fast,service_tier=priority", "service_tier=priority,speed=fast"),
        ("region=eu,service_tier=priority", "service_tier=priority,region=eu"),
        ("service_tier=batch", "processing=batch"),
        ("processing=batch,service_tier=batch", "processing=batch"),
        ("service_tier=default", ""),
        ("route=mistral/EU,", "route=mistral/eu"),
    ],
)
def test_a_context_gets_the_spelling_that_calls_have(written: str, meant: str) -> None:
    assert canonical_context(written) == meant
    assert canonical_context(meant) == meant


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("flex", "is not KEY=VALUE"),
        ("tier=flex", "Did you mean service_tier"),
        ("colour=red", "There are: processing, route"),
        ("service_tier=flex,service_tier=priority", "says service_tier twice"),
        ("processing=night", "processing is batch"),
        ("region=eu-central-1", "region is us or eu or regional"),
    ],
)
def test_a_context_that_no_call_has_is_refused(written: str, said: str) -> None:
    with pytest.raises(PriceError, match=said):
        canonical_context(written)
