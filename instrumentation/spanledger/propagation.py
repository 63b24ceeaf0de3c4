"""Tags across services: as W3C baggage, those that the operator lists, and from callers that the operator trusts."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Final

from opentelemetry import baggage, propagate
from opentelemetry import context as otel_context
from opentelemetry.propagators.textmap import TextMapPropagator, default_getter, default_setter

from spanledger.attributes import TAG_ATTRIBUTES, TAG_NAMES, TASK, TASK_ID, USER_ID, USER_PSEUDONYM
from spanledger.once import warn_once
from spanledger.scopes import current_tags, with_inbound_tags
from spanledger.values import TAG_LENGTH_MAX

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from opentelemetry.context import Context
    from opentelemetry.propagators.textmap import CarrierT, Getter, Setter

    from spanledger.users import Pseudonyms

__all__ = ["TagPropagator", "carried_attributes", "propagate_tags"]

_lock: Final = threading.Lock()
_UNREADABLE: Final = "\N{REPLACEMENT CHARACTER}"  # what bytes that are no UTF-8 decode to
_BROKEN_ENCODING: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


def carried_attributes(tags: Collection[str]) -> frozenset[str]:
    """Return the attributes that these tags travel as: the id of a task goes with its name."""
    names = {TAG_ATTRIBUTES[tag] for tag in tags}
    if TASK in names:
        names.add(TASK_ID)
    if USER_ID in names:
        names.add(USER_PSEUDONYM)
    return frozenset(names)


class TagPropagator(TextMapPropagator):
    """The application's propagator, with the listed tags as baggage on the way out and back into tags on the way in.

    Tags become baggage only here, as headers are written, so nothing else in the process takes them for its own.
    """

    def __init__(self, inner: TextMapPropagator) -> None:
        self.inner = inner
        self._carried: frozenset[str] = frozenset()
        self._is_trusting = False
        self._pseudonyms: Pseudonyms | None = None

    def carry(self, tags: Collection[str], *, is_trusting: bool, pseudonyms: Pseudonyms | None) -> None:
        """Say which tags travel, and whether those of callers count."""
        self._carried = carried_attributes(tags)
        self._is_trusting = is_trusting
        self._pseudonyms = pseudonyms

    def inject(
        self, carrier: CarrierT, context: Context | None = None, setter: Setter[CarrierT] = default_setter
    ) -> None:
        try:
            context = self._with_baggage(otel_context.get_current() if context is None else context)
        except Exception:  # noqa: BLE001 - the request comes first
            warn_once("baggage-out", "spanledger: the tags of a request could not be propagated", with_error=True)
        self.inner.inject(carrier, context=context, setter=setter)

    def extract(
        self, carrier: CarrierT, context: Context | None = None, getter: Getter[CarrierT] = default_getter
    ) -> Context:
        extracted = self.inner.extract(carrier, context=context, getter=getter)
        try:
            # Propagators begin with an empty context when they are given none; the scopes around go on all the same.
            scopes = otel_context.get_current() if context is None else context
            inbound, extracted = self._inbound(extracted, _broken_names(getter.get(carrier, "baggage")))
            return with_inbound_tags(extracted, inbound, scopes_of=scopes)
        except Exception:  # noqa: BLE001 - the request comes first
            warn_once("baggage-in", "spanledger: the tags of a request could not be read", with_error=True)
            return extracted

    @property
    def fields(self) -> set[str]:
        return self.inner.fields

    def _with_baggage(self, context: Context) -> Context:
        tags = current_tags(context)
        for name in self._carried.difference((USER_ID, USER_PSEUDONYM)).intersection(tags):
            context = baggage.set_baggage(name, tags[name], context)
        if USER_ID in tags and USER_ID in self._carried:
            name, value = self._outbound_user(tags)
            if value:
                context = baggage.set_baggage(name, value, context)
        return context

    def _outbound_user(self, tags: Mapping[str, str]) -> tuple[str, str | None]:
        user_id = tags[USER_ID]
        if user_id == tags.get(USER_PSEUDONYM):
            return USER_PSEUDONYM, user_id
        if self._pseudonyms is None:
            return USER_ID, user_id
        return USER_PSEUDONYM, self._pseudonyms.of(user_id)

    def _inbound(self, context: Context, broken: Collection[str]) -> tuple[dict[str, str], Context]:
        """Take our names out of the baggage: what is not listed, or comes from nobody trusted, is not relayed either."""
        inbound: dict[str, str] = {}
        for name in TAG_NAMES.intersection(baggage.get_all(context)):
            value = str(baggage.get_baggage(name, context)).strip()
            context = baggage.remove_baggage(name, context)
            if name in broken or _UNREADABLE in value or not value.isprintable():
                warn_once(f"baggage-{name}", "spanledger: %s in the baggage of a request is unreadable, left out", name)
            elif value and self._is_trusting and name in self._carried:
                inbound[name] = value[:TAG_LENGTH_MAX]
        if USER_PSEUDONYM in inbound:
            inbound[USER_ID] = inbound[USER_PSEUDONYM]
        return inbound, context


def _broken_names(headers: Iterable[str] | None) -> frozenset[str]:
    entries = (entry.partition("=") for header in headers or () for entry in header.split(","))
    return frozenset(name.strip() for name, _, value in entries if _BROKEN_ENCODING.search(value))


def propagate_tags(tags: Collection[str], *, is_trusting: bool, pseudonyms: Pseudonyms | None) -> None:
    """Make the global propagator carry these tags; it is left alone when none are listed."""
    with _lock:
        carrier = _installed()
        if carrier is None and tags:
            carrier = TagPropagator(propagate.get_global_textmap())
            propagate.set_global_textmap(carrier)
        if carrier is not None:
            carrier.carry(tags, is_trusting=is_trusting, pseudonyms=pseudonyms)


def _installed() -> TagPropagator | None:
    """Return ours, which others may have been put around."""
    propagator: TextMapPropagator | None = propagate.get_global_textmap()
    while propagator is not None and not isinstance(propagator, TagPropagator):
        propagator = getattr(propagator, "inner", None)
    return propagator
