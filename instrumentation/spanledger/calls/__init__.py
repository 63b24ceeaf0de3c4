"""Around each request of a client: what it says of the prompt, how often it goes out, and what it must not carry."""

from spanledger.calls.clients import wrap_clients
from spanledger.calls.guard import Guard, set_guard
from spanledger.calls.options import CallOptions, call_options, configure, options_from
from spanledger.calls.record import facts_of, note_start
from spanledger.calls.request import CallRequest
from spanledger.calls.retrieved import mark_retrieved

__all__ = [
    "CallOptions",
    "CallRequest",
    "Guard",
    "call_options",
    "configure",
    "facts_of",
    "mark_retrieved",
    "note_start",
    "options_from",
    "set_guard",
    "wrap_clients",
]
