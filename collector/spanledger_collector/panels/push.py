"""Puts the dashboards into a Grafana: again and again with the same result, and never over anything that is not ours."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from grafana_client.api import GrafanaApi
from grafana_client.client import GrafanaClientError, GrafanaException

from spanledger_collector.exceptions import SpanledgerError, UsageError
from spanledger_collector.panels.grafana import FOLDER_UID, TAG, build_all
from spanledger_collector.refusals import refusal

__all__ = ["push"]

_FOLDER_TITLE: Final = "spanledger"
_NOT_FOUND: Final = 404
_LEVERS: Final = {
    401: "The token is not one of this Grafana, or it has expired. Make one for a service account with the role Editor.",
    403: "The token's service account may not do this: give it the role Editor.",
    404: "Is there a Grafana at this address? Where it is served under a path, that is part of the address.",
}
# Grafana writes these itself.
_OF_GRAFANA: Final = frozenset({"id", "version"})


def push(url: str, token: str) -> Iterator[tuple[str, str]]:
    """Yield the uid of each dashboard and what became of it: created, updated or unchanged.

    Raises UsageError for what cannot be an address or a token, SpanledgerError where Grafana does not answer, refuses, or has a
    dashboard of that uid which is not ours.
    """
    address = _address(url)
    if not token.strip() or not token.strip().isascii():
        raise UsageError("The token is empty or not one of Grafana's, which begin with glsa_.")
    with _refusals(address):
        grafana: Any = GrafanaApi.from_url(address, credential=token.strip())  # its methods are untyped
        _have_folder(grafana)
        for dashboard in build_all().values():
            yield dashboard["uid"], _put(grafana, dashboard)


def _address(url: str) -> str:
    """Return the URL with a slash at its end: the client puts the paths of the API behind it."""
    parts = urlsplit(url)
    try:
        usable = (
            parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
        )
    except ValueError:
        usable = False
    if not usable:  # not repeated: it may hold a password
        raise UsageError(
            "That is no address of a Grafana: write it as https://grafana.example or http://127.0.0.1:3000, without a user."
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/"


def _put(grafana: Any, dashboard: dict[str, Any]) -> str:
    uid = dashboard["uid"]
    found = _found(grafana.dashboard.get_dashboard, uid)
    if found:
        tags, folder = found["dashboard"].get("tags", []), found["meta"].get("folderUid", "")
        if TAG not in tags or folder != FOLDER_UID:
            raise SpanledgerError(
                f"Grafana has a dashboard {uid} that is not ours: it lies in folder {folder or '(none)'} with tags {tags}. "
                f"Move or delete it, or give it the tag {TAG} in the folder {FOLDER_UID}. Nothing of it was changed."
            )
        if _content(found["dashboard"]) == _content(dashboard):
            return "unchanged"
    grafana.dashboard.update_dashboard(
        {
            "dashboard": {**dashboard, "id": found["dashboard"]["id"] if found else None},
            "folderUid": FOLDER_UID,
            "message": "spanledger dashboards push",
            "overwrite": bool(found),  # without it Grafana refuses what somebody else just made
        }
    )
    return "updated" if found else "created"


def _have_folder(grafana: Any) -> None:
    if _found(grafana.folder.get_folder, FOLDER_UID) is None:
        grafana.folder.create_folder(_FOLDER_TITLE, uid=FOLDER_UID)


def _found(get: Any, uid: str) -> dict[str, Any] | None:
    try:
        found = get(uid)
    except GrafanaClientError as error:
        # Grafana says so in JSON; what else answers there does not
        if error.status_code == _NOT_FOUND and isinstance(error.response, dict):
            return None
        raise
    if not isinstance(found, dict) or not ({"dashboard", "meta"} <= found.keys() or found.get("uid") == uid):
        raise ValueError(uid)
    return found


def _content(dashboard: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in dashboard.items() if name not in _OF_GRAFANA}


@contextlib.contextmanager
def _refusals(url: str) -> Iterator[None]:
    """Say in a sentence what Grafana, or the way to it, refused."""
    try:
        yield
    except GrafanaException as error:
        said = error.response.get("message") if isinstance(error.response, dict) else ""  # else a page of a proxy
        reason = f"{error.status_code} {said or ''}".rstrip(" .")
        lever = _LEVERS.get(error.status_code, "")
        raise SpanledgerError(f"Grafana at {url} refused: {reason}. {lever}".rstrip()) from error
    except ValueError as error:  # it answered with something else than the JSON of the API
        raise SpanledgerError(
            f"What answers at {url} is not the API of Grafana. Give the address of Grafana itself, with the path that it is "
            "served under, and without /login or /d/..."
        ) from error
    except OSError as error:  # every failure of the connection
        raise SpanledgerError(
            f"Grafana at {url} cannot be reached, or the connection broke off: {_reason(error)} What was put there stays; the same "
            "command does the rest."
        ) from error


def _reason(error: OSError) -> str:
    """Return the system's word for it, where there is one, else the client's, without its objects."""
    text = refusal(error)
    return "No answer came." if "(" in text else text
