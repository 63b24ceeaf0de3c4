"""The gateway with OpenID Connect: whose tokens it takes, and whose the calls are that they bring."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import jwt
import pytest

from spanledger_collector.listening import Tls
from tests.collector.otelcol.openid import Provider, new_key
from tests.collector.otelcol.processes import CONFIGURATIONS, Process, Site, free_port, served
from tests.collector.otelcol.test_gateway import Served
from tests.otlp import chat

pytestmark = pytest.mark.e2e
WRONG: dict[str, Callable[[Provider], str]] = {
    "none": lambda _: "",
    "no token at all": lambda _: "abc.def.ghi",
    "expired": lambda provider: provider.token(exp=int(time.time()) - 1),
    "never ends": lambda provider: provider.token(exp=None),
    "of another audience": lambda provider: provider.token(aud="another"),
    "without an audience": lambda provider: provider.token(aud=None),
    "of another issuer": lambda provider: provider.token(iss="https://idp.example"),
    "of another key": lambda provider: provider.token(key=new_key()),
    "of a key that nobody knows": lambda provider: provider.token("unknown", new_key()),
    "not signed": lambda provider: jwt.encode(provider.claims(), "", "none"),
    "signed with a word": lambda provider: jwt.encode(provider.claims(), "a word that is shared by two, 32", "HS256"),
}


@pytest.fixture(scope="module")
def provider(certificate: Tls) -> Iterator[Provider]:
    with Provider(certificate) as provider:
        yield provider


def with_oidc(site: Site, provider: Provider, port: int) -> Process:
    gateway = site.gateway(port, CONFIGURATIONS / "oidc.yaml")
    own = {name: value for name, value in gateway.environment.items() if name != "OTELCOL_TOKENS"}
    gateway.environment = own | {
        "OTELCOL_OIDC_ISSUER": provider.origin,
        "OTELCOL_OIDC_CA": str(site.tls.certificate),
    }
    return gateway


@pytest.fixture(scope="module")
def gateway(
    binary: Path,
    certificate: Tls,
    provider: Provider,
    tmp_path_factory: pytest.TempPathFactory,
    new_store: Callable[[], Path],
) -> Iterator[Served]:
    site, port = Site(binary, tmp_path_factory.mktemp("site"), certificate), free_port()
    process = with_oidc(site, provider, port)
    with served(new_store(), port) as server:
        try:
            process.start()
            yield Served(site, process, server)
        finally:
            process.stop()


def test_the_claim_says_whose_a_call_is_and_nothing_of_what_the_sender_says_survives(
    gateway: Served, provider: Provider, recently: float
) -> None:
    said = {"spanledger.tenant": "Mallory", "tenant.id": "Mallory", "tenant_id": "Mallory"}
    call = chat(recently, extra=said)
    assert gateway.post([call], provider.token(names_tenants=True), said) == 200
    gateway.eventually(call)

    (span,) = gateway.arrived(call, columns="SpanAttributes, ResourceAttributes, formatRow('JSONEachRow', *)")
    assert (span[0]["spanledger.tenant"], span[1]["spanledger.tenant"]) == ("Globex", "Globex")
    assert "Mallory" not in span[2]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_token_that_is_not_the_providers_for_us_and_for_now_is_refused(
    gateway: Served, provider: Provider, recently: float, wrong: str
) -> None:
    assert gateway.post([chat(recently)], WRONG[wrong](provider)) == 401


@pytest.mark.parametrize("tenant", [None, "", 7, ["Globex"]])
def test_a_token_that_names_no_tenant_is_refused(
    gateway: Served, provider: Provider, recently: float, tenant: object
) -> None:
    said = {"spanledger.tenant": "Mallory"}

    assert gateway.post([chat(recently, extra=said)], provider.token(tenant=tenant), said) == 403


def test_a_new_key_of_the_provider_is_known_without_a_restart(
    gateway: Served, provider: Provider, recently: float
) -> None:
    provider.keys["second"] = new_key()

    assert gateway.post([chat(recently)], provider.token("second")) == 200
    assert gateway.post([chat(recently)], provider.token("first")) == 200


def test_no_token_is_logged(gateway: Served, provider: Provider, recently: float) -> None:
    shown = provider.token(aud="another"), provider.token(tenant=None), provider.token()
    for token in shown:
        gateway.post([chat(recently)], token)

    log = gateway.gateway.log.read_text()
    assert "token verification failed" in log
    assert [token for token in shown if token in log or token.split(".")[1] in log] == []


def test_without_its_provider_it_does_not_start(site: Site, provider: Provider) -> None:
    gateway = with_oidc(site, provider, free_port())
    away = f"https://127.0.0.1:{free_port()}"
    gateway.environment = {**gateway.environment, "OTELCOL_OIDC_ISSUER": away}

    with pytest.raises(AssertionError) as failure:
        gateway.start()

    assert f'failed to create OIDC provider for \\"{away}\\"' in str(failure.value)
