"""Puts the dashboards into a Grafana: again and again with the same result, and never over anything that is not ours."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from grafana_client.api import GrafanaApi
from grafana_client.client import GrafanaClientError, GrafanaException

from spanledger_collector.exceptions import SpanledgerError
from spanledger_collector.panels.grafana import FOLDER_UID, TAG, build_all

__all__ = ["push"]

_FOLDER_TITLE: Final = "spanledger"
_NOT_FOUND: Final = 404
# Grafana writes these itself.
_OF_GRAFANA: Final = frozenset({"id", "version"})


def push(url: str, token: str) -> Iterator[tuple[str, str]]:
    """Yield the uid of each dashboard and what became of it: created, updated or unchanged.

    Raises SpanledgerError where Grafana refuses, or has a dashboard or folder of that uid which is not ours.
    """
    with _refusals(url):
        grafana: Any = GrafanaApi.from_url(url, credential=token)  # its methods are untyped
        _have_folder(grafana)
        for dashboard in build_all().values():
            yield dashboard["uid"], _put(grafana, dashboard)


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
        found: dict[str, Any] = get(uid)
    except GrafanaClientError as error:
        if error.status_code == _NOT_FOUND:
            return None
        raise
    return found


def _content(dashboard: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in dashboard.items() if name not in _OF_GRAFANA}


@contextlib.contextmanager
def _refusals(url: str) -> Iterator[None]:
    """Say in a sentence what Grafana, or the way to it, refused."""
    try:
        yield
    except GrafanaException as error:
        raise SpanledgerError(f"Grafana at {url} refused: {error.status_code} {error.message}") from error
    except OSError as error:  # every failure of the connection
        raise SpanledgerError(f"Grafana at {url} cannot be reached: {error}") from error
