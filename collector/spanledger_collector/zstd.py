"""Finds zstd: in Python from 3.14 on, before that in the package that clickhouse-connect brings."""

import importlib
from typing import Any, Final

__all__ = ["zstd"]

_MODULES: Final = ("compression.zstd", "backports.zstd")


def zstd() -> Any | None:
    """Return the module, None where there is none."""
    for name in _MODULES:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None
