"""Everything that this package raises on purpose.

SpanledgerError
├── UsageError          the caller asked for something that cannot be (exit code 2)
├── StoreError          the store cannot be opened, or is in use
│   └── StoreInUseError another process serves it; says which, and where it listens
├── UnsettledError      the ledger still has to catch up before it can be closed
├── MigrationError      a migration failed, or an applied one was edited
├── QueryError          the database refused a statement
├── PriceError          a price that cannot be right
└── InputError          a file or request that is not what it should be
"""

__all__ = [
    "InputError",
    "MigrationError",
    "PriceError",
    "QueryError",
    "SpanledgerError",
    "StoreError",
    "StoreInUseError",
    "UnsettledError",
    "UsageError",
]


class SpanledgerError(Exception):
    """Base of all errors; its text is one sentence that says what, where, and what to do."""


class UsageError(SpanledgerError):
    """The command or call was given something that cannot be."""


class StoreError(SpanledgerError):
    """The store cannot be opened or written."""


class StoreInUseError(StoreError):
    """Another process has the store open."""


class UnsettledError(SpanledgerError):
    """What was asked needs a ledger that is up to date, and this one is not yet."""


class MigrationError(SpanledgerError):
    """A migration failed, or an applied file changed."""


class QueryError(SpanledgerError):
    """The database refused a statement."""


class PriceError(SpanledgerError):
    """A price that cannot be right."""


class InputError(SpanledgerError):
    """A file or request that is not what it claims to be."""
