"""How many tokens one demo request uses: named by the application, or the usual ones of a case."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from spanledger_collector.exceptions import InputError

__all__ = ["Meters"]


@dataclass(frozen=True)
class Meters:
    """Tokens of one request, named like the columns of the view `calls`; subsets are inside their totals."""

    input_tokens: int = 120
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    output_tokens: int = 30
    reasoning_tokens: int = 0

    def __post_init__(self) -> None:
        """Refuse counts that no vendor could bill; raises InputError."""
        for name, count in asdict(self).items():
            if type(count) is not int or count < 0:
                raise InputError(f"{name} is {count!r}; it must be a whole number of tokens, 0 or more")
        if self.uncached_input_tokens < 0:
            raise InputError("cache_read_tokens and cache_write_tokens are parts of input_tokens, but exceed it")
        if self.cache_write_1h_tokens > self.cache_write_tokens:
            raise InputError("cache_write_1h_tokens is a part of cache_write_tokens, but exceeds it")
        if self.reasoning_tokens > self.output_tokens:
            raise InputError("reasoning_tokens is a part of output_tokens, but exceeds it")

    @classmethod
    def from_json(cls, counts: object) -> "Meters":
        """Return the meters that a decoded `x-demo-usage` header names; raises InputError."""
        if not isinstance(counts, Mapping):
            raise InputError("x-demo-usage must be a JSON object of token counts")
        unknown = sorted(set(counts) - set(cls.__dataclass_fields__))
        if unknown:
            raise InputError(f"x-demo-usage names unknown meters: {', '.join(unknown)}")
        return cls(**counts)

    @classmethod
    def usual(cls, case: str, *, has_output: bool = True) -> "Meters":
        """Return the token counts of a case when the application names none."""
        if not has_output:
            return cls(input_tokens=16, output_tokens=0)
        return USUAL.get(case, cls())

    @property
    def uncached_input_tokens(self) -> int:
        return self.input_tokens - self.cache_read_tokens - self.cache_write_tokens

    @property
    def cache_write_5m_tokens(self) -> int:
        return self.cache_write_tokens - self.cache_write_1h_tokens

    def as_json(self) -> dict[str, Any]:
        """Return the counts as the `x-demo-usage` header carries them."""
        return asdict(self)


USUAL = {
    "cached": Meters(
        input_tokens=3050,
        cache_read_tokens=2000,
        cache_write_tokens=1000,
        cache_write_1h_tokens=400,
        output_tokens=60,
    ),
    "reasoning": Meters(input_tokens=75, output_tokens=500, reasoning_tokens=448),
    "tool": Meters(input_tokens=310, output_tokens=42),
}
