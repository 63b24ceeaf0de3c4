"""Which agent, and which step of it, a GenAI span belongs to, where no tag says so."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, NamedTuple

from spanledger.attributes import AGENT_NAME, AGENT_STEP
from spanledger.values import TAG_LENGTH_MAX

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Agent", "agent_of", "graph_step"]

_LANGCHAIN_CONFIG: Final = "langchain_core.runnables.config"


class Agent(NamedTuple):
    """An agent that a span has named."""

    name: str
    tag: str | None  # the tag that was in force when the agent started: another one since then is nearer


def agent_of(present: Mapping[str, object], around: Agent | None, tags: Mapping[str, str]) -> Agent | None:
    """Return the agent of a span that starts, by its own word or that of the nearest agent span around it.

    None when neither says, or when a tag that was set inside that agent span is nearer.
    """
    tag = tags.get(AGENT_NAME)
    own = present.get(AGENT_NAME)
    if isinstance(own, str):
        return Agent(own, tag)
    return around if around is not None and around.tag == tag else None


def graph_step() -> dict[str, str]:
    """Return the LangGraph node that is running, as the step of the agent; empty outside of one."""
    module = sys.modules.get(_LANGCHAIN_CONFIG)
    variable = getattr(module, "var_child_runnable_config", None)
    config = variable.get() if variable is not None else None
    node = ((config or {}).get("metadata") or {}).get("langgraph_node")
    return {AGENT_STEP: node[:TAG_LENGTH_MAX]} if isinstance(node, str) and node else {}
