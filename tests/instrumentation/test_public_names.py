"""The public names are the ones that are listed."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

import pytest

import spanledger

MODULES = [f"spanledger.{module.name}" for module in pkgutil.iter_modules(spanledger.__path__)]


def test_all_lists_every_public_name_of_the_package() -> None:
    public = {
        name
        for name, value in vars(spanledger).items()
        if not name.startswith("_") and not isinstance(value, ModuleType) and name != "VERSION"
    }

    assert public | {"__version__"} == set(spanledger.__all__)


@pytest.mark.parametrize("name", MODULES)
def test_all_lists_every_public_name_that_a_module_defines(name: str) -> None:
    module = importlib.import_module(name)
    defined = {
        key
        for key, value in vars(module).items()
        if not key.startswith("_") and getattr(value, "__module__", None) == name
    }

    assert defined <= set(module.__all__)
    assert all(hasattr(module, key) for key in module.__all__)


def test_importing_the_sdk_brings_no_operator_side() -> None:
    sources = [Path(str(importlib.import_module(name).__file__)) for name in MODULES]

    assert [source.name for source in sources if "spanledger_collector" in source.read_text()] == []
