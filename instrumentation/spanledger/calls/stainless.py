"""The openai and anthropic clients: one generator made both, so their requests pass the same place.

`request` runs once for a logical call, above the retries: chat, streams, responses, embeddings, helpers, raw responses,
`client.post()`. `_build_request` runs once for each attempt. Both are there from openai 1.26 and anthropic 0.51 on.
"""

from __future__ import annotations

from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import wrapt

from spanledger.calls.options import call_options
from spanledger.calls.readers import read_anthropic, read_chat, read_input, read_prompt, read_responses
from spanledger.calls.request import Outgoing
from spanledger.calls.stream_usage import asks_for_usage, merge_usage
from spanledger.calls.wrapper import Prepared, about_to_send, around_async, around_sync

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanledger.calls.parts import Prompt

__all__ = ["wrap_anthropic", "wrap_openai"]

# Path of the request -> operation and reader.
_OPERATIONS: Final[dict[str, tuple[str, Callable[[Any], Prompt]]]] = {
    "/chat/completions": ("chat", read_chat),
    "/completions": ("text_completion", read_prompt),
    "/responses": ("chat", read_responses),
    "/embeddings": ("embeddings", read_input),
    "/v1/messages": ("chat", read_anthropic),
}
_STREAMS_WITHOUT_USAGE: Final = frozenset({"/chat/completions", "/completions"})
# Azure refuses `stream_options` in versions of its interface before this one.
_AZURE_VERSION_MIN: Final = "2024-09-01"


def wrap_openai(module: Any) -> None:
    """Wrap the requests of the openai client; takes `openai._base_client`."""
    _wrap(module, "openai", "OpenAIError")


def wrap_anthropic(module: Any) -> None:
    """Wrap the requests of the anthropic client; takes `anthropic._base_client`."""
    _wrap(module, "anthropic", "AnthropicError")


def _wrap(module: Any, provider: str, error_name: str) -> None:
    error_type = getattr(getattr(module, "_exceptions", None), error_name, None)
    prepare = partial(_prepare, provider, error_type)
    wrapt.wrap_function_wrapper(module, "SyncAPIClient.request", around_sync(prepare))
    wrapt.wrap_function_wrapper(module, "AsyncAPIClient.request", around_async(prepare))
    wrapt.wrap_function_wrapper(module, "BaseClient._build_request", _sending)


def _sending(wrapped: Callable[..., Any], _client: Any, args: Any, kwargs: Any) -> Any:
    request = wrapped(*args, **kwargs)
    about_to_send(lambda: request.headers)
    return request


def _prepare(
    provider: str, error_type: type[Exception] | None, client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Prepared:
    # request(cast_to, options, ...), by position from the resources, by name from who calls it directly
    options = args[1] if len(args) > 1 else kwargs["options"]
    outgoing, path = _outgoing(provider, client, options, kwargs)
    outgoing.error_type = error_type
    body = _with_usage(client, options, outgoing, path)
    if body is None:
        return Prepared(outgoing, args, kwargs)
    changed = copy(options)
    changed.json_data = body
    if len(args) > 1:
        return Prepared(outgoing, (args[0], changed, *args[2:]), kwargs, merge_usage)
    return Prepared(outgoing, args, {**kwargs, "options": changed}, merge_usage)


def _outgoing(provider: str, client: Any, options: Any, kwargs: dict[str, Any]) -> tuple[Outgoing, str]:
    path = options.url.partition("?")[0]
    host = _host(client, path)
    known = _OPERATIONS.get(path) or _OPERATIONS.get(_tail(path))
    body = options.json_data
    if known is None or not isinstance(body, dict) or options.method.lower() != "post":
        return Outgoing(provider, host), ""
    name, read = known
    is_azure = "Azure" in type(client).__name__
    model = body.get("model")
    return (
        Outgoing(
            provider="azure.ai.openai" if is_azure else provider,
            host=host,
            operation=name,
            model=model if isinstance(model, str) else "",
            is_stream=bool(kwargs.get("stream")),
            body=body,
            read=read,
        ),
        path,
    )


def _tail(path: str) -> str:
    """Return the end of a path that names the operation, for requests with a path or an address of their own."""
    return next((known for known in _OPERATIONS if path.endswith(known)), "")


def _host(client: Any, path: str) -> str:
    if "://" in path:
        return urlsplit(path).netloc.rpartition("@")[2].lower()
    url = client._base_url  # noqa: SLF001 - the property imports a module each time it is asked
    host, port = url.host, url.port
    return f"{host}:{port}" if port else str(host)


def _with_usage(client: Any, options: Any, outgoing: Outgoing, path: str) -> dict[str, Any] | None:
    if not outgoing.is_stream or _tail(path) not in _STREAMS_WITHOUT_USAGE:
        return None
    if outgoing.host not in call_options().stream_usage_hosts:
        return None
    version = getattr(client, "_api_version", None)
    if isinstance(version, str) and version[:10] < _AZURE_VERSION_MIN:
        return None
    return asks_for_usage(options, outgoing.body)
