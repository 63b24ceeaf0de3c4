"""Where something happens: the tags that it is narrowed to, and the series that stand for them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.resources import files

__all__ = ["Place", "place_of_series", "statement"]


def statement(name: str) -> str:
    """Return one of the statements of this folder."""
    return files("spanledger_collector.anomalies").joinpath(f"{name}.sql").read_text("utf-8")


@dataclass(frozen=True)
class Place:
    """Values of tags; empty: any."""

    tenant: str = ""
    team: str = ""
    feature: str = ""
    provider: str = ""
    model: str = ""
    user: str = ""

    def parameters(self) -> dict[str, str]:
        """Return what the statements of this folder bind."""
        return asdict(self)

    def conflicts(self, other: "Place") -> bool:
        """Tell whether nothing can be in both."""
        mine, others = asdict(self), asdict(other)
        return any(mine[name] and others[name] and mine[name] != others[name] for name in mine)

    def inside(self, other: "Place") -> bool:
        """Tell whether all that is in it is in the other one: that names no tag that this one does not."""
        mine, others = asdict(self), asdict(other)
        return all(value in ("", mine[name]) for name, value in others.items())

    @property
    def of_user(self) -> "Place":
        """The same without team and feature: sums by ten minutes do not know them of users."""
        return replace(self, team="", feature="")

    def within(self, other: "Place") -> "Place":
        """Return what is in both; they must not conflict."""
        return Place(**{name: value or asdict(other)[name] for name, value in asdict(self).items()})

    def narrowed(self, cause: Sequence[str]) -> "Place":
        """Return it narrowed by an explanation such as ``["feature=support/chat", "tenant=acme"]``; a service narrows nothing."""
        place = self
        for part in cause:
            name, _, value = part.partition("=")
            if name == "feature":
                team, _, feature = value.partition("/")
                place = replace(place, team=team, feature=feature)
            elif name in {"tenant", "model", "user"}:
                place = replace(place, **{name: value})
        return place

    def __str__(self) -> str:
        named = [
            f"{name} {value}" for name, value in asdict(self).items() if value and name not in {"provider", "team"}
        ]
        return ", ".join(named) or (f"team {self.team}" if self.team else "the whole ledger")


def place_of_series(dimension: str, names: Sequence[str]) -> Place:
    """Return the place of a series of series_buckets."""
    fields = {
        "tenant": ("tenant",),
        "feature": ("team", "feature"),
        "model": ("provider", "model"),
        "user": ("tenant", "user"),
    }
    return Place(**dict(zip(fields.get(dimension, ()), names, strict=False)))
