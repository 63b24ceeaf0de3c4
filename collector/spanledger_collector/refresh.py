"""Keeps verdicts and rollups true after each commit, where no server keeps a schedule of its own (embedded)."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from spanledger_collector.clock import follow_clock
from spanledger_collector.database import Database, is_embedded
from spanledger_collector.prices.aliases import resolve_new
from spanledger_collector.prices.repricing import finish_repricing

__all__ = ["ROLLUPS", "Refresher", "catch_up", "heal", "judge", "judge_slice", "mark_names", "refresh", "settle"]

_log = logging.getLogger(__name__)

# In this order: days are made from hours.
ROLLUPS: Final = ("cost_minutes", "actor_minutes", "cost_hours", "actor_hours", "cost_days")
_RECORD_ELECTION: Final = """
insert into elections (held_at, due_to, trace_to, traces)
select now64(3, 'UTC'), max((due_at, trace_id)).1, max((due_at, trace_id)).2, count() from election_slice"""
_APPENDS: Final = """
select
  if((select exception from system.view_refreshes where database = currentDatabase() and view = {view:String}) = '',
    extract(create_table_query, ' APPEND TO (\\S+)'), '') as appends_to,
  as_select,
  arrayStringConcat((select groupArray(name) from (
    select name from system.columns where database = currentDatabase() and table = {view:String} order by position)), ', ') as names
