"""Where alerts go: Alertmanagers, webhooks and heartbeats, from a file of settings whose secrets stand in files or variables.

[[alertmanager]]
url = "https://alertmanager.example:9093"
username = "spanledger"
password_file = "/run/secrets/alertmanager"

[[webhook]]
name = "oncall"
url_env = "ONCALL_HOOK"
token_file = "/run/secrets/oncall"

[[heartbeat]]
url = "https://deadman.example/ping/spanledger"
"""

import os
import stat
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from spanledger_collector.alerting.rules import RULES, WATCHDOG
from spanledger_collector.exceptions import UsageError

__all__ = ["Kind", "Receiver", "read_receivers", "receiver_of"]

Kind = Literal["alertmanager", "webhook", "heartbeat"]

_KINDS: Final[tuple[Kind, ...]] = ("alertmanager", "webhook", "heartbeat")
_SECRETS: Final = ("url", "password", "token")
_PLAIN: Final = ("name", "username", "ca", "timeout_seconds", "hold_seconds")
_TIMEOUT_SECONDS: Final = 10.0
_HOLD_SECONDS: Final = 90.0


@dataclass(frozen=True)
class Receiver:
    """One place to send to. Two of one kind and host need names, by which the book remembers what they were told.

    ``ca`` is a file (PEM) to trust beside the system's. ``hold_seconds``: an alert that has ended is told to have ended no sooner after it
    was told to fire, so that an Alertmanager which gathers for ``group_wait`` still speaks of it. UsageError for what cannot be.
    """

    kind: Kind
    url: str = field(repr=False)
    name: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    ca: str = ""
    timeout_seconds: float = _TIMEOUT_SECONDS
    hold_seconds: float = _HOLD_SECONDS

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            host, port = parts.hostname, parts.port
        except ValueError:
            parts, host, port = urlsplit(""), None, None
        if parts.scheme not in ("http", "https") or not host or any(char.isspace() for char in self.url):
            # it is not repeated: what is not a URL may hold a secret anywhere
            raise UsageError(f"The URL of a receiver of kind {self.kind} is none: write https://host[:port]/path.")
        if parts.username or parts.password:
            raise UsageError(f"The URL of {host} holds a password: give it as username and password_file.")
        if parts.fragment or (self.kind == "alertmanager" and parts.query):
            raise UsageError(f"The URL of {host} has a part behind ? or # that would not be sent: leave it out.")
        if self.token and self.password:
            raise UsageError(f"The receiver at {host} has a token and a password; it can send one.")
        for name, number in (("timeout_seconds", self.timeout_seconds), ("hold_seconds", self.hold_seconds)):
            if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 3600:
                raise UsageError(f"{name} of the receiver at {host} is {number!r}: write seconds, 0 to 3600.")
        if self.ca and not Path(self.ca).is_file():
            raise UsageError(f"The file {self.ca}, which the receiver at {host} is to trust, is not there.")
        object.__setattr__(self, "name", self.name or f"{self.kind} {host}{f':{port}' if port else ''}")

    @property
    def rules(self) -> Collection[str]:
        """The rules that it is told of: a heartbeat of the watchdog only, a webhook of all others, an Alertmanager of all."""
        names = {rule.name for rule in RULES}
        if self.kind == "heartbeat":
            return {WATCHDOG.name}
        return names if self.kind == "alertmanager" else names - {WATCHDOG.name}

    @property
    def repeats(self) -> bool:
        """Whether it forgets what it is not told again."""
        return self.kind != "webhook"


def receiver_of(kind: Kind, url: str) -> Receiver:
    """Return a receiver that needs nothing but its URL."""
    return Receiver(kind, url)


def read_receivers(file: Path, environment: Mapping[str, str] = os.environ) -> list[Receiver]:
    """Return the receivers of a file (TOML, mode 0600); UsageError says what in it cannot be."""
    try:
        mode, text = stat.S_IMODE(file.stat().st_mode), file.read_text("utf-8")
        tables = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The file of receivers {file} cannot be read: {getattr(error, 'strerror', None) or error}."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"The file of receivers {file} is no TOML: {error}.") from error
    if mode & 0o077:
        raise UsageError(f"The file of receivers {file} can be read by others (mode {mode:04o}): chmod 600 {file}.")
    if unknown := set(tables) - set(_KINDS):
        raise UsageError(
            f"{file} has a table [[{min(unknown)}]]; there are {', '.join(f'[[{kind}]]' for kind in _KINDS)}."
        )
    found = [
        _receiver(kind, table, f"[[{kind}]] number {number} of {file}", environment)
        for kind in _KINDS
        for number, table in enumerate(_tables(tables.get(kind, []), kind, file), 1)
    ]
    if len({receiver.name for receiver in found}) != len(found):
        raise UsageError(f"Two receivers of {file} have one name; give each a name of its own.")
    if not found:
        raise UsageError(f"The file of receivers {file} names none: write a table [[alertmanager]] or [[webhook]].")
    return found


def _tables(tables: Any, kind: str, file: Path) -> list[dict[str, Any]]:
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise UsageError(f"{kind} in {file} is no table: write [[{kind}]] above its settings.")
    return tables


def _receiver(kind: Kind, table: dict[str, Any], where: str, environment: Mapping[str, str]) -> Receiver:
    known = {*_PLAIN, *(f"{name}{end}" for name in _SECRETS for end in ("", "_file", "_env"))}
    if unknown := set(table) - known:
        raise UsageError(f"{where} has a setting {min(unknown)!r}; there are {', '.join(sorted(known))}.")
    settings: dict[str, Any] = {name: table[name] for name in _PLAIN if name in table}
    for name in _SECRETS:
        if secret := _secret(name, table, where, environment):
            settings[name] = secret
    if "url" not in settings:
        raise UsageError(f"{where} has no url (or url_file, url_env).")
    for name, text in settings.items():
        if not name.endswith("_seconds") and not isinstance(text, str):
            raise UsageError(f"{where}: {name} is no text.")
    return Receiver(kind, **settings)


def _secret(name: str, table: Mapping[str, Any], where: str, environment: Mapping[str, str]) -> Any:
    """Return a setting that stands here, in a file or in a variable; it is never part of a message."""
    given = [key for key in (name, f"{name}_file", f"{name}_env") if key in table]
    if len(given) > 1:
        raise UsageError(f"{where} has {given[0]} and {given[1]}; give one of them.")
    if not given or given[0] == name:
        return table.get(name)
    source = str(table[given[0]])
    if given[0].endswith("_env"):
        if source not in environment:
            raise UsageError(f"{where}: the variable {source} is not set.")
        return environment[source].strip()
    try:
        return Path(source).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{where}: {given[0]} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
