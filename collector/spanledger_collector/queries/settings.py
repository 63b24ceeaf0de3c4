"""Which settings a query may have, and the limits that no query passes."""

import re
from collections.abc import Mapping
from typing import Final

from spanledger_collector.queries.errors import RefusedError

__all__ = [
    "IGNORED",
    "LIMITS",
    "QUERY_BYTES_MAX",
    "READERS",
    "WAITING_MAX",
    "WAITING_SECONDS_MAX",
    "allowed",
    "checked",
    "within_limit",
]

READERS: Final = 4
"""Queries that run at the same time; each has a connection of its own."""
WAITING_MAX: Final = 64
"""Queries that may wait for a reader; more are answered 503."""
WAITING_SECONDS_MAX: Final = 60.0
"""How long a query may wait for a reader; who asked is often gone by then, and those behind it would wait for its answer."""
QUERY_BYTES_MAX: Final = 262_144
"""Largest text of a query, with its parameters; the engine's own max_query_size."""
LIMITS: Final[dict[str, int]] = {
    "max_execution_time": 60,
    "max_result_rows": 1_000_000,
    "max_result_bytes": 500_000_000,
    "max_memory_usage": 2_000_000_000,
}
"""Seconds, rows, bytes, bytes. A query may ask for less, never for more."""
_CEILINGS: Final = LIMITS | {"max_threads": 64, "max_block_size": 1_000_000}

# What clients send by themselves and what has no meaning or no effect here.
IGNORED: Final = frozenset({
    "add_http_cors_header", "allow_experimental_analyzer", "async_insert", "buffer_size",
    "cancel_http_readonly_queries_on_client_close", "cast_string_to_dynamic_use_inference",
    "client_protocol_version", "date_time_input_format", "enable_http_compression",
    "http_headers_progress_interval_ms", "http_write_exception_in_output_format", "http_zlib_compression_level",
    "insert_quorum", "log_comment", "log_queries", "network_compression_method", "network_zstd_compression_level",
    "output_format_native_use_flattened_dynamic_and_json_serialization", "password", "query_id", "quota_key",
    "readonly", "replace_running_query", "role", "send_progress_in_http_headers", "session_check", "session_id",
    "session_timeout", "stacktrace", "use_query_cache", "user", "wait_end_of_query", "wait_for_async_insert",
})  # fmt: skip
# What changes the answer's shape or the query's cost, and reaches nothing outside.
_ALLOWED: Final = frozenset({
    "aggregate_functions_null_for_empty", "date_time_output_format", "describe_compact_output",
    "do_not_merge_across_partitions_select_final", "extremes", "final", "format_csv_delimiter",
    "format_csv_null_representation", "format_tsv_null_representation", "group_by_use_nulls", "join_use_nulls",
    "limit", "max_block_size", "max_bytes_to_read", "max_rows_to_group_by", "max_rows_to_read", "max_threads",
    "offset", "prefer_column_name_to_alias", "read_overflow_mode", "result_overflow_mode", "session_timezone",
    "timeout_overflow_mode", "totals_mode", "union_default_mode",
}) | frozenset(LIMITS)  # fmt: skip
# Output formats' own settings; those that name a schema or a file of the server are left out.
_ALLOWED_PREFIX: Final = re.compile(
    r"output_format_(arrow|bson|csv|decimal|json|markdown|native|orc|parquet|pretty|tsv|values)_\w+"
)
_DENIED: Final = re.compile(r"\w*(schema|template|path|file|url)\w*")


def allowed(name: str) -> bool:
    """Tell whether a query may set this setting, in its URL or in its text."""
    return name in _ALLOWED or bool(_ALLOWED_PREFIX.fullmatch(name) and not _DENIED.fullmatch(name))


def within_limit(name: str, value: str) -> bool:
    """Tell whether a value is a number above zero (zero means no limit) and not above the limit of the setting."""
    limit = _CEILINGS.get(name)
    return limit is None or 0 < _number(name, value) <= limit


def checked(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of a URL that take effect, limits cut to ours; RefusedError for one that is not listed."""
    effective = {}
    for name, value in settings.items():
        if name in IGNORED:
            continue
        if not allowed(name):
            message = f"Cannot modify '{name}' setting in readonly mode: it is not one that a query may have here."
            raise RefusedError(164, "READONLY", message)
        # Drivers send their own timeout plus a margin: more than our limit means our limit.
        effective[name] = value if within_limit(name, value) else str(_CEILINGS[name])
    return effective


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise RefusedError(72, "CANNOT_PARSE_NUMBER", f"Setting {name} takes a number, not {value!r}.") from None
