"""Reads a question out of an HTTP request, as ClickHouse's HTTP interface takes it."""

import asyncio
import re
from collections.abc import Mapping
from email.message import Message
from email.parser import BytesHeaderParser
from typing import Final

from starlette.requests import Request

from spanledger_collector.queries.coding import unframed, unpacked
from spanledger_collector.queries.engine import Question
from spanledger_collector.queries.errors import RefusedError
from spanledger_collector.queries.gate import Parameter
from spanledger_collector.queries.settings import QUERY_BYTES_MAX, checked

__all__ = ["is_on", "read_body", "read_question"]

_FORMAT_NAME: Final = re.compile(r"[A-Za-z]\w*")
_OWN: Final = frozenset({"query", "database", "default_format", "compress", "decompress"})


async def read_question(request: Request, content: bytes, tenant: str | None = None) -> Question | None:
    """Return the question of a request with this body, None if it has none; RefusedError if it cannot be understood."""
    fields = dict(request.query_params)
    body = _text(content)
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        fields |= _form(request.headers["content-type"], body)
        body = ""
    text = "\n".join(part for part in (fields.get("query", ""), body) if part.strip())
    if len(text.encode()) > QUERY_BYTES_MAX:
        raise _too_large()
    if not text:
        return None
    form = fields.get("default_format") or request.headers.get("x-clickhouse-format") or "TabSeparated"
    if not _FORMAT_NAME.fullmatch(form):
        raise RefusedError(73, "UNKNOWN_FORMAT", f"Unknown format {form!r}.")
    return Question(
        text,
        form,
        fields.get("database") or request.headers.get("x-clickhouse-database") or "",
        {name[6:]: Parameter(value) for name, value in fields.items() if name.startswith("param_")},
        checked({name: value for name, value in fields.items() if name not in _OWN and not name.startswith("param_")}),
        tenant,
    )


async def read_body(request: Request, bytes_max: int = QUERY_BYTES_MAX) -> bytes:
    """Return the body of a request, unpacked; RefusedError when it is too large or packed in a way that is not known here."""
    chunks, size = [], 0
    async for chunk in request.stream():
        chunks.append(chunk)
        size += len(chunk)
        if size > bytes_max:
            raise _too_large(bytes_max)
    body = b"".join(chunks)
    coding = request.headers.get("content-encoding", "")
    if coding:
        body = await asyncio.to_thread(unpacked, body, coding, bytes_max)
    return await asyncio.to_thread(unframed, body, bytes_max) if is_on(request.query_params, "decompress") else body


def is_on(fields: Mapping[str, str], name: str) -> bool:
    """Tell whether a switch among the parameters of a URL is on."""
    return fields.get(name, "0").lower() not in ("0", "false", "")


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise RefusedError(
            62, "SYNTAX_ERROR", f"The query is not UTF-8: {error.reason} at byte {error.start}."
        ) from error


def _form(content_type: str, body: str) -> dict[str, str]:
    """Return the text fields of a form: drivers send long parameters so."""
    boundary = re.escape(_head(f"Content-Type: {content_type}".encode()).get_boundary() or "")
    parts = re.split(rf"(?:\A|\r?\n)--{boundary}(?:--)?[ \t]*(?:\r?\n|\Z)", body)[1:] if boundary else []
    fields = {}
    for part in (_head(text.encode()) for text in parts if text.strip()):
        name = str(part.get_param("name", "", "content-disposition"))
        if name != "query" and not name.startswith("param_"):
            raise RefusedError(
                48, "NOT_IMPLEMENTED", f"Form field {name!r} is not supported: external tables cannot be sent here."
            )
        payload = part.get_payload(decode=True)
        fields[name] = _text(payload if isinstance(payload, bytes) else b"")
    return fields


def _head(text: bytes) -> Message:
    """Return a message whose body is a text, whatever its type: parts within parts could keep everybody waiting."""
    return BytesHeaderParser().parsebytes(text)


def _too_large(bytes_max: int = QUERY_BYTES_MAX) -> RefusedError:
    return RefusedError(229, "QUERY_IS_TOO_LARGE", f"The query is larger than {bytes_max} bytes.")
