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


@pytest.mark.parametrize(
    "url",
    ["http://a b", "http://ledger\n:4318", "http://led\tger", "http://[::1", "http://ledger:port", "http://:4318"],
)
def test_an_address_with_something_in_it_that_cannot_be_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="is not an address like http://"):
        settings_from({}, {"endpoint": url})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("SPANLEDGER_EXIT_TIMEOUT_S", "soon", "SPANLEDGER_EXIT_TIMEOUT_S='soon': expected a number above zero"),
        ("SPANLEDGER_EXIT_TIMEOUT_S", "-1", "SPANLEDGER_EXIT_TIMEOUT_S='-1': expected a number above zero"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0", "OTEL_BSP_MAX_QUEUE_SIZE='0': expected a number above zero"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "inf", "OTEL_EXPORTER_OTLP_TIMEOUT='inf': expected a number above zero"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zip", "OTEL_EXPORTER_OTLP_COMPRESSION='zip': use one of none, gzip"),
    ],
)
def test_a_number_or_a_word_that_cannot_be_is_refused_with_its_variable(name: str, value: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        settings_from({name: value}, {})


def test_how_telemetry_is_sent_follows_otels_variables() -> None:
    given = settings_from(
        {
            "OTEL_EXPORTER_OTLP_TIMEOUT": "3",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "GZIP",
            "OTEL_EXPORTER_OTLP_CERTIFICATE": "authority.pem",
            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": "own.pem",
            "OTEL_EXPORTER_OTLP_CLIENT_KEY": "own.key",
            "OTEL_BSP_MAX_QUEUE_SIZE": "10",
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "5",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "SPANLEDGER_EXIT_TIMEOUT_S": "0",
        },
        {},
    )

    assert given == Settings(
        timeout_s=3,
        compression="gzip",
        certificate_file="authority.pem",
        client_certificate=("own.pem", "own.key"),
        queue_spans_max=10,
        batch_spans_max=5,
        delay_s=0.2,
        exit_timeout_s=0,
        exit_answer_timeout_s=0,
    )
