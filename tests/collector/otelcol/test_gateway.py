"""Who may send, for whom, and what the gateway does with users and with spans that are no calls."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import pytest

from spanledger_collector.listening import Tls
from spanledger_collector.server import EmbeddedServer
from tests.collector.otelcol.processes import (
    ACME,
    GLOBEX,
    PSEUDONYM,
    TRUSTED,
    USER,
    Process,
    Site,
    eventually,
    free_port,
    rows,
    served,
)
from tests.otlp import SpanSpec, chat, new_id, request

pytestmark = pytest.mark.e2e
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@dataclass(frozen=True)
class Served:
    """A gateway in front of a served ledger."""

    site: Site
    gateway: Process
    server: EmbeddedServer

    def post(self, spans: Iterable[SpanSpec], token: str, resource: dict[str, Any] | None = None) -> int:
        return self.site.post(self.gateway, request(spans, resource).body, token)

    def arrived(self, *spans: SpanSpec, columns: str = "SpanId") -> list[tuple[Any, ...]]:
        """Return what landed of the traces of some spans."""
        traces = ", ".join(f"'{span.trace_id}'" for span in spans)
        found = rows(
            self.server,
            f"select distinct SpanId, {columns} from otel_traces where TraceId in ({traces}) order by SpanId",
        )
        return [row[1:] for row in found]

    def eventually(self, *spans: SpanSpec) -> None:
        eventually(lambda: len(self.arrived(*spans)) >= len(spans), f"{len(spans)} spans")


@pytest.fixture(scope="module")
def served_gateway(
    binary: Path, certificate: Tls, tmp_path_factory: pytest.TempPathFactory, new_store: Callable[[], Path]
) -> Iterator[Served]:
    site, port = Site(binary, tmp_path_factory.mktemp("site"), certificate), free_port()
    gateway = site.gateway(port)
    with served(new_store(), port) as server:
        try:
            gateway.start()
            yield Served(site, gateway, server)
        finally:
            gateway.stop()


@pytest.mark.parametrize("token", ["", "wrong-token-0123456789", ACME + "x"])
def test_who_shows_no_token_that_is_known_is_refused(served_gateway: Served, recently: float, token: str) -> None:
    assert served_gateway.post([chat(recently)], token) == 401


def test_grpc_asks_for_the_same_tokens(served_gateway: Served, recently: float) -> None:
    call = chat(recently)
    trusted = grpc.ssl_channel_credentials(served_gateway.site.tls.certificate.read_bytes())
    with grpc.secure_channel(f"127.0.0.1:{served_gateway.gateway.ports['GRPC']}", trusted) as channel:
        export, body = channel.unary_unary(EXPORT), request([call]).body
        with pytest.raises(grpc.RpcError) as refused:
            export(body, metadata=[("authorization", "Bearer wrong-token-0123456789")], timeout=120)
        export(body, metadata=[("authorization", f"Bearer {ACME}")], timeout=120)
    served_gateway.eventually(call)

    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_the_credential_says_whose_a_call_is_and_nothing_of_what_the_sender_says_survives(
    served_gateway: Served, recently: float
) -> None:
    said = {"spanledger.tenant": "Mallory", "tenant.id": "Mallory", "tenant_id": "Mallory"}
    call = chat(recently, extra=said)
    assert served_gateway.post([call], GLOBEX, said) == 200
    served_gateway.eventually(call)

    (span,) = served_gateway.arrived(call, columns="SpanAttributes, ResourceAttributes, formatRow('JSONEachRow', *)")
    assert (span[0]["spanledger.tenant"], span[1]["spanledger.tenant"]) == ("Globex", "Globex")
    assert "Mallory" not in span[2]


def test_who_is_trusted_to_name_tenants_names_them(served_gateway: Served, recently: float) -> None:
    call = chat(recently, extra={"spanledger.tenant": "Initech"})
    assert served_gateway.post([call], TRUSTED) == 200
    served_gateway.eventually(call)

    assert served_gateway.arrived(call, columns="SpanAttributes['spanledger.tenant']") == [("Initech",)]


def test_tokens_are_read_again_when_they_change(served_gateway: Served, recently: float) -> None:
    site, new = served_gateway.site, "a-token-of-tomorrow-0123"
    tokens = site.tokens()
    assert served_gateway.post([chat(recently)], new) == 401
    with tokens.open("a") as file:
        file.write(f"{new} Umbrella\n")

    assert served_gateway.post([chat(recently)], new) == 200
    assert served_gateway.post([chat(recently)], ACME) == 200


def test_a_pseudonym_that_a_service_made_with_the_same_key_stays_what_it_is(
    served_gateway: Served, recently: float
) -> None:
    calls = [
        chat(recently, extra={"user.id": USER}),
        chat(recently, extra={"user.id": PSEUDONYM, "spanledger.user.pseudonym": PSEUDONYM}),
        chat(recently, extra={"user.id": USER, "spanledger.user.pseudonym": USER}),  # a lie
    ]
    assert served_gateway.post(calls, ACME) == 200
    served_gateway.eventually(*calls)

    assert served_gateway.arrived(*calls, columns="SpanAttributes['user.id']") == [(PSEUDONYM,)] * 3


def test_sampling_takes_context_and_no_call(served_gateway: Served, recently: float) -> None:
    web = SpanSpec(recently, recently + 1, {"http.route": "/"}, scope="a.web.framework", name="GET /")
    calls = [chat(recently, trace=web.trace), chat(recently)]
    others = [replace(web, trace=new_id(), span=new_id()) for _ in range(20)]
    failed = replace(web, trace=new_id(), span=new_id(), error=True)  # the configuration of the test keeps errors only
    assert served_gateway.post([*calls, web, *others, failed], ACME) == 200
    served_gateway.eventually(failed)  # so the others were decided, too

    assert served_gateway.arrived(web, *calls, *others, failed) == sorted((span.span_id,) for span in [*calls, failed])


def test_it_tells_prometheus_what_it_takes_and_what_waits(served_gateway: Served) -> None:
    metrics = served_gateway.gateway.metrics()

    assert "otelcol_receiver_accepted_spans" in metrics
    assert "otelcol_exporter_queue_size" in metrics
