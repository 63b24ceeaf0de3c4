"""The log on standard error: sentences for people, or one JSON object a line for a collector of logs."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final

from spanledger_collector.exceptions import UsageError

__all__ = ["set_up_logging"]

_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_FORMATS: Final = ("text", "json")
_OF_THE_ENGINE: Final = ("urllib3", "clickhouse_connect")  # what they warn of comes to us as an error, too


def set_up_logging(level: str, form: str) -> None:
    """Log at a level (empty: WARNING; INFO in JSON, where nothing else is printed) and in a format; UsageError for another."""
    form = form.lower() or "text"
    level = level.upper() or ("INFO" if form == "json" else "WARNING")
    if level not in _LEVELS:
        raise UsageError(f"SPANLEDGER_LOG_LEVEL: {level!r} is no level. There are: {', '.join(_LEVELS)}.")
    if form not in _FORMATS:
        raise UsageError(f"SPANLEDGER_LOG_FORMAT: {form!r} is no format. There are: {', '.join(_FORMATS)}.")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _JsonLines() if form == "json" else logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    if level != "DEBUG":
        for name in _OF_THE_ENGINE:
            logging.getLogger(name).setLevel(logging.CRITICAL)


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
