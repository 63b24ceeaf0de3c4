"""Which clients are wrapped, and when: as their module is imported, before any instrumentation can patch it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spanledger.calls.bedrock import wrap_bedrock
from spanledger.calls.google import wrap_google
from spanledger.calls.stainless import wrap_anthropic, wrap_openai
from spanledger.imports import wrap_when_imported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

__all__ = ["wrap_clients"]

# Client -> the module that makes its requests, and what wraps it there.
_WRAPS: Final[dict[str, tuple[str, Callable[[ModuleType], None]]]] = {
    "openai": ("openai._base_client", wrap_openai),
    "anthropic": ("anthropic._base_client", wrap_anthropic),
    "bedrock": ("botocore.client", wrap_bedrock),
    "google": ("google.genai._api_client", wrap_google),
}


def wrap_clients(names: Iterable[str] = tuple(_WRAPS)) -> None:
    """Wrap the requests of these clients: at once when they are imported, else when the application imports them.

    Imports nothing, and does nothing for a client that is wrapped, not installed or not known. Call it before any
    instrumentor: OpenInference replaces the method in a subclass, and the wrapper must be below it.
    """
    for name in names:
        if name in _WRAPS:
            module, wrap = _WRAPS[name]
            wrap_when_imported(module, wrap, f"the requests of {name} are not measured")
