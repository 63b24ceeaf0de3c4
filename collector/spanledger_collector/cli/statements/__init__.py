"""The SQL of the commands, one statement a file."""

from importlib.resources import files

__all__ = ["statement"]


def statement(name: str) -> str:
    """Return a statement of this folder by its name."""
    return files(__name__).joinpath(f"{name}.sql").read_text("utf-8")
