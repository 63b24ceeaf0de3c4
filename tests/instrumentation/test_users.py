"""With a key, no user id leaves as it is, whoever wrote it; with a key that does not work, none leaves at all."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.resources import Resource

from spanledger.attributes import USER_ATTRIBUTES
from spanledger.exporter import outbound_resource
from spanledger.settings import settings_from
from spanledger.users import Pseudonyms, pseudonyms_from

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from spanledger_collector.demo.vendor import VendorServer
    from tests.instrumentation.conftest import LedgerServer

KEY = "a key of sixteen bytes or more"
BOB = hmac.new(KEY.encode(), b"bob", hashlib.sha256).hexdigest()

APP = """
import openai, spanledger
from opentelemetry import trace
spanledger.instrument(SETTINGS)
with spanledger.tags(user="bob-4711"), openai.OpenAI() as client:
    client.chat.completions.create(model="gpt-5-mini", messages=[{"role": "user", "content": "hi"}], user="bob-4711")
    for name in ("enduser.id", "gen_ai.user", "langfuse.user.id"):
        trace.get_tracer("application").start_span("foreign", attributes={name: "bob-4711"}).end()
"""


def applied(**attributes: Any) -> dict[str, Any]:
    return dict(Pseudonyms(KEY.encode()).applied(attributes))


@pytest.mark.parametrize("name", USER_ATTRIBUTES)
def test_every_name_of_a_user_becomes_a_pseudonym(name: str) -> None:
    assert applied(**{name: "bob", "other": "bob"})[name] == BOB


def test_a_pseudonym_is_marked_and_stays_what_it_is() -> None:
    once = applied(**{"user.id": "bob", "enduser.id": "bob"})

    assert once == {"user.id": BOB, "enduser.id": BOB, "spanledger.user.pseudonym": BOB}
    assert applied(**{"user.id": BOB, "spanledger.user.pseudonym": BOB}) == {
        "user.id": BOB,
        "spanledger.user.pseudonym": BOB,
    }


def test_a_resource_says_no_more_of_a_user_than_a_span() -> None:
    given = {"user.id": "bob", "process.owner": "bob", "process.command_line": "app --user bob", "host.name": "h1"}
    resource = Resource({**given, "process.command_args": ["app", "bob"], "my.note": "bob " * 50})

    plain, hidden = outbound_resource(resource, None), outbound_resource(resource, Pseudonyms(KEY.encode()))

    assert dict(plain.attributes) == {"user.id": "bob", "process.owner": "bob", "host.name": "h1"}
    assert dict(hidden.attributes) == {
        "user.id": BOB,
        "spanledger.user.pseudonym": BOB,
        "process.owner": BOB,
        "host.name": "h1",
    }


def test_a_mark_hides_nothing_but_the_pseudonym_that_it_names() -> None:
    result = applied(**{"user.id": "bob", "gen_ai.user": "bob", "spanledger.user.pseudonym": "of somebody else"})

    assert result == {"user.id": BOB, "gen_ai.user": BOB, "spanledger.user.pseudonym": BOB}


def test_an_id_that_looks_like_a_pseudonym_is_made_one_all_the_same() -> None:
    sha256_of_a_mail_address = hashlib.sha256(b"bob@example.com").hexdigest()

    assert applied(**{"user.id": sha256_of_a_mail_address})["user.id"] != sha256_of_a_mail_address


def test_a_number_is_an_id_like_its_text() -> None:
    assert applied(**{"user.id": 7})["user.id"] == applied(**{"user.id": "7"})["user.id"]


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        ('{"model": "gpt-5-mini", "user": "bob", "metadata": {"user_id": "bob"}}', {"model": "gpt-5-mini"}),
        ('{"model": "gpt-5-mini", "user": "bo', {}),
        ('["bob"]', {}),
    ],
)
def test_the_arguments_of_a_call_as_one_text_lose_the_user(arguments: str, left: dict[str, str]) -> None:
    assert json.loads(applied(**{"llm.invocation_parameters": arguments})["llm.invocation_parameters"]) == left


def test_attributes_without_a_user_are_handed_on_as_they_are() -> None:
    attributes = {"gen_ai.request.model": "gpt-5-mini"}

    assert Pseudonyms(KEY.encode()).applied(attributes) is attributes


@pytest.mark.parametrize("key", ["", "  \n"])
def test_an_empty_key_lets_no_id_out_and_says_so_once(key: str, caplog: pytest.LogCaptureFixture) -> None:
    pseudonyms = pseudonyms_from(key)
    pseudonyms_from(key)

    assert pseudonyms is not None
    assert pseudonyms.applied({"user.id": "bob", "gen_ai.user": "bob", "other": 1}) == {"other": 1}
    assert [record.getMessage() for record in caplog.records] == [
        "spanledger: the user key is empty, so no user id is sent; set SPANLEDGER_USER_KEY"
    ]


def test_a_key_is_taken_without_the_line_end_of_its_file_and_a_short_one_is_warned_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    long, short = pseudonyms_from(KEY + "\n"), pseudonyms_from("short")

    assert long is not None
    assert long.of("bob") == BOB
    assert short is not None
    assert short.of("bob")
    assert ["has 5 bytes and can be guessed" in record.getMessage() for record in caplog.records] == [True]


def test_the_key_is_asked_for_by_setting_or_call_and_never_shown() -> None:
    assert settings_from({}, {}).user_key is None
    assert settings_from({"SPANLEDGER_USER_KEY": ""}, {}).user_key == ""
    given = settings_from({"SPANLEDGER_USER_KEY": "of the environment"}, {"user_key": KEY})
    assert given.user_key == KEY
    assert KEY not in repr(given)
    assert settings_from({}, {"user_key": 5}).user_key == ""


@pytest.mark.parametrize("key", [KEY, ""])
def test_no_span_that_reaches_the_ledger_says_who_the_user_is(
    key: str,
    run_app: Callable[..., subprocess.CompletedProcess[str]],
    vendor: VendorServer,
    ledger: LedgerServer,
) -> None:
    done = run_app(
        APP.replace("SETTINGS", f"user_key={key!r}"),
        OPENAI_BASE_URL=f"{vendor.url}/v1",
        SPANLEDGER_OTLP_ENDPOINT=ledger.url,
        OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="anthropic",
    )

    assert (done.returncode, len(ledger.spans)) == (0, 4)
    assert b"bob-4711" not in ledger.raw
    pseudonyms = {span.attributes.get("user.id") for span in ledger.spans}
    assert pseudonyms == ({hmac.new(KEY.encode(), b"bob-4711", hashlib.sha256).hexdigest()} if key else {None})
