"""Bedrock through botocore: the calls of its runtime service, among all the other services of AWS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import wrapt

from spanledger.calls.readers import read_anthropic, read_chat, read_converse, read_prompt
from spanledger.calls.request import Outgoing
from spanledger.calls.wrapper import Prepared, around_sync, before_sending

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from spanledger.calls.parts import Prompt

__all__ = ["wrap_bedrock"]

_SERVICE: Final = "bedrock-runtime"
_STREAMED: Final = frozenset({"ConverseStream", "InvokeModelWithResponseStream"})
_CONVERSE: Final = frozenset({"Converse", "ConverseStream"})
_INVOKE: Final = frozenset({"InvokeModel", "InvokeModelWithResponseStream"})
_BODY_BYTES_MAX: Final = 4_000_000  # a larger body is not worth reading twice; its size stays unknown


def wrap_bedrock(module: ModuleType) -> None:
    """Wrap the calls of Bedrock's runtime; takes `botocore.client`."""
    wrapt.wrap_function_wrapper(module, "BaseClient._make_api_call", _runtime_only)
    wrapt.wrap_function_wrapper("botocore.endpoint", "Endpoint._send", before_sending(_headers))


def _runtime_only(wrapped: Any, client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if client.meta.service_model.service_name != _SERVICE:
        return wrapped(*args, **kwargs)
    return _around(wrapped, client, args, kwargs)


def _headers(request: Any) -> Any:
    return request.headers


def _prepare(client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Prepared:
    name, parameters = _arguments(*args, **kwargs)
    host = urlsplit(client.meta.endpoint_url).netloc
    if name in _CONVERSE:
        outgoing = _outgoing(host, name, parameters, "chat", parameters, read_converse)
    elif name in _INVOKE:
        body = _json(parameters.get("body"))
        outgoing = _outgoing(host, name, parameters, *_invoked(body))
    else:
        outgoing = Outgoing("aws.bedrock", host)
    return Prepared(outgoing, args, kwargs)


_around: Final = around_sync(_prepare)


def _arguments(operation_name: str, api_params: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return operation_name, api_params


def _outgoing(
    host: str, name: str, parameters: Any, operation: str, body: Any, read: Callable[[Any], Prompt] | None
) -> Outgoing:
    model = parameters.get("modelId")
    return Outgoing(
        provider="aws.bedrock",
        host=host,
        operation=operation,
        model=model if isinstance(model, str) else "",
        is_stream=name in _STREAMED,
        body=body,
        read=read,
    )


def _json(body: Any) -> dict[str, Any]:
    """Return the body of InvokeModel: JSON in the model's own language. A file or an unknown form is left alone."""
    if not isinstance(body, str | bytes | bytearray) or len(body) > _BODY_BYTES_MAX:
        return {}
    try:
        value = json.loads(body)
    except ValueError:  # not ours to complain: the service will
        return {}
    return value if isinstance(value, dict) else {}


def _invoked(body: dict[str, Any]) -> tuple[str, Any, Callable[[Any], Prompt] | None]:
    if "anthropic_version" in body:
        return "chat", body, read_anthropic
    if "inferenceConfig" in body:  # Nova speaks Converse's language here too
        return "chat", body, read_converse
    if "messages" in body:
        return "chat", body, read_chat
    is_embedding = "inputText" in body and "textGenerationConfig" not in body
    return "embeddings" if is_embedding else "text_completion", body, read_prompt
