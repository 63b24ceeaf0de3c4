"""Who may ask and who may write: users with passwords from a private file, and the tokens of whoever owns the store.

Without a file everybody on this machine may read, and only the owner writes. With one, only its users are let in; a user named
``default`` whose password is ``-`` stands for everybody. A user of a tenant sees that tenant's rows and no others.
"""

import base64
import hashlib
import hmac
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from starlette.requests import Request

from spanledger_collector.exceptions import UsageError
from spanledger_collector.queries.errors import RefusedError

__all__ = ["User", "Users", "read_users"]

_ROLES: Final = ("reader", "writer")
_FORMS: Final = {
    "reader": "NAME PASSWORD reader [TENANT]",
    "writer": "NAME PASSWORD writer",
    "team": "NAME PASSWORD team TEAM",
    "admin": "NAME PASSWORD admin",
}
_NOBODY: Final = "default"
_OPEN: Final = "-"
_CHARS_MIN: Final = 12


@dataclass(frozen=True)
class User:
    """Who asks. A reader with a tenant sees only its rows; a writer may insert into the landing tables; the owner may all.

    A reader with a team, and an admin, are users of a ClickHouse server only.
    """

    name: str = _NOBODY
    role: Literal["reader", "writer", "owner", "admin"] = "reader"
    tenant: str | None = None
    team: str | None = None


class Users:
    """Tells who a request comes from. ``owner_token`` lets the store's owner write, ``reading_token`` lets it read."""

    def __init__(
        self, listed: Mapping[str, tuple[str, User]] | None = None, owner_token: str = "", reading_token: str = ""
    ) -> None:
        self._listed = (
            None if listed is None else {name: (_digest(word), user) for name, (word, user) in listed.items()}
        )
        self._tokens = [(owner_token, User("owner", "owner")), (reading_token, User("owner"))]

    def of(self, request: Request) -> User:
        """Return who asks; RefusedError when a token or password is wrong or missing."""
        kind, _, shown = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self._of_token(shown.strip())
        if self._listed is None:
            return User()
        name, password = _login(request, kind, shown)
        known, user = self._listed.get(name, (_digest(""), None))
        if not hmac.compare_digest(known, _digest(password)) or user is None:
            raise RefusedError(
                516,
                "AUTHENTICATION_FAILED",
                f"{name}: Authentication failed: password is incorrect, or there is no user with such name.",
            )
        return user

    def _of_token(self, shown: str) -> User:
        found = None
        for token, user in self._tokens:
            if token and hmac.compare_digest(shown.encode(), token.encode()):
                found = user
        if found is None:
            raise RefusedError(516, "AUTHENTICATION_FAILED", "The token is not that of this store.")
        return found


def read_users(file: Path, roles: Sequence[str] = _ROLES) -> dict[str, tuple[str, User]]:
    """Return the users of a file, a line each, such as ``NAME PASSWORD reader [TENANT]``; raises UsageError.

    ``roles`` are what a line may say: on a server also ``team`` (reads the rows of one) and ``admin``.
    """
    try:
        mode, text = stat.S_IMODE(file.stat().st_mode), file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"The file of users {file} cannot be read: {reason}.") from error
    if mode & 0o077:
        raise UsageError(f"The file of users {file} can be read by others (mode {mode:04o}): chmod 600 {file}.")
    users: dict[str, tuple[str, User]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, password, user = _user(f"Line {number} of {file}", line.split(maxsplit=3), roles)
        if name in users:
            raise UsageError(f"Line {number} of {file} repeats the user {name}.")
        users[name] = (password, user)
    if not users:
        raise UsageError(
            f"The file of users {file} names none: write lines `NAME PASSWORD reader` or `NAME PASSWORD writer`."
        )
    return users


def _user(where: str, words: list[str], roles: Sequence[str]) -> tuple[str, str, User]:
    if len(words) < 3 or words[2] not in roles or (words[2] == "team" and len(words) < 4):
        forms = [f"`{_FORMS[role]}`" for role in roles]
        raise UsageError(f"{where} is not {', '.join(forms[:-1])} or {forms[-1]}.")
    name, password, role = words[:3]
    of = words[3].strip() if len(words) > 3 else None
    if role in ("writer", "admin") and of is not None:
        raise UsageError(f"{where} gives the {role} {name} a tenant; only readers can be confined to one.")
    if name == _NOBODY and password == _OPEN:
        password = ""
    elif len(password) < _CHARS_MIN:
        raise UsageError(
            f"{where}: the password of {name} has fewer than {_CHARS_MIN} characters; `openssl rand -hex 16` makes one."
        )
    if role == "team":
        return name, password, User(name, team=of)
    return name, password, User(name, "admin" if role == "admin" else "writer" if role == "writer" else "reader", of)


def _login(request: Request, kind: str, shown: str) -> tuple[str, str]:
    """Return name and password, from wherever ClickHouse's clients put them."""
    if kind.lower() == "basic":
        try:
            name, _, password = base64.b64decode(shown, validate=True).decode().partition(":")
        except ValueError as error:
            raise RefusedError(
                516, "AUTHENTICATION_FAILED", "The header Authorization is not user:password in base64."
            ) from error
        return name or _NOBODY, password
    headers, fields = request.headers, request.query_params
    return (
        headers.get("x-clickhouse-user") or fields.get("user") or _NOBODY,
        headers.get("x-clickhouse-key") or fields.get("password") or "",
    )


def _digest(password: str) -> bytes:
    return hashlib.sha256(password.encode()).digest()
