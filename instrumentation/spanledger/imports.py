"""Wraps modules of others: at once when they are imported, else when the application imports them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import wrapt

from spanledger.once import warn_once

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

__all__ = ["wrap_when_imported"]

_wrapped: Final[set[str]] = set()


def wrap_when_imported(module: str, wrap: Callable[[ModuleType], None], failure: str) -> None:
    """Wrap a module once in the process; imports nothing. ``failure`` says what it means when that cannot be done."""
    if module not in _wrapped:
        _wrapped.add(module)
        wrapt.register_post_import_hook(partial(_guarded, wrap, failure), module)


def _guarded(wrap: Callable[[ModuleType], None], failure: str, module: ModuleType) -> None:
    try:
        wrap(module)
    except Exception:  # noqa: BLE001 - the application must be able to import its client
        warn_once(f"wrap-{module.__name__}", "spanledger: %s", failure, with_error=True)
