"""Errors of the endpoint, in ClickHouse's own words and codes."""

import re
from typing import Final

from clickhouse_connect.driver.exceptions import DatabaseError

from spanledger_collector.exceptions import QueryError

__all__ = ["RefusedError", "http_status", "of_engine"]

# ClickHouse's own table, src/Server/HTTP/exceptionCodeToHTTPStatus.cpp; only 202 (too many queries) and 243 (no space) are 503
# here, so that clients try again.
_STATUS: Final[dict[int, tuple[int, ...]]] = {
    400: (6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321, 376, 427, 441, 675, 676),
    401: (194,),
    403: (192, 193, 497, 512, 516),
    404: (46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511),
    408: (159,),
    413: (229,),
    501: (48,),
    503: (76, 202, 209, 243, 439),
}
_STATUS_OF: Final = {code: status for status, codes in _STATUS.items() for code in codes}
# What the gate's own question adds to a message about the user's statement.
_GATE_SCOPE: Final = re.compile(
    r": (?:In scope|While processing) SELECT (?:formatQuerySingleLine|parseQueryToJSON)\(.*\)", re.DOTALL
)


class RefusedError(QueryError):
    """A request that is not executed or failed; ``text`` is what ClickHouse would answer."""

    def __init__(self, code: int, name: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.name = name

    @property
    def text(self) -> str:
        """The body of the answer."""
        return f"Code: {self.code}. DB::Exception: {self} ({self.name})\n"


def http_status(code: int) -> int:
    """Return the HTTP status that ClickHouse answers with for one of its error codes."""
    return _STATUS_OF.get(code, 500)


def of_engine(error: DatabaseError) -> RefusedError:
    """Return the engine's error without what the gate's question added to it."""
    text = _GATE_SCOPE.sub("", str(error)).strip()
    message = re.sub(r"^Code: \d+\. DB::Exception: ", "", text)
    name = error.name or "UNKNOWN_EXCEPTION"
    return RefusedError(error.code or 1002, name, message.removesuffix(f" ({name})"))
