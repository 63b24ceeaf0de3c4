"""Who may do what on a ClickHouse server or cluster: roles, users, row policies and quotas, as statements for its administrator.

The embedded collector checks the same file of users by itself (``queries``); on a server the engine does.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from typing import Final

from spanledger_collector.exceptions import UsageError
from spanledger_collector.migrations import render
from spanledger_collector.queries.users import User
from spanledger_collector.target import Target, quoted

__all__ = ["CONFINED", "statements"]

CONFINED: Final = {
    "tenant": ("calls", "spans_judged", "costs", "daily_costs", "actor_costs"),
    "team": ("calls", "spans_judged", "costs", "daily_costs"),
}
"""The views with a row policy, by what a reader is confined to: all others that such a reader may name read from them."""

_COMMENTS: Final = re.compile(r"^--.*\n", re.MULTILINE)
_ROLES: Final = ("roles", "admin", "writer", "reader", "confined")


def statements(target: Target, users: Mapping[str, tuple[str, User]]) -> Iterator[str]:
    """Yield what makes the roles of a ledger, and its users with their passwords (as salted hashes), in the order to run them."""
    for name in _ROLES:
        yield from _read(name, target, {})
    for name, (password, user) in users.items():
        yield from _user(target, name, password, user)


def _user(target: Target, name: str, password: str, user: User) -> Iterator[str]:
    if not password:
        raise UsageError(
            f"The user {name} has no password (-): that is for `spanledger up` on one machine, not for a server."
        )
    salt = secrets.token_hex(16)
    digest = hashlib.sha256((password + salt).encode()).hexdigest().upper()
    own = {"user": _name(name), "hash": quoted(digest), "salt": quoted(salt)}
    yield from _read("user", target, own)
    kind = next((column for column in CONFINED if getattr(user, column) is not None), None)
    if kind:  # before the role: who may read, but has no policy, would see everybody's rows
        views = ", ".join(f"{target.database}.{view}" for view in CONFINED[kind])
        condition = f"{kind} = {quoted(getattr(user, kind))}"
        policy = {"policy": _name(f"{target.database}_{name}"), "views": views, "condition": condition}
        yield from _read("policy", target, own | policy)
    role = f"{target.database}_{f'{kind}_reader' if kind else user.role}"
    yield from _read("granted", target, own | {"role": role})


def _name(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _read(name: str, target: Target, values: Mapping[str, str]) -> Iterable[str]:
    text = _COMMENTS.sub("", files(__name__).joinpath(f"statements/{name}.sql").read_text("utf-8"))
    for statement in text.split(";\n"):
        yield " ".join(render(statement, target, dict(values)).split())
