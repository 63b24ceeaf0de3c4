"""spanledger: meters every LLM call of a service, says who it was for, and sends it to the ledger.

import spanledger
spanledger.instrument()

with spanledger.tags(team="support", feature="chat", tenant="acme"):
    client.chat.completions.create(...)
"""

from spanledger.api import instrument
from spanledger.attributes import VERSION
from spanledger.calls import mark_retrieved
from spanledger.exceptions import CallRefused, SettingsError, SpanledgerError
from spanledger.messages import carry, message_headers, received
from spanledger.middleware import TagMiddleware
from spanledger.scopes import TagScope
from spanledger.session import Instrumentation
from spanledger.tags import add_tags, agent, step, tags
from spanledger.tasks import TaskScope, outcome, task

__version__ = VERSION

__all__ = [
    "CallRefused",
    "Instrumentation",
    "SettingsError",
    "SpanledgerError",
    "TagMiddleware",
    "TagScope",
    "TaskScope",
    "__version__",
    "add_tags",
    "agent",
    "carry",
    "instrument",
    "mark_retrieved",
    "message_headers",
    "outcome",
    "received",
    "step",
    "tags",
    "task",
]
