"""The SQL that the collector asks about itself."""

from importlib.resources import files

__all__ = ["statement"]


def statement(name: str) -> str:
    """Return the text of one of this package's SQL files."""
    return files(__package__).joinpath(f"{name}.sql").read_text("utf-8")
