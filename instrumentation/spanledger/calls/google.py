"""Google's google-genai client, for Gemini's own interface and for Vertex AI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import wrapt

from spanledger.calls.readers import read_gemini
from spanledger.calls.request import Outgoing
from spanledger.calls.wrapper import Prepared, around_async, around_generator, around_sync, before_sending

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["wrap_google"]

_OPERATIONS: Final = {
    "generateContent": "generate_content",
    "streamGenerateContent": "generate_content",
    "embedContent": "embeddings",
    "batchEmbedContents": "embeddings",
}


def wrap_google(module: ModuleType) -> None:
    """Wrap the requests of the client; takes `google.genai._api_client`."""
    client: Any = module
    for name, around in (
        ("request", around_sync),
        ("request_streamed", around_generator),
        ("async_request", around_async),
        ("async_request_streamed", around_async),
    ):
        wrapt.wrap_function_wrapper(module, f"BaseApiClient.{name}", around(_prepare))
    for name in ("_request_once", "_async_request_once"):
        if hasattr(client.BaseApiClient, name):
            wrapt.wrap_function_wrapper(module, f"BaseApiClient.{name}", before_sending(_headers))


def _headers(http_request: Any, *_: Any, **__: Any) -> Any:
    http_request.headers = dict(http_request.headers or {})  # else those of the client, and of every later request
    return http_request.headers


def _prepare(client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Prepared:
    path, body, http_options = _arguments(*args, **kwargs)
    model, _, method = path.partition("?")[0].rpartition(":")
    operation = _OPERATIONS.get(method, "")
    outgoing = Outgoing(
        provider="gcp.vertex_ai" if getattr(client, "vertexai", False) else "gcp.gemini",
        host=_host(client, http_options),
        operation=operation,
        model=model.rpartition("/")[2],
        is_stream=method.startswith("stream"),
        body=body if operation else None,
        read=read_gemini,
    )
    return Prepared(outgoing, args, kwargs)


def _arguments(
    http_method: str,  # noqa: ARG001 - the client's own signature
    path: str,
    request_dict: dict[str, Any],
    http_options: Any = None,
) -> tuple[str, dict[str, Any], Any]:
    return path, request_dict, http_options


def _host(client: Any, http_options: Any) -> str:
    for options in (http_options, client._http_options):  # noqa: SLF001 - no public seam
        base_url = options.get("base_url") if isinstance(options, dict) else getattr(options, "base_url", None)
        if base_url:
            return urlsplit(str(base_url)).netloc
    return ""
