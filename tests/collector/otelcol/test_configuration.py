"""What the Collector accepts as a configuration, and what it refuses to start with."""

from pathlib import Path

import pytest

from tests.collector.otelcol.processes import ACME, CONFIGURATIONS, Site, written

pytestmark = pytest.mark.e2e
OIDC = {"OTELCOL_OIDC_ISSUER": "https://idp.example/realms/otel"}


def test_gateway_agent_and_the_alternative_with_oidc_are_valid(site: Site) -> None:
    gateway = site.gateway(8123)
    agent = site.agent(gateway, ACME)
    oidc = site.gateway(8123, CONFIGURATIONS / "oidc.yaml")
    oidc.environment = {**oidc.environment, **OIDC}

    for process in (gateway, agent, oidc):
        found = process.validate()
        assert found.returncode == 0, found.stderr


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("OTELCOL_USER_KEY", "", "user_key_file: name the file with the key of user pseudonyms"),
        ("OTELCOL_USER_KEY", "\n", "holds 0 bytes and can be guessed"),
        ("OTELCOL_USER_KEY", "too short\n", "holds 9 bytes and can be guessed"),
        ("OTELCOL_TOKENS", "short acme\n", "begins with no token"),
        ("OTELCOL_TOKENS", f"{ACME} one\n{ACME} two\n", "repeats a token"),
        ("OTELCOL_TOKENS", "# nobody\n", "has none"),
    ],
)
def test_without_a_key_or_tokens_it_does_not_start(site: Site, name: str, content: str, said: str) -> None:
    gateway = site.gateway(8123)
    path = str(written(site.folder / "given", content)) if content else ""
    gateway.environment = {**gateway.environment, name: path}

    with pytest.raises(AssertionError) as failure:
        gateway.start()

    assert said in str(failure.value)
    assert ACME not in str(failure.value)


def test_tokens_that_others_can_read_are_refused(site: Site) -> None:
    gateway = site.gateway(8123)
    Path(gateway.environment["OTELCOL_TOKENS"]).chmod(0o644)

    with pytest.raises(AssertionError, match=r"can be read by others \(mode 0644\): chmod 600"):
        gateway.start()
