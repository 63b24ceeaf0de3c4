"""Finds what the price book calls a model, from what telemetry calls it: the matching rules are those of genai-prices.

Added to them: the provider names of the OpenTelemetry conventions and of other emitters, and the folders that some APIs
put before a model's name. Nothing is guessed: a name that the rules do not know has no price, and the ledger says so. Nor is
one that fits a rule by a part of it only, unless the rest is known to change no price (a date, a version, a region): a rule
for claude-opus-4-6 and all that starts like it would give claude-opus-4-6-fast a sixth of its price.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from genai_prices.data import providers as bundled_providers
from genai_prices.data_snapshot import DataSnapshot, find_provider_by_id
from genai_prices.types import (
    ClauseAnd,
    ClauseContains,
    ClauseEndsWith,
    ClauseEquals,
    ClauseOr,
    ClauseRegex,
    ClauseStartsWith,
    MatchLogic,
    ModelInfo,
    Provider,
)

from spanledger_collector.prices.extract import list_version

__all__ = ["Resolver", "resolve", "rules_version"]

_PROVIDERS: Final = {
    # gen_ai.provider.name and gen_ai.system of the OpenTelemetry conventions, where the price list says it differently
    "aws.bedrock": "aws",
    "aws_bedrock": "aws",
    "az.ai.inference": "azure",
    "az.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "mistral_ai": "mistral",
    "moonshot_ai": "moonshotai",
    "vertex_ai": "google",
    "x_ai": "x-ai",
    # OpenLLMetry, OpenInference, Vercel AI SDK
    "azure-openai": "azure",
    "azure_openai": "azure",
    "amazon-bedrock": "aws",
    "bedrock": "aws",
    "fireworks_ai": "fireworks",
    "fireworksai": "fireworks",
    "generativeai": "google",
    "gemini": "google",
    "google_genai": "google",
    "grok": "x-ai",
    "mistralai": "mistral",
    "togetherai": "together",
    "vertex.anthropic": "google",
    "vertexai": "google",
    "voyage": "voyageai",
    "voyage_ai": "voyageai",
    "xai": "x-ai",
}
# A provider may be followed by its API, as Vercel's SDK writes it: openai.chat, anthropic.messages.
_API_SUFFIX: Final = re.compile(
    r"[./](chat|completion|responses|messages|embedding|generative-ai|vertex|image|transcription|speech).*"
)
_FOLDERS: Final = re.compile(r"^(?:projects/[^/]+/locations/[^/]+/)?publishers/[^/]+/models/|^models/")
# Only Bedrock names models like this; its clients of Anthropic's make report their maker as the provider.
_BEDROCK: Final = re.compile(r"arn:aws[\w-]*:bedrock:|(?:[a-z-]+\.)?anthropic\.claude", re.IGNORECASE)
# A framework that calls itself the provider tells nothing of who answered.
_UNKNOWN_PROVIDERS: Final = frozenset(
    {"", "_other", "unknown", "other", "none", "litellm", "strands-agents", "microsoft.agent_framework", "langfuse"}
)
# What may follow a model's name without changing its price: dates, versions, latest, preview, the size of the window.
_HARMLESS_TAIL: Final = re.compile(
    r"(?:[-_.:@/](?:latest|default|preview|customtools|native-audio|it|instruct|v\d+(?:[.:]\d+)*|\d+k|1m|00\d"
    r"|\d{4}-\d\d-\d\d|\d{8}|\d{6}|\d{4}|\d\d-\d\d(?:\d\d)?)|\[1m\])*"
)
# What may stand before it: Bedrock's regions and ARNs, though not those of a model that somebody trained or rents by the hour; folders,
# though not of a single region, which may have prices of its own.
_HARMLESS_HEAD: Final = re.compile(
    r"(?:arn:aws[\w-]*:bedrock:[^/]*:(?:foundation-model|inference-profile)/)?(?:(?![a-z-]+-\d/)[\w.-]+/)*(?:[a-z]+\.)*(?:omni-)?"
)
# How a rule for a family ends, such as gemma-3- or claude-sonnet-4-2025: then sizes may follow.
_OPEN_END: Final = re.compile(r"(?:[-_.:@/]20\d\d)?[-_.:@/]*$")
_SIZE: Final = re.compile(r"^-\d+b\b")
_FINE_TUNED: Final = re.compile(r"^ft:|[.:-]ft[:-]")


class Resolver:
    """Resolves names against one price list; keeps what it found."""

    def __init__(self, providers: Sequence[Provider] = bundled_providers) -> None:
        self._providers = list(providers)
        self._list = DataSnapshot(providers=self._providers, from_auto_update=False)

    def resolve(self, provider_raw: str, model_raw: str) -> tuple[str, str] | None:
        """Return provider and model of the price book, or None where no rule fits."""
        model = model_raw.strip()
        if not model:
            return None
        unknown = provider_raw.strip().lower() in _UNKNOWN_PROVIDERS
        provider = None if unknown else self.provider(provider_raw)
        if (unknown or provider == "anthropic") and _BEDROCK.match(model):
            return self._in_provider("aws", model)
        if unknown:
            return self._by_model(model)
        return self._in_provider(provider, model) if provider else None

    def provider(self, provider_raw: str) -> str | None:
        """Return the price list's id of a provider as telemetry names it."""
        name = provider_raw.strip().lower()
        bare = _API_SUFFIX.sub("", name)
        if known := _PROVIDERS.get(name) or _PROVIDERS.get(bare):
            return known
        found = find_provider_by_id(self._providers, name) or find_provider_by_id(self._providers, bare)
        return found.id if found else None

    def _in_provider(self, provider: str, model: str) -> tuple[str, str] | None:
        for name in self._spellings(provider, model):
            try:
                found, price = self._list.find_provider_model(name, None, provider, None)
            except LookupError:
                continue
            return (found.id, price.id) if _fits(price, name.lower()) else None
        return None

    def _spellings(self, provider: str, model: str) -> Iterator[str]:
        """Yield the name as it is, then without the folders or the provider's own name that some APIs put before it."""
        yield model
        if (bare := _FOLDERS.sub("", model)) != model:
            yield bare
        head, slash, tail = model.partition("/")
        if slash and self.provider(head) == provider:
            yield tail

    def _by_model(self, model: str) -> tuple[str, str] | None:
        """Return the provider that the name is prefixed with, as in LiteLLM; else the only one with names like this."""
        head, slash, tail = model.partition("/")
        if slash and (provider := self.provider(head)):
            return self._in_provider(provider, tail)
        name = model.lower()
        fitting = [one.id for one in self._providers if one.model_match is not None and one.model_match.is_match(name)]
        return self._in_provider(fitting[0], model) if len(fitting) == 1 else None


