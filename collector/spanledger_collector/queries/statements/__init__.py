"""The SQL that the endpoint itself asks the engine."""

from importlib.resources import files

__all__ = ["read_statement"]


def read_statement(name: str) -> str:
    """Return the text of one of this package's SQL files."""
    return files(__package__).joinpath(f"{name}.sql").read_text("utf-8")
