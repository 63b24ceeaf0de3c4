"""Tags: who and what a call is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanledger.attributes import TAG_ATTRIBUTES
from spanledger.once import warn_once
from spanledger.scopes import TagScope, add_to_request
from spanledger.values import tag_text

if TYPE_CHECKING:
    from spanledger.values import TagValue

__all__ = ["add_tags", "agent", "step", "tags"]


def tags(
    *,
    team: TagValue = None,
    feature: TagValue = None,
    tenant: TagValue = None,
    user: TagValue = None,
    session: TagValue = None,
    task: TagValue = None,
    agent: TagValue = None,
    agent_step: TagValue = None,
) -> TagScope:
    """Tag every span started inside a `with`, or inside a function, coroutine or generator that this decorates.

    Scopes nest, the inner one wins tag by tag, and None leaves a tag as it is. Values are strings (whole numbers, UUIDs
    and members of an Enum are turned into one), cut at 128 characters. A value that is none of these is left out and
    warned of once: it may come from a request, and a call must not fail for it. An unknown tag is a TypeError on the
    caller's own line, as any unknown argument is.
    """
    return TagScope(
        _attributes(
            {
                "team": team,
                "feature": feature,
                "tenant": tenant,
                "user": user,
                "session": session,
                "task": task,
                "agent": agent,
                "agent_step": agent_step,
            }
        )
    )


def agent(name: TagValue, *, step: TagValue = None) -> TagScope:
    """Name the agent at work, in a `with` or as a decorator; a step of an agent around it is not a step of this one."""
    return TagScope(_attributes({"agent": name, "agent_step": step}))


def step(name: TagValue) -> TagScope:
    """Name the step that the agent is at, in a `with` or as a decorator."""
    return TagScope(_attributes({"agent_step": name}))


def add_tags(
    *,
    team: TagValue = None,
    feature: TagValue = None,
    tenant: TagValue = None,
    user: TagValue = None,
    session: TagValue = None,
) -> None:
    """Tag the rest of the request that TagMiddleware has opened, from wherever in it: also a synchronous dependency.

    A `with tags(...)` inside the request wins over these. Outside a request this is dropped and warned of once.
    """
    given = {"team": team, "feature": feature, "tenant": tenant, "user": user, "session": session}
    if not add_to_request(_attributes(given)):
        warn_once(
            "add-tags",
            "add_tags() is dropped: no request is open; add spanledger.TagMiddleware to the application, "
            "or use `with spanledger.tags(...)`",
        )


def _attributes(given: dict[str, TagValue]) -> dict[str, str]:
    return {
        TAG_ATTRIBUTES[name]: text
        for name, value in given.items()
        if value is not None and (text := tag_text(name, value))
    }
