"""Puts runs into a ledger, as their calls would have left them: each run is a tenant of its own."""

import time
from collections.abc import Sequence
from typing import Final

import numpy as np
from clickhouse_connect.driver.client import Client

from tests.bench.anomalies.scenarios import Run
from tests.bench.anomalies.tenants import BUCKETS, DAYS

__all__ = ["stage", "start_of_runs"]

_AT_ONCE: Final = 200
_FIELDS: Final = (
    ("bucket", "<u4"),
    ("run", "<u4"),
    ("calls", "<u8"),
    ("uncached", "<u8"),
    ("cached", "<u8"),
    ("output", "<u8"),
    ("uncached_usd", "<f8"),
    ("cached_usd", "<f8"),
    ("output_usd", "<f8"),
    ("chars", "<u8"),
    ("prompt", "<u8"),
    ("repeats", "<u8"),
)
_STAGE: Final = """
create table stage (bucket DateTime('UTC'), run UInt32, n UInt64, uncached UInt64, cached UInt64, output UInt64, uncached_price Float64,
  cached_price Float64, output_price Float64, chars UInt64, prompt UInt64, repeats UInt64) engine = Memory"""
_MOVE: Final = """
insert into spend_buckets (
  bucket, part, tenant, calls, priced_calls, attempts, uncached_tokens, cache_read_tokens, output_tokens,
  uncached_usd, cache_read_usd, output_usd,
  known_usd, largest_usd, measured_calls, system_chars, system_fingerprint, system_fingerprint_calls, repeated_calls, run_at)
select
  bucket, 'cell', toString(run), n, n, n, uncached, cached, output,
  toDecimal128(uncached_price, 24) as a, toDecimal128(cached_price, 24) as b, toDecimal128(output_price, 24) as c,
  a + b + c as total, total / n, n, chars, prompt, n, repeats, now64(3)
from stage"""


def start_of_runs() -> int:
    """Return when the runs begin, in seconds since 1970: they end with yesterday."""
    return (int(time.time()) // 86400 - DAYS) * 86400


def stage(client: Client, runs: Sequence[Run], start: int) -> None:
    """Insert runs; the tenant is the number of the run."""
    client.command(_STAGE)
    for first in range(0, len(runs), _AT_ONCE):
        block = np.concatenate(
            [_rows(run, first + number, start) for number, run in enumerate(runs[first : first + _AT_ONCE])]
        )
        client.raw_insert("stage", insert_block=block.tobytes(), fmt="RowBinary")
    client.command(_MOVE)
    client.command("drop table stage")


def _rows(run: Run, number: int, start: int) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    called = run.calls > 0
    rows = np.zeros(int(called.sum()), np.dtype(list(_FIELDS)))
    uncached_usd, cached_usd, output_usd = run.usd()
    cached = np.round(run.input * run.cached)
    rows["bucket"], rows["run"] = (start + np.arange(BUCKETS) * 600)[called], number
    columns = {
        "calls": run.calls,
        "uncached": np.maximum(np.round(run.input) - cached, 0),
        "cached": cached,
        "output": np.round(run.output),
        "uncached_usd": uncached_usd,
        "cached_usd": cached_usd,
        "output_usd": output_usd,
        "chars": run.chars * run.calls,
        "prompt": run.prompt,
        "repeats": run.repeats,
    }
    for name, values in columns.items():
        rows[name] = values[called]
    return rows
