"""The seam for a guard: it sees each call once, before it leaves, and may refuse it."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError
from typing import TYPE_CHECKING, Any

import anthropic
import openai
import pytest

import spanledger
from spanledger import calls
from tests.instrumentation.test_wrapper import CALLS, chat, chat_async, messages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spanledger_collector.demo.vendor import VendorServer
    from tests.instrumentation.conftest import Metered


@pytest.fixture
def guarded() -> Iterator[list[calls.CallRequest]]:
    seen: list[calls.CallRequest] = []
    calls.set_guard(seen.append)
    yield seen
    calls.set_guard(None)


@pytest.mark.parametrize("name", CALLS)
def test_the_guard_sees_each_call_once_before_it_leaves(
    name: str, guarded: list[calls.CallRequest], metered: Metered, vendor: VendorServer
) -> None:
    call, operation = CALLS[name]
    with spanledger.tags(team="search"):
        call(vendor)

    (seen,) = guarded
    assert (seen.model, seen.operation, seen.is_stream) == (
        "gpt-5-mini",
        operation,
        "stream" in name or "helper" in name,
    )
    assert seen.provider == ("anthropic" if "messages" in name else "openai")
    assert seen.host == vendor.url.removeprefix("http://")
    assert sum(seen.sizes.values()) == len("Be brief.Where is order 7?")
    assert seen.tags["spanledger.team"] == "search"
    assert seen.tags["spanledger.feature"] == "default-feature"
    assert len(vendor.requests) == 1


@pytest.mark.parametrize("name", CALLS)
def test_a_refused_call_sends_nothing_and_says_so_to_its_caller(
    name: str, guarded: list[calls.CallRequest], metered: Metered, vendor: VendorServer
) -> None:
    def refuse(_request: calls.CallRequest) -> None:
        raise spanledger.CallRefused("the budget of team search is spent")

    calls.set_guard(refuse)
    with pytest.raises(spanledger.CallRefused, match="budget of team search"):
        CALLS[name][0](vendor)

    assert vendor.requests == []
    assert all(span.is_error for span in metered.collect())


class BudgetSpent(spanledger.CallRefused):
    """A guard's own kind of refusal."""


@pytest.mark.parametrize(
    ("call", "error_type"),
    [(chat, openai.OpenAIError), (chat_async, openai.OpenAIError), (messages, anthropic.AnthropicError)],
)
def test_a_refusal_is_an_error_of_the_client_and_travels_to_processes_without_it(
    call: Callable[..., Any], error_type: type[Exception], guarded: Any, metered: Metered, vendor: VendorServer
) -> None:
    def refuse(_request: calls.CallRequest) -> None:
        raise BudgetSpent("team search", 7)

    calls.set_guard(refuse)
    with pytest.raises(error_type) as raised:
        call(vendor)
    with pytest.raises(BudgetSpent):
        call(vendor)

    travelled = pickle.loads(pickle.dumps(raised.value))  # noqa: S301 - our own
    assert isinstance(raised.value, BudgetSpent)
    assert (type(travelled), travelled.args) == (BudgetSpent, ("team search", 7))
    assert vendor.requests == []


def test_a_guard_that_calls_a_model_is_not_asked_about_its_own_call(
    guarded: list[calls.CallRequest], metered: Metered, vendor: VendorServer
) -> None:
    def ask_a_model(request: calls.CallRequest) -> None:
        guarded.append(request)
        messages(vendor)

    calls.set_guard(ask_a_model)
    chat(vendor)

    assert [request.provider for request in guarded] == ["openai"]
    assert len(vendor.requests) == 2


def test_a_guard_cannot_change_a_call(guarded: list[calls.CallRequest], metered: Metered, vendor: VendorServer) -> None:
    chat(vendor)

    (seen,) = guarded
    with pytest.raises(FrozenInstanceError):
        seen.model = "other"  # type: ignore[misc] # that is the point
    with pytest.raises(TypeError):
        seen.sizes["x"] = 1  # type: ignore[index] # that is the point


def test_a_guard_that_fails_is_told_once_and_stops_nothing(
    guarded: list[calls.CallRequest], metered: Metered, vendor: VendorServer, caplog: pytest.LogCaptureFixture
) -> None:
    calls.set_guard(lambda _request: 1 / 0)  # type: ignore[arg-type] # a broken one
    chat(vendor)
    chat(vendor)

    assert len(vendor.requests) == 2
    assert [record.message for record in caplog.records] == ["spanledger: the guard failed; the call goes on"]
