"""How often a call went out: the clients retry silently, under one span, and a vendor may bill each attempt."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import wrapt
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan

from spanledger.attributes import ATTEMPTS
from spanledger.once import warn_once
from spanledger.usage import is_call_emitter

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["count_attempts"]

# Both clients, sync and async, build the request anew for each attempt, below the instrumentation's span.
_MODULES: Final = {"openai": "openai._base_client", "anthropic": "anthropic._base_client"}
_METHOD: Final = "BaseClient._build_request"


def count_attempts(client: str) -> None:
    """Count the HTTP attempts of every call of a client on the span of the call; does nothing the second time."""
    module = import_module(_MODULES[client])
    if not isinstance(module.BaseClient._build_request, wrapt.FunctionWrapper):  # noqa: SLF001 - no public seam
        wrapt.wrap_function_wrapper(sys.modules[module.__name__], _METHOD, _counting)


def _counting(wrapped: Callable[..., Any], _instance: Any, args: Any, kwargs: Any) -> Any:
    try:
        span = trace.get_current_span()
        if isinstance(span, ReadableSpan) and is_call_emitter(span):
            attempts = (span.attributes or {}).get(ATTEMPTS, 0)
            span.set_attribute(ATTEMPTS, attempts + 1 if isinstance(attempts, int) else 1)
    except Exception:  # noqa: BLE001 - the caller's call comes first
        warn_once("attempts", "spanledger: the attempts of a call could not be counted", with_error=True)
    return wrapped(*args, **kwargs)