def _fits(model: ModelInfo, name: str) -> bool:
    """Tell whether the name is the model's: in full, or but for what changes no price."""
    if _FINE_TUNED.search(name):
        return bool(_FINE_TUNED.search(model.id))
    return name == model.id.lower() or model.match is None or any(_covers(one, name) for one in _leaves(model.match))


def _leaves(clause: MatchLogic) -> Iterator[MatchLogic]:
    if isinstance(clause, ClauseOr):
        for one in clause.or_:
            yield from _leaves(one)
    else:
        yield clause


def _covers(clause: MatchLogic, name: str) -> bool:
    match clause:
        case ClauseRegex():
            return clause.is_match(name)
        case ClauseEquals(equals=part):  # the library takes dates off names
            return name.startswith(part.lower()) and bool(_HARMLESS_TAIL.fullmatch(name[len(part) :]))
        case ClauseStartsWith(starts_with=part) | ClauseContains(contains=part) | ClauseEndsWith(ends_with=part):
            if not clause.is_match(name):
                return False
            stem = _OPEN_END.sub("", part.lower(), count=1)
            head, _, tail = name.partition(stem)
            tail = _SIZE.sub("", tail) if part.endswith("-") else tail
            return bool(_HARMLESS_HEAD.fullmatch(head) and _HARMLESS_TAIL.fullmatch(tail))
        case ClauseAnd(and_=parts):
            return all(_covers(one, name) for one in parts)
    return False


@cache
def rules_version() -> str:
    """Return the version of the list and of the rules in this file: names that were resolved by others are resolved again."""
    return f"{list_version()}, rules {sha256(Path(__file__).read_bytes()).hexdigest()[:8]}"


def resolve(provider_raw: str, model_raw: str) -> tuple[str, str] | None:
    """Return provider and model of the installed price list for names as telemetry spells them, or None: no guess."""
    return Resolver().resolve(provider_raw, model_raw)
