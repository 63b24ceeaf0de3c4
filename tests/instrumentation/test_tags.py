"""Tags follow the work they were set for, and nothing else."""

from __future__ import annotations

import asyncio
import enum
import logging
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import pytest
from opentelemetry import baggage, trace

import spanledger
from spanledger import values
from spanledger.scopes import current_tags

if TYPE_CHECKING:
    from spanledger.values import TagValue
    from tests.instrumentation.conftest import Metered


class Plan(enum.Enum):
    GOLD = "gold"


class Level(enum.IntEnum):
    ONE = 1


def test_every_tag_has_the_attribute_of_the_contract() -> None:
    scope = spanledger.tags(
        team="a", feature="b", tenant="c", user="d", session="e", task="f", agent="g", agent_step="h"
    )

    with scope:
        in_force = dict(current_tags())
    assert in_force == {
        "spanledger.team": "a",
        "spanledger.feature": "b",
        "spanledger.tenant": "c",
        "user.id": "d",
        "session.id": "e",
        "spanledger.task": "f",
        "gen_ai.agent.name": "g",
        "spanledger.agent.step": "h",
    }


def test_an_inner_scope_wins_tag_by_tag_and_ends_with_its_block() -> None:
    with spanledger.tags(team="outer", tenant="acme"):
        with spanledger.tags(team="inner", tenant=None):
            inner = dict(current_tags())
        after = dict(current_tags())

    assert inner == {"spanledger.team": "inner", "spanledger.tenant": "acme"}
    assert after == {"spanledger.team": "outer", "spanledger.tenant": "acme"}
    assert current_tags() == {}


def test_tags_end_when_the_block_raises() -> None:
    with pytest.raises(LookupError), spanledger.tags(team="search"):
        raise LookupError

    assert current_tags() == {}


def test_concurrent_coroutines_keep_their_own_tags() -> None:
    @spanledger.tags(feature="chat")
    async def work(user: int) -> dict[str, str]:
        with spanledger.tags(user=user):
            await asyncio.sleep(0.001 * (user % 3))
            return dict(current_tags())

    async def all_of_them() -> list[dict[str, str]]:
        return await asyncio.gather(*(work(user) for user in range(20)))

    assert asyncio.run(all_of_them()) == [{"spanledger.feature": "chat", "user.id": str(user)} for user in range(20)]


def test_a_decorated_function_is_tagged_each_time_it_runs_and_may_call_itself() -> None:
    @spanledger.tags(team="search")
    def depth(left: int) -> list[str]:
        return [current_tags()["spanledger.team"], *(depth(left - 1) if left else [])]

    assert depth(2) == ["search"] * 3
    assert current_tags() == {}


def test_an_unknown_tag_is_a_type_error_on_the_callers_line() -> None:
    with pytest.raises(TypeError, match="depratment"):
        cast("Any", spanledger.tags)(depratment="search")


def test_a_value_of_a_wrong_type_is_left_out_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    with spanledger.tags(team=cast("Any", ["search"]), tenant="acme"), spanledger.tags(team=cast("Any", 1.5)):
        in_force = dict(current_tags())

    assert in_force == {"spanledger.tenant": "acme"}
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        "tags(team=...) is left out: expected a string, a number or a UUID, got list"
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7, "7"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (" padded ", "padded"),
        (Plan.GOLD, "gold"),
        (Level.ONE, "1"),
        ("\ud83d half", "? half"),
        ("x" * 128, "x" * 128),
        ("x" * 129, "x" * 128),
    ],
)
def test_a_value_becomes_a_string_of_at_most_128_characters(value: TagValue, text: str) -> None:
    with spanledger.tags(user=value):
        assert current_tags() == {"user.id": text}


@pytest.mark.parametrize(
    "value", [1.5, True, b"bytes", ["a"], {"a": 1}, 10**5000, object()], ids=lambda value: type(value).__name__
)
def test_no_value_stops_the_caller(value: object, caplog: pytest.LogCaptureFixture) -> None:
    with spanledger.tags(team=cast("Any", value), tenant="acme"):
        assert current_tags() == {"spanledger.tenant": "acme"}
    assert len(caplog.records) == 1


def test_a_tag_that_is_meant_for_few_values_and_gets_many_is_told_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(values._seen, "feature", set())
    for number in range(1500):
        spanledger.tags(feature=f"request-{number}", user=f"user-{number}", tenant=f"tenant-{number}")

    (warning,) = [record.getMessage() for record in caplog.records]
    assert warning.startswith("tags(feature=...) has more than 1000 different values; it is meant for few.")


def test_a_scope_is_entered_once() -> None:
    scope = spanledger.tags(team="search")

    with scope, pytest.raises(RuntimeError, match="already entered"):
        scope.__enter__()


def test_tags_are_no_baggage() -> None:
    with spanledger.tags(team="search", user="bob"):
        assert baggage.get_all() == {}


def test_tags_and_defaults_are_on_every_span_and_a_spans_own_word_wins(metered: Metered) -> None:
    tracer = trace.get_tracer("application")
    with spanledger.tags(team="search", agent="outer", user="bob"):
        tracer.start_span("plain").end()
        tracer.start_span(
            "agent", attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "inner"}
        ).end()

    plain, agent = metered.collect()
    assert plain.attributes == {
        "spanledger.team": "search",
        "spanledger.feature": "default-feature",
        "gen_ai.agent.name": "outer",
        "user.id": "bob",
    }
    assert agent.attributes["gen_ai.agent.name"] == "inner"
