"""What somebody may have meant who wrote a name that is not known."""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["did_you_mean"]


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "", *, cutoff: float = 0.6) -> str:
    """Return the question, with the names that are most like the word; ``otherwise`` where none is."""
    near = get_close_matches(word, sorted(known), n=3, cutoff=cutoff)
    return f"Did you mean {', '.join(near)}?" if near else otherwise