from system.tables where database = currentDatabase() and name = {view:String}"""
_UNJUDGED: Final = "select 1 from election_lag where behind_since <= {until:DateTime64(3, 'UTC')}"
_UNSUMMED: Final = """
select 1 from rollup_lag where rollup_table in {rollups:Array(String)} and behind_since <= {until:DateTime64(3, 'UTC')} limit 1"""
_POLL_SECONDS: Final = 0.3
_SWEEPS: Final = ("landing_sweep_mv", "rollup_sweep_mv")
_SWEEP_SECONDS: Final = 3600.0
_IDLE_SECONDS: Final = 10.0
# Rollups other than cost_minutes need not be made at each commit: they take at most one twentieth of the time.
_LATER: Final = ROLLUPS[1:]
_SHARE: Final = 20
_CLOSE_SECONDS_MAX: Final = 20.0


def refresh(client: Client, view: str) -> None:
    """Run one refreshable view now and wait for it; raises ClickHouseError when it fails."""
    if is_embedded(client) and _run_as_insert(client, view):
        return
    client.command(f"system refresh view {view}")
    client.command(f"system wait view {view}")


def _run_as_insert(client: Client, view: str) -> bool:
    """Run a view that appends as the insert that it is; tell whether that was done.

    The engine analyses a query twice when it refreshes a view and once when it inserts: a third to a half of the CPU time of a run over a
    few calls. A run that fails is left to the engine, which keeps its error in ``system.view_refreshes``, and so is the next: it takes the
    error back.
    """
    table, select, names = client.query(_APPENDS, {"view": view}).result_rows[0]
    if not table:
        return False
    try:
        client.command(f"insert into {table} ({names}) {select}")
    except ClickHouseError:
        return False
    return True


def judge(
    client: Client, on_slice: Callable[[int], None] = lambda _: None, patience: Callable[[], bool] = lambda: True
) -> None:
    """Resolve new model names and hold elections until nothing waits or ``patience`` ends; tells how many traces each of them judged."""
    while patience() and (traces := judge_slice(client)):
        on_slice(traces)


def judge_slice(client: Client) -> int:
    """Resolve new model names and hold one election, over the oldest that waits; return how many traces it judged.

    Before that it finishes changes of prices that a command was killed in the middle of.
    """
    finish_repricing(client)
    if names := resolve_new(client):
        mark_names(client, names)
    refresh(client, "election_slice")
    traces = int(client.query("select count() from election_slice").result_rows[0][0])
    if traces:
        refresh(client, "election_spans")
        refresh(client, "election")
        client.command(_RECORD_ELECTION)
    return traces


def heal(client: Client) -> None:
    """Read again what a killed process landed and did not book, and mark what it booked and did not sum; follow a clock that went back."""
    follow_clock(client)
    for view in _SWEEPS:
        refresh(client, view)


def mark_names(client: Client, names: Sequence[tuple[str, str]]) -> None:
    """Mark the minutes with calls of these names (provider and model as delivered): they stand for another model now."""
    client.command(
        "insert into dirty_minutes select toStartOfMinute(ts) as minute, now64(3, 'UTC') from genai_calls "
        "where has({names:Array(String)}, concat(provider_raw, '\\n', model_raw)) group by minute",
        {"names": ["\n".join(name) for name in names]},
    )


def settle(client: Client, patience: Callable[[], bool] = lambda: True) -> None:
    """Bring verdicts and every rollup up to date with what is stored; call while nothing is being written.

    Where ``patience`` ends before, what is left is done at the next start.
    """
    follow_clock(client)
    judge(client, patience=patience)
    for rollup in ROLLUPS:
        # Always once: a mark is stamped when its insert starts, so one that is no newer than the last run may still be news.
        refresh(client, f"{rollup}_mv")
        lag = ("select 1 from rollup_lag where rollup_table = {rollup:String}", {"rollup": rollup})
        while patience() and client.query(*lag).result_rows:
            refresh(client, f"{rollup}_mv")
    client.command("system reload dictionary outcome_dict")


def catch_up(client: Client, rollups: Sequence[str] = ROLLUPS, *, seconds: float) -> bool:
    """Wait until what is marked now is judged and summed; tell whether it was in time.

    For a ledger that another process keeps true: its elections are waited for, and rollups that are behind are made beside its own.
    """
    end = time.monotonic() + seconds
    now = client.query("select now64(3, 'UTC')").result_rows[0][0]
    if not _comes_true(lambda: not client.query(_UNJUDGED, {"until": now}).result_rows, end):
        return False
    marked = client.query("select max(marked_at) from dirty_minutes").result_rows[0][0]

    def summed() -> bool:
        for rollup in rollups:
            refresh(client, f"{rollup}_mv")
        return not client.query(_UNSUMMED, {"rollups": list(rollups), "until": marked}).result_rows

    return _comes_true(summed, end)


def _comes_true(condition: Callable[[], bool], end: float) -> bool:
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _wall_ahead() -> float:
    """Return how far the clock is ahead of one that nobody sets, in seconds."""
    return time.time() - time.monotonic()


class Refresher:
    """A thread that refreshes after commits: verdicts and minutes at once, users and hours less often."""

    def __init__(self, database: Database) -> None:
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._client = database.client()
        self._due = dict.fromkeys(_LATER, 0.0)
        self._is_behind = False
        self._heal_at = time.monotonic()
        self._clock = _wall_ahead()
        self._thread = threading.Thread(target=self._run, name="spanledger-refresh", daemon=True)
        self._thread.start()

    def kick(self) -> None:
        """Say that something was committed."""
        self._wake.set()

    def settle(self) -> None:
        """Bring everything up to date now; the caller knows that nothing is being written."""
        with self._lock:
            settle(self._client)

    @contextlib.contextmanager
    def settled(self) -> Iterator[Client]:
        """Bring everything up to date and change nothing in this block; the caller knows that nothing is being written."""
        with self._lock:
            settle(self._client)
            yield self._client

    def close(self) -> None:
        """Bring everything up to date, as far as that takes seconds, then stop."""
        self._stop.set()
        self._wake.set()
        self._thread.join()
        end = time.monotonic() + _CLOSE_SECONDS_MAX
        self._guarded(lambda: settle(self._client, lambda: time.monotonic() < end))
        self._client.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            if time.monotonic() >= self._heal_at or self._clock_went_back():
                self._guarded(self._heal)
            kicked = self._wake.wait(self._patience())
            self._wake.clear()
            started = time.monotonic()
            with self._lock:
                if not self._stop.is_set():
                    self._guarded(self._round if kicked else self._idle_round)
            # Rest as long as it worked: a trickle of spans must not keep a core busy.
            self._stop.wait(time.monotonic() - started)

    def _clock_went_back(self) -> bool:
        """Tell whether it was set back by a second or more since this was asked last."""
        before, self._clock = self._clock, _wall_ahead()
        return self._clock < before - 1

    def _patience(self) -> float:
        """Return how many seconds to wait for a commit: until the next rollup that was left for later, if one was."""
        return max(0.0, min(self._due.values()) - time.monotonic()) if self._is_behind else _IDLE_SECONDS

    def _idle_round(self) -> None:
        """Look after what time alone makes due: wrappers whose grace has ended, rollups that were left for later."""
        self._is_behind = False
        finish_repricing(self._client)
        behind = self._client.query(
            "select traces > 0 or exists(select 1 from rollup_lag) from election_lag"
        ).result_rows[0][0]
        if behind:
            self._round()

    def _heal(self) -> None:
        self._heal_at = time.monotonic() + _SWEEP_SECONDS
        with self._lock:
            heal(self._client)
        self._wake.set()

    def _round(self) -> None:
        judge_slice(self._client)
        if self._client.query("select traces > 0 from election_lag").result_rows[0][0]:
            self._wake.set()  # a backlog: its first numbers are shown before the last is judged
        refresh(self._client, "cost_minutes_mv")
        self._is_behind = False
        for rollup, due in self._due.items():
            started = time.monotonic()
            if started < due:
                self._is_behind = True
            else:
                refresh(self._client, f"{rollup}_mv")
                now = time.monotonic()
                self._due[rollup] = now + _SHARE * (now - started)

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - whatever it is, the next round may succeed, and must be tried
            _log.error("A refresh failed and will be tried again: %s", error)
