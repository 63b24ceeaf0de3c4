"""Brings a ledger to the time that it is now, after the clock went back: what is stamped with a later time would hide what comes."""

import logging
from importlib.resources import files
from typing import Final

from clickhouse_connect.driver.client import Client

__all__ = ["follow_clock"]

_log = logging.getLogger(__name__)
# Clocks are set by small steps all the time; so much is caught up before anybody sees it.
_TOLERATED_MS: Final = 1000
# Sums of before that are never made again: their calls may be gone. Calls are kept for 32 days at least.
_LATER: Final = "run_at > toDateTime64({at:String}, 3, 'UTC') and bucket > toDateTime64({latest_at:String}, 3, 'UTC') - interval 30 day"
_ROLLUPS: Final = ("cost_minutes", "actor_minutes", "cost_hours", "actor_hours", "cost_days")


def follow_clock(client: Client) -> bool:
    """Judge and sum again what was judged and summed at a time that has not come yet; return whether there was any.

    Killed at any point it is done again: the positions of the election, by which it is seen, go last.
    """
    ahead_ms, at, latest_at = client.query(_statement("ahead")).result_rows[0]
    if ahead_ms <= _TOLERATED_MS:
        return False
    _log.warning(
        "The clock went back by %d s or more: what was stored since is judged and summed again.", ahead_ms // 1000
    )
    known = {"at": at, "latest_at": latest_at}
    client.command(_statement("queue_again"), known)
    for rollup in _ROLLUPS:
        _delete(client, rollup, _LATER, known)
    minutes = [int(row[0]) for row in client.query(_statement("marked_later"), known).result_rows]
    # Before, for a process that is killed; and after, for a merge that kept only the later mark.
    client.command(_statement("mark_again"), known | {"minutes": minutes})
    _delete(client, "dirty_minutes", "marked_at > toDateTime64({at:String}, 3, 'UTC')", known)
    client.command(_statement("mark_again"), known | {"minutes": minutes})
    _delete(client, "elections", "due_to > toDateTime64({at:String}, 3, 'UTC')", known)
    return True


def _delete(client: Client, table: str, where: str, known: dict[str, str]) -> None:
    client.command(f"alter table {table} delete where {where} settings mutations_sync = 1", known)


def _statement(name: str) -> str:
    return files(__name__).joinpath(f"{name}.sql").read_text("utf-8")
