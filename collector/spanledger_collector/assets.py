"""Finds the SQL and JSON files, in an installed wheel and in a checkout."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

__all__ = ["assets"]


def assets(folder: str) -> Traversable:
    """Return the folder ``sql`` or ``dashboards``: inside the package (wheel), else two levels up (checkout)."""
    inside = files("spanledger_collector").joinpath(folder)
    if inside.is_dir():
        return inside
    return Path(__file__).parents[2] / folder
