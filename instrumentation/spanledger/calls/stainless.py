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
from spanledger.calls.record import current_call
from spanledger.calls.request import Outgoing
from spanledger.calls.shield import propagate_to, without_trace_context
from spanledger.calls.stream_usage import asks_for_usage, merge_usage
from spanledger.calls.wrapper import Prepared, around_async, around_sync, as_it_is, counting
from spanledger.once import warn_once

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

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


def wrap_openai(module: ModuleType) -> None:
    """Wrap the requests of the openai client; takes `openai._base_client`."""
    _wrap(module, "openai")


def wrap_anthropic(module: ModuleType) -> None:
    """Wrap the requests of the anthropic client; takes `anthropic._base_client`."""
    _wrap(module, "anthropic")


def _wrap(module: Any, provider: str) -> None:
    prepare = partial(_prepare, provider)
    wrapt.wrap_function_wrapper(module, "SyncAPIClient.request", around_sync(prepare))
    wrapt.wrap_function_wrapper(module, "AsyncAPIClient.request", around_async(prepare))
    wrapt.wrap_function_wrapper(module, "BaseClient._build_request", _sending)


def _sending(wrapped: Callable[..., Any], instance: Any, args: Any, kwargs: Any) -> Any:
    request = counting(wrapped, instance, args, kwargs)
    call = current_call()
    if call is not None and not call.is_shielded:
        try:
            propagate_to(request.headers)
        except Exception:  # noqa: BLE001 - the caller's call comes first
            warn_once("propagate", "spanledger: trace context could not be sent to an own host", with_error=True)
    return request


def _prepare(provider: str, client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Prepared:
    # request(cast_to, options, ...), by position from the resources, by name from who calls it directly
    options = args[1] if len(args) > 1 else kwargs["options"]
    outgoing, path = _outgoing(provider, client, options, kwargs)
    changes: dict[str, Any] = {}
    if isinstance(options.headers, dict) and outgoing.host not in call_options().propagate_hosts:
        kept = without_trace_context(options.headers)
        if kept is not None:
            changes["headers"] = kept
    body = _with_usage(client, options, outgoing, path)
    if body is not None:
        changes["json_data"] = body
    if not changes:
        return Prepared(outgoing, args, kwargs)
    changed = copy(options)
    for name, value in changes.items():
        setattr(changed, name, value)
    finish = merge_usage if body is not None else as_it_is
    if len(args) > 1:
        return Prepared(outgoing, (args[0], changed, *args[2:]), kwargs, finish)
    return Prepared(outgoing, args, {**kwargs, "options": changed}, finish)


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
    url = client.base_url
    return f"{url.host}:{url.port}" if url.port else str(url.host)


def _with_usage(client: Any, options: Any, outgoing: Outgoing, path: str) -> dict[str, Any] | None:
    if not outgoing.is_stream or _tail(path) not in _STREAMS_WITHOUT_USAGE:
        return None
    if outgoing.host not in call_options().stream_usage_hosts:
        return None
    version = getattr(client, "_api_version", None)
    if isinstance(version, str) and version[:10] < _AZURE_VERSION_MIN:
        return None
    return asks_for_usage(options, outgoing.body)
