"""A ClickHouse server's engine without a server: chDB with users of its configuration file, who have only the rights that it grants.

    python -m tests.collector.server_engine STORE < {"make": ..., "user": ..., "statements": [...]}

Grants, policies and settings of a user are those of statements, taken over as text: chDB has no place to keep users that SQL makes.
"""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

ADMIN: Final = "keeper"
PASSWORD: Final = "a password of dictionaries"
_USER: Final = "<password>{password}</password><networks><ip>::/0</ip></networks><profile>{profile}</profile><quota>default</quota>{more}"


def options(statements: Iterable[str], role: str, user: str) -> tuple[str, str]:
    """Return profile and rights of one user, in the form of the configuration file, from the statements that give them to its role."""
    profile, rights, filters = "", "", ""
    for text in statements:
        if match := re.fullmatch(r"create settings profile or replace \w+ settings (.*) to (.*)", text):
            profile += _profile(match[1]) if role in match[2].split(", ") else ""
        elif match := re.fullmatch(r"grant (.*) to ([\w, ]+)", text):
            rights += f"<query>GRANT {escape(match[1])}</query>" if role in match[2].split(", ") else ""
        elif match := re.fullmatch(
            r"create row policy or replace \S+ on (.*) using (.*) to " + re.escape(f"`{user}`"), text
        ):
            filters += "".join(_filter(view, match[2]) for view in match[1].split(", "))
    return profile, f"<grants>{rights}</grants>" + (f"<databases>{filters}</databases>" if filters else "")


def _profile(settings: str) -> str:
    text = ""
    for setting in settings.split(", "):
        name, _, value, *limits = setting.split(" ")
        text += f"<{name}>{value}</{name}>"
        limit = "<const/>" if limits == ["const"] else f"<max>{limits[1]}</max>" if limits else ""
        text += f"<constraints><{name}>{limit}</{name}></constraints>" if limit else ""
    return text


def _filter(view: str, condition: str) -> str:
    database, name = view.split(".")
    return f"<{database}><{name}><filter>{escape(condition)}</filter></{name}></{database}>"


def configuration(folder: Path, profile: str = "", rights: str = "") -> Path:
    """Write the configuration with two users: ``default``, who connects, and the one that a ledger's views belong to."""
    folder.mkdir(exist_ok=True)
    all_rights = "<access_management>1</access_management>"
    keeper = _USER.format(password=PASSWORD, profile="keeper", more=all_rights)
    default = _USER.format(password="", profile="default", more=rights or all_rights)
    profile = profile or f"<default_view_definer>{ADMIN}</default_view_definer>"
    profiles = f"<profiles><default>{profile}</default><keeper/></profiles><quotas><default/></quotas>"
    users = folder / "users.xml"
    users.write_text(
        f"<clickhouse>{profiles}<users><default>{default}</default><{ADMIN}>{keeper}</{ADMIN}></users></clickhouse>"
    )
    file = folder / "config.xml"
    where = f"<users_xml><path>{users}</path></users_xml>"
    file.write_text(f"<clickhouse><user_directories>{where}</user_directories></clickhouse>")
    return file


def answers(store: Path, config: Path, statements: Sequence[str]) -> list[Any]:
    """Return for each statement its rows, or its error as text."""
    import chdb

    connection: Any = chdb.connect(f"{store}?config-file={config}")  # type: ignore[no-untyped-call]  # chdb has no types
    found: list[Any] = []
    for text in statements:
        try:
            found.append(json.loads(str(connection.query(text, "JSONCompact")) or '{"data": []}')["data"])
        except Exception as error:  # noqa: BLE001 - the error is the answer
            found.append(str(error))
    return found


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    json.dump(answers(Path(asked["store"]), Path(asked["config"]), asked["statements"]), sys.stdout)
