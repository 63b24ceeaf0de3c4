"""Settings come from the call, else SPANLEDGER_*, else OTEL_*, else the default."""

from __future__ import annotations

import pytest

from spanledger.exceptions import SettingsError
from spanledger.settings import Settings, settings_from

ELSEWHERE = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://otel:4318", "OTEL_EXPORTER_OTLP_HEADERS": "api-key=other"}


def test_nothing_said_means_the_collector_on_this_machine() -> None:
    assert settings_from({}, {}) == Settings()


def test_otel_variables_are_honoured() -> None:
    given = settings_from({**ELSEWHERE, "SPANLEDGER_TEAM": "search", "SPANLEDGER_TENANT": "acme"}, {})

    assert given == Settings(
        traces_url="http://otel:4318/v1/traces",
        logs_url="http://otel:4318/v1/logs",
        headers={"api-key": "other"},
        default_tags={"spanledger.tenant": "acme", "spanledger.team": "search"},
    )


def test_an_endpoint_for_one_signal_is_taken_as_it_is() -> None:
    given = settings_from({**ELSEWHERE, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://traces:4318/custom"}, {})

    assert (given.traces_url, given.logs_url) == ("http://traces:4318/custom", "http://otel:4318/v1/logs")


def test_the_ledgers_own_endpoint_wins_and_gets_none_of_the_others_headers() -> None:
    given = settings_from({**ELSEWHERE, "SPANLEDGER_OTLP_ENDPOINT": "https://ledger/"}, {})

    assert (given.traces_url, given.headers) == ("https://ledger/v1/traces", {})


def test_what_the_call_says_wins_over_the_environment() -> None:
    environ = {"SPANLEDGER_OTLP_ENDPOINT": "http://ledger", "SPANLEDGER_TEAM": "search"}
    given = settings_from(
        environ, {"endpoint": "http://call:1", "headers": {"Authorization": "Bearer x"}, "team": "support"}
    )

    assert given.traces_url == "http://call:1/v1/traces"
    assert given.headers == {"authorization": "Bearer x"}
    assert given.default_tags == {"spanledger.team": "support"}


def test_grpc_takes_the_bare_endpoint() -> None:
    given = settings_from(
        {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://otel:4317"}, {}
    )

    assert (given.protocol, given.traces_url) == ("grpc", "http://otel:4317")


@pytest.mark.parametrize(
    ("environ", "overrides", "message"),
    [
        ({"SPANLEDGER_OTLP_ENDPOINT": "ledger:4318"}, {}, "'ledger:4318' is not an address like http://"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, {}, "'http/json' is not supported; use one of http/protobuf"),
        ({}, {"team": 5}, "team=5: expected a non-empty string"),
        ({}, {"headers": "a=b"}, "headers='a=b': expected a mapping"),
    ],
)
def test_what_cannot_work_is_refused_with_its_key_and_value(
    environ: dict[str, str], overrides: dict[str, object], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        settings_from(environ, overrides)
