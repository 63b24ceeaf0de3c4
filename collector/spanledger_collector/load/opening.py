"""Makes sure, before a run, that somebody takes what it would send."""

import ssl
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import requests

from spanledger_collector.exceptions import StoreError, UsageError
from spanledger_collector.load.sending import Batch, Client
from spanledger_collector.refusals import refusal

__all__ = ["check"]

_SECONDS_MAX: Final = 10
_BUSY: Final = (429, 502, 503, 504)  # as OTLP has it: what may be sent again
_LEVERS: Final = {
    401: "--token-file names the file with a token that it knows",
    403: "--token-file names the file with a token that may send",
}
_NO_OTLP: Final = "give the address of a receiver of OTLP over HTTP (port 4318 as a rule), without /v1/traces"


def check(url: str, headers: dict[str, str], ca: Path | None) -> None:
    """Send an empty request; UsageError for what cannot be an address or a certificate, StoreError where nobody takes it.

    One who is only busy is no error: how that ends is what a run finds out.
    """
    _check_address(url)
    _check_certificate(ca)
    client = Client(iter(()), ca=ca)
    try:
        with client.session() as session:
            answer = client.answer(session, url, Batch("/v1/traces", headers, b"", 0), _SECONDS_MAX)
    except (requests.RequestException, UnicodeError) as error:
        raise StoreError(f"Nothing was sent: {url} does not take it. {_reason(error)}") from error
    status = answer.status_code
    if status != requests.codes.ok and status not in _BUSY:
        raise StoreError(
            f"Nothing was sent: {url} answered with HTTP status {status}; {_LEVERS.get(status, _NO_OTLP)}."
        )


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not parts.username
    except ValueError:
        usable = False
    if not usable:  # not repeated: it may hold a password
        raise UsageError("--otlp: that is no address; write it as https://gateway:4318, the token by --token-file.")


def _check_certificate(ca: Path | None) -> None:
    try:
        if ca:
            ssl.create_default_context(cafile=ca)
    except OSError as error:  # ssl.SSLError is one
        reason = getattr(error, "reason", None) or error.strerror
        raise UsageError(f"--ca: {ca} cannot be used: {reason}. Name a file of certificates in PEM.") from error


def _reason(error: Exception) -> str:
    """Return why nobody answered, and what may help, in words."""
    if isinstance(error, UnicodeError | requests.exceptions.InvalidHeader):
        return "The token has characters that no header can carry: look into its file."
    if isinstance(error, requests.exceptions.SSLError):
        return "Its certificate is not trusted, or it speaks no TLS: --ca names the certificate to trust, http:// is without."
    if isinstance(error, requests.exceptions.Timeout):
        return f"It did not answer within {_SECONDS_MAX} s: is the address right, and the way to it open?"
    reason = refusal(error)  # the system's word; where it has none, the client's, with its objects
    return (
        f"It cannot be reached: {'No answer came.' if '(' in reason else reason} Is the address right, and does it run?"
    )
