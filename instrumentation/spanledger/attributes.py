"""The names of the span attributes that spanledger reads and writes, each in one place."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Final

__all__ = [
    "AGENT_NAME",
    "AGENT_STEP",
    "ATTEMPTS",
    "CACHE_WRITE_TTLS",
    "COST_AMOUNT",
    "COST_CURRENCY",
    "COST_SOURCE",
    "COST_USD",
    "NATIVE_ANTHROPIC_SCOPE",
    "OUTCOME",
    "OUTCOME_EVENT",
    "PARENT_GENAI_SPAN_ID",
    "PREFIX_FINGERPRINT",
    "PROMPT_CHARS",
    "PROMPT_FINGERPRINT",
    "SDK_VERSION",
    "SEQUENCE",
    "SERVICE_INSTANCE_ID",
    "SESSION_ID",
    "SYSTEM_FINGERPRINT",
    "TAG_ATTRIBUTES",
    "TAG_NAMES",
    "TASK",
    "TASK_ID",
    "TEMPLATE_FINGERPRINT",
    "USER_ATTRIBUTES",
    "USER_ID",
    "USER_PSEUDONYM",
    "VERSION",
]


def _version() -> str:
    try:
        return version("spanledger")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0+unknown"


VERSION: Final = _version()

AGENT_NAME: Final = "gen_ai.agent.name"
AGENT_STEP: Final = "spanledger.agent.step"
TASK: Final = "spanledger.task"
TASK_ID: Final = "spanledger.task.id"
USER_ID: Final = "user.id"
SESSION_ID: Final = "session.id"

# Keyword of tags() -> span attribute. A standard name where there is one, ours where there is none.
TAG_ATTRIBUTES: Final = {
    "tenant": "spanledger.tenant",
    "team": "spanledger.team",
    "feature": "spanledger.feature",
    "task": TASK,
    "user": USER_ID,
    "session": SESSION_ID,
    "agent": AGENT_NAME,
    "agent_step": AGENT_STEP,
}

# Where emitters write who the end user is. With a key for pseudonyms none of them leaves as it is.
USER_ATTRIBUTES: Final = (
    USER_ID,
    "user.email",
    "user.name",
    "user.full_name",
    "user.account_uuid",
    "enduser.id",
    "process.owner",
    "gen_ai.user",
    "gen_ai.request.user",
    "gen_ai.openai.request.user",
    "llm.user",
    "traceloop.association.properties.user_id",
    "langfuse.user.id",
    "langsmith.metadata.user_id",
)
# The value of `user.id` that is a pseudonym already, so that nobody downstream makes one of it again.
USER_PSEUDONYM: Final = "spanledger.user.pseudonym"

# Everything that tags(), task() and baggage may put on a span.
TAG_NAMES: Final = frozenset({*TAG_ATTRIBUTES.values(), TASK_ID, USER_PSEUDONYM})

# The display copy of a call's cost, as proposed to the conventions, and the exact amount. The server sums neither.
COST_AMOUNT: Final = "gen_ai.usage.cost.amount"
COST_CURRENCY: Final = "gen_ai.usage.cost.currency"
COST_SOURCE: Final = "gen_ai.usage.cost.source"
COST_USD: Final = "spanledger.cost_usd"

ATTEMPTS: Final = "spanledger.attempts"
# For how long a request asks to keep what it writes to the cache: 5m, 1h, or both; an answer does not always tell.
CACHE_WRITE_TTLS: Final = "spanledger.cache_write.ttls"
# Part of the prompt -> how many characters it has.
PROMPT_CHARS: Final = {
    part: f"spanledger.prompt.{part}.chars"
    for part in ("system", "history", "user", "tool", "retrieved", "tool_definitions")
}
PROMPT_FINGERPRINT: Final = "spanledger.prompt.fingerprint"
PREFIX_FINGERPRINT: Final = "spanledger.prompt.prefix.fingerprint"
SYSTEM_FINGERPRINT: Final = "spanledger.prompt.system.fingerprint"
TEMPLATE_FINGERPRINT: Final = "spanledger.prompt.template.fingerprint"

PARENT_GENAI_SPAN_ID: Final = "spanledger.parent_genai_span_id"
SEQUENCE: Final = "spanledger.sequence"
SERVICE_INSTANCE_ID: Final = "service.instance.id"
SDK_VERSION: Final = "spanledger.sdk.version"

OUTCOME: Final = "spanledger.outcome"
OUTCOME_EVENT: Final = "spanledger.outcome"

# The anthropic client (2.x) emits a span of its own under this scope, inside the one of the instrumentation.
NATIVE_ANTHROPIC_SCOPE: Final = "com.anthropic.sdk.python"
