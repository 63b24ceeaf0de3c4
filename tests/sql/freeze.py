"""Writes the digests of the SQL files that a test pins, those that hold data: `python -m tests.sql.freeze`."""

from pathlib import Path

from spanledger_collector.migrations import read_migrations

if __name__ == "__main__":
    frozen = [migration for migration in read_migrations() if not migration.is_definition]
    lines = [f"{migration.label}_{migration.name} {migration.digest}\n" for migration in frozen]
    Path(__file__).with_name("frozen.txt").write_text("".join(lines))
