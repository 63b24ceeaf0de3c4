"""Tasks and their outcomes, which make cost per completed task."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from spanledger.attributes import OUTCOME, TASK, TASK_ID
from spanledger.once import warn_once
from spanledger.scopes import TagScope, current_tags
from spanledger.session import active_instrumentation, inert_instrumentation
from spanledger.tags import tags
from spanledger.values import TAG_LENGTH_MAX, tag_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanledger.values import TagValue

__all__ = ["TaskScope", "outcome", "task"]


class TaskScope(TagScope):
    """A task that is under way. `id` joins its calls with the outcome, also when that is known later or elsewhere."""

    def __init__(self, attributes: Mapping[str, str], given_id: str = "") -> None:
        self.id = given_id or uuid.uuid4().hex
        self._given_id = given_id
        super().__init__({**attributes, TASK_ID: self.id})

    def _fresh(self) -> TaskScope:
        # A new id, unless one was given: every call of a decorated function is a task of its own.
        return TaskScope(self._attributes, self._given_id)


def task(
    name: str,
    *,
    task_id: TagValue = None,
    team: TagValue = None,
    feature: TagValue = None,
    tenant: TagValue = None,
    user: TagValue = None,
    session: TagValue = None,
    agent: TagValue = None,
) -> TaskScope:
    """Run a unit of work under a name and an id, in a `with` or as a decorator; within another task it is its own.

    The id is fresh, unless `task_id` gives one: that of the ticket, say, or of a task that goes on in this process.
    Takes the tags of a request too. Raises TypeError when the name is not a string.
    """
    if not isinstance(name, str) or not name.strip():
        raise TypeError(f"task() expects the name of the task, got {name!r}")
    scope = tags(task=name, team=team, feature=feature, tenant=tenant, user=user, session=session, agent=agent)
    return TaskScope(scope._attributes, tag_text("task_id", task_id))  # noqa: SLF001 - the subclass takes over what its base has checked


def outcome(value: str, *, task_id: TagValue = None) -> None:
    """Record how the current task ended, as a log event next to its spans: `outcome("resolved")`.

    `task_id` names a task that is over or ran elsewhere (`task.id`). Raises TypeError when the value is not a string.
    Without a task there is nothing to join: that is warned of once and dropped.
    """
    if not isinstance(value, str) or not value.strip():
        raise TypeError(f"outcome() expects a word such as 'resolved', got {value!r}")
    in_force = current_tags()
    joined_id = tag_text("task_id", task_id) or in_force.get(TASK_ID)
    if not joined_id:
        warn_once("outcome-without-task", "outcome(%r) is dropped: no spanledger.task(...) is active", value)
        return
    attributes = {TASK_ID: joined_id, OUTCOME: value.strip()[:TAG_LENGTH_MAX]}
    # The name belongs to the task in force; a task named by id alone may be another one.
    if in_force.get(TASK_ID) == joined_id and TASK in in_force:
        attributes[TASK] = in_force[TASK]
    (active_instrumentation() or inert_instrumentation()).emit_outcome(attributes)
