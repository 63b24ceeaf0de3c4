"""The demo's company: its teams and features, the tenants it serves, their users."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

__all__ = ["TEAMS", "UNTAGGED", "Feature", "Person", "api_key", "customer", "engineer", "team_of_key"]

TEAMS: Final = ("support", "search", "engineering", "content", "labs")
UNTAGGED: Final = ""
KEY_PREFIX: Final = "sk-demo-"
KEY_WITHOUT_TEAM: Final = KEY_PREFIX + "shared"

TENANTS: Final = ("globex", "initech", "umbrella", "hooli", "stark", "wonka")
# fmt: off
CUSTOMERS: Final = (
    "ada", "bela", "carl", "dora", "emil", "fay", "gus", "hana", "ivan", "jo", "kai", "lena", "max",
    "nina", "otto", "pia", "quin", "rosa", "sam", "tess", "uma", "vic", "wim", "xena", "yara", "zed",
)
ENGINEERS: Final = (
    "alex", "blair", "casey", "drew", "ellis", "finn", "gray", "harper", "indy", "jules", "kim", "lou", "morgan",
    "noor",
)
# fmt: on


@dataclass(frozen=True)
class Feature:
    """Something that a team has built on a model, with the task that it does, if it is one."""

    team: str
    name: str
    task: str = ""
    agent: str = ""


@dataclass(frozen=True)
class Person:
    """Who uses a feature; an engineer of the company belongs to no tenant."""

    user: str
    tenant: str = ""


def api_key(team: str) -> str:
    """Return the vendor key of a team; what nobody tagged runs on a key that is shared."""
    return KEY_PREFIX + team if team else KEY_WITHOUT_TEAM


def team_of_key(key: str) -> str:
    """Return whose key it is, as the ledger names the team."""
    return UNTAGGED if key == KEY_WITHOUT_TEAM else key.removeprefix(KEY_PREFIX)


def customer(dice: Random) -> Person:
    """Return a user of a tenant; a few use the product far more than the rest."""
    name = skewed(CUSTOMERS, dice)
    tenant = TENANTS[CUSTOMERS.index(name) % len(TENANTS)]
    return Person(f"{name}@{tenant}.example", tenant)


def engineer(dice: Random) -> Person:
    """Return someone of the company itself."""
    return Person(f"{skewed(ENGINEERS, dice)}@acme.example")


def skewed(names: Sequence[str], dice: Random) -> str:
    """Return one of the names by Zipf's law: the n-th is chosen 1/n as often as the first."""
    return dice.choices(names, [1 / rank for rank in range(1, len(names) + 1)])[0]
