"""Reads a question out of an HTTP request, as ClickHouse's HTTP interface takes it."""

import gzip
import re
import zlib
from collections.abc import Mapping
from email import message_from_bytes
from email.message import Message
from typing import Final

from starlette.requests import Request

from spanledger_collector.queries.engine import Question
from spanledger_collector.queries.errors import RefusedError
from spanledger_collector.queries.gate import Parameter
from spanledger_collector.queries.settings import QUERY_BYTES_MAX, checked

__all__ = ["read_body", "read_question"]

_FORMAT_NAME: Final = re.compile(r"[A-Za-z]\w*")
_OWN: Final = frozenset({"query", "database", "default_format", "compress", "decompress"})


async def read_question(request: Request, content: bytes | None = None) -> Question | None:
    """Return the question of a request, None if it has none; RefusedError if it cannot be understood.

    ``content`` is its body where it was read before.
    """
    fields = dict(request.query_params)
    body = _text(await read_body(request) if content is None else content)
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        fields |= _form(request.headers["content-type"], body)
        body = ""
    text = "\n".join(part for part in (fields.get("query", ""), body) if part.strip())
    if len(text.encode()) > QUERY_BYTES_MAX:
        raise _too_large()
    if not text:
        return None
    _refuse_block_compression(fields)
    form = fields.get("default_format") or request.headers.get("x-clickhouse-format") or "TabSeparated"
    if not _FORMAT_NAME.fullmatch(form):
        raise RefusedError(73, "UNKNOWN_FORMAT", f"Unknown format {form!r}.")
    return Question(
        text,
        form,
        fields.get("database") or request.headers.get("x-clickhouse-database") or "",
        {name[6:]: Parameter(value) for name, value in fields.items() if name.startswith("param_")},
        checked({name: value for name, value in fields.items() if name not in _OWN and not name.startswith("param_")}),
    )


async def read_body(request: Request, bytes_max: int = QUERY_BYTES_MAX) -> bytes:
    """Return the body of a request, unpacked; RefusedError when it is too large or packed in a way that is not known here."""
    chunks, size = [], 0
    async for chunk in request.stream():
        chunks.append(chunk)
        size += len(chunk)
        if size > bytes_max:
            raise _too_large()
    body = b"".join(chunks)
    coding = request.headers.get("content-encoding", "identity").lower()
    if coding == "identity":
        return body
    if coding != "gzip":
        raise RefusedError(
            48, "NOT_IMPLEMENTED", f"Content-Encoding {coding} is not supported; send the query as it is or with gzip."
        )
    return _unpacked(body, bytes_max)


def _unpacked(body: bytes, bytes_max: int) -> bytes:
    stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        data = stream.decompress(body, bytes_max + 1)
    except (zlib.error, gzip.BadGzipFile) as error:
        raise RefusedError(36, "BAD_ARGUMENTS", f"The body is not valid gzip: {error}.") from error
    if len(data) > bytes_max:
        raise _too_large()
    if not stream.eof:
        raise RefusedError(36, "BAD_ARGUMENTS", "The gzip body is cut off.")
    return data


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise RefusedError(
            62, "SYNTAX_ERROR", f"The query is not UTF-8: {error.reason} at byte {error.start}."
        ) from error


def _form(content_type: str, body: str) -> dict[str, str]:
    """Return the text fields of a form: drivers send long parameters so."""
    message = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n{body}".encode())
    parts = message.get_payload()
    fields = {}
    for part in parts if isinstance(parts, list) else []:
        name = str(part.get_param("name", "", "content-disposition")) if isinstance(part, Message) else ""
        if name != "query" and not name.startswith("param_"):
            raise RefusedError(
                48, "NOT_IMPLEMENTED", f"Form field {name!r} is not supported: external tables cannot be sent here."
            )
        payload = part.get_payload(decode=True) if isinstance(part, Message) else b""
        fields[name] = _text(payload if isinstance(payload, bytes) else b"")
    return fields


def _refuse_block_compression(fields: Mapping[str, str]) -> None:
    asked = [name for name in ("compress", "decompress") if fields.get(name, "0").lower() not in ("0", "false", "")]
    if asked:
        raise RefusedError(
            48,
            "NOT_IMPLEMENTED",
            f"{asked[0]}=1 (LZ4 or ZSTD blocks) is not supported here; set the driver's compression to gzip or none.",
        )


def _too_large() -> RefusedError:
    return RefusedError(229, "QUERY_IS_TOO_LARGE", f"The query is larger than {QUERY_BYTES_MAX} bytes.")
