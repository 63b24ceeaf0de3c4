"""The OTLP exporters to the ledger endpoint, over HTTP or gRPC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from spanledger.attributes import VERSION
from spanledger.exceptions import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk._logs.export import LogRecordExporter
    from opentelemetry.sdk.trace.export import SpanExporter

    from spanledger.settings import Settings

__all__ = ["log_exporter", "span_exporter"]


def span_exporter(settings: Settings) -> SpanExporter:
    """Return the exporter of spans to the ledger; raises SettingsError when gRPC is asked for and not installed."""
    if settings.protocol == "grpc":
        return _grpc_span_exporter(settings)
    return OTLPSpanExporter(endpoint=settings.traces_url, session=_LedgerSession(settings.headers))


def log_exporter(settings: Settings) -> LogRecordExporter:
    """Return the exporter of log events to the ledger; raises SettingsError as span_exporter does."""
    if settings.protocol == "grpc":
        return _grpc_log_exporter(settings)
    return OTLPLogExporter(endpoint=settings.logs_url, session=_LedgerSession(settings.headers))


class _LedgerSession(requests.Session):
    """Sends the settings' headers only.

    The exporter adds OTEL_EXPORTER_OTLP_HEADERS to whatever endpoint it is given. Those may be the key of another
    back end, which must not reach the ledger.
    """

    _PROTOCOL_HEADERS = frozenset({"content-type", "content-encoding", "user-agent"})

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__()
        self._ledger_headers = dict(headers)

    def request(self, method: str, url: str, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        given = kwargs.pop("headers", None) or {}
        protocol = {key: value for key, value in given.items() if key.lower() in self._PROTOCOL_HEADERS}
        return super().request(method, url, headers={**protocol, **self._ledger_headers}, **kwargs)


def _grpc_span_exporter(settings: Settings) -> SpanExporter:
    try:
        from opentelemetry.exporter.otlp.proto.grpc import trace_exporter  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise _grpc_is_missing() from error
    return trace_exporter.OTLPSpanExporter(
        endpoint=settings.traces_url, insecure=_is_insecure(settings), headers=_grpc_headers(settings)
    )


def _grpc_log_exporter(settings: Settings) -> LogRecordExporter:
    try:
        from opentelemetry.exporter.otlp.proto.grpc import _log_exporter  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise _grpc_is_missing() from error
    return _log_exporter.OTLPLogExporter(
        endpoint=settings.logs_url, insecure=_is_insecure(settings), headers=_grpc_headers(settings)
    )


def _grpc_is_missing() -> SettingsError:
    return SettingsError("OTLP protocol 'grpc' is not installed; run: pip install 'spanledger[grpc]'")


def _is_insecure(settings: Settings) -> bool:
    return settings.traces_url.startswith("http://")


def _grpc_headers(settings: Settings) -> dict[str, str]:
    # Never empty: for an empty value the exporter falls back to OTEL_EXPORTER_OTLP_HEADERS (see _LedgerSession).
    return {"x-spanledger-sdk-version": VERSION, **settings.headers}
