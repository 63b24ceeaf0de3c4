"""What could not be booked: requests that cannot be read and spans that cannot be, kept aside with the reason, bounded in age and size."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from clickhouse_connect.driver.client import Client

__all__ = ["BODY_BYTES_MAX", "RefusedRequest", "Rejected", "keep", "prune", "rejected", "statement"]

BODY_BYTES_MAX: Final = 8_000_000
_BEGINNING_BYTES: Final = 64_000
_BYTES_MAX: Final = 256_000_000
_COLUMNS: Final = ("request", "signal", "encoding", "coding", "tenant", "reason", "bytes", "digest", "body")


@dataclass(frozen=True)
class Rejected:
    """How many spans or log records of a request were kept aside, and why."""

    count: int = 0
    reason: str = ""


@dataclass(frozen=True)
class RefusedRequest:
    """A request that cannot be read, as it came; ``coding`` says how it is packed, where it could not be unpacked."""

    number: int
    signal: str
    encoding: str
    tenant: str
    body: bytes
    reason: str
    coding: str = ""


def statement(name: str) -> str:
    """Return the SQL of one question about the quarantine."""
    return (Path(__file__).parent / f"{name}.sql").read_text("utf-8")


def keep(client: Client, refused: Sequence[RefusedRequest]) -> None:
    """Write requests that cannot be read, each once however often it comes; of one larger than ``BODY_BYTES_MAX`` the beginning.

    Raises ClickHouseError.
    """
    new = {sha256(request.body).hexdigest(): request for request in refused}
    known = client.query(statement("known"), {"digests": list(new)}).result_rows
    for (digest,) in known:
        new.pop(digest.decode() if isinstance(digest, bytes) else digest)
    rows = [
        [
            request.number,
            request.signal,
            request.encoding,
            request.coding,
            request.tenant,
            request.reason,
            len(request.body),
            digest.encode(),
            request.body if len(request.body) <= BODY_BYTES_MAX else request.body[:_BEGINNING_BYTES],
        ]
        for digest, request in new.items()
    ]
    if not rows:
        return
    client.insert("quarantined_requests", rows, column_names=_COLUMNS)
    prune(client)


def rejected(client: Client, first: int, last: int) -> dict[int, Rejected]:
    """Return what was kept aside of the requests with these numbers, which were just written, by their number."""
    rows = client.query(statement("rejected"), {"first": first, "last": last}).result_rows
    if rows:
        prune(client)
    return {int(number): Rejected(int(count), f"Kept aside: {', '.join(reasons)}.") for number, count, reasons in rows}


def prune(client: Client, bytes_max: int = _BYTES_MAX) -> None:
    """Drop the older half of what is kept aside wherever it takes more room than ``bytes_max`` on disk."""
    for table, _ in client.query(statement("oversized"), {"bytes_max": bytes_max}).result_rows:
        middle = client.query(f"select quantileExact(0.5)(received_at) from {table}").result_rows[0][0]
        client.command(
            f"alter table {table} delete where received_at <= {{middle:DateTime64(3, 'UTC')}} settings mutations_sync = 1",
            {"middle": middle},
        )
