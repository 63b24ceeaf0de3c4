"""Writes the digests of the SQL files that a test pins: `python -m tests.sql.freeze`."""

from pathlib import Path

from spanledger_collector.migrations import read_migrations

if __name__ == "__main__":
    lines = [f"{migration.number:03}_{migration.name} {migration.digest}\n" for migration in read_migrations()]
    Path(__file__).with_name("frozen.txt").write_text("".join(lines))
