"""The SQL of the commands, one statement a file."""

from importlib.resources import files
from typing import Any

from clickhouse_connect.driver.client import Client

__all__ = ["rows", "statement"]


def statement(name: str) -> str:
    """Return a statement of this folder by its name."""
    return files(__name__).joinpath(f"{name}.sql").read_text("utf-8")


def rows(client: Client, name: str, **parameters: object) -> list[dict[str, Any]]:
    """Return the rows of one of the statements."""
    return list(client.query(statement(name), parameters).named_results())
