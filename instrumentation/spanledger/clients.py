"""The table of LLM clients: how each is recognised, and which instrumentations can meter it, best first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["CLIENTS", "Client"]


@dataclass(frozen=True)
class Client:
    """A library that calls models, or a framework above such libraries."""

    # Our extra, where there is an official instrumentation; OTEL_PYTHON_DISABLED_INSTRUMENTATIONS knows it too.
    name: str
    # Once this module is imported the client is in use. It must be complete enough to be patched at its end.
    module: str
    # Distributions with an entry point of OpenTelemetry's group. Several projects use the same entry-point name.
    official: str | None = None
    others: tuple[str, ...] = ()
    # A module that is patched too: while it is only half imported, its end is waited for.
    awaited: str | None = None
    # What its instrumentation declares too narrowly: versions with which our tests have seen it work.
    also_fits: str | None = None
    # False where importing it tells nothing: a framework's calls are metered at the client, most of AWS is no model.
    is_calling_models: bool = True

    @property
    def distributions(self) -> tuple[str, ...]:
        """Every distribution that can meter this client, best first."""
        return ((self.official,) if self.official else ()) + self.others

    @property
    def requirement(self) -> str:
        """What to give to pip so that the client is metered."""
        return f"'spanledger[{self.name}]'" if self.official else self.others[0]


_GENAI: Final = "opentelemetry-instrumentation-genai-"
_OPENLLMETRY: Final = "opentelemetry-instrumentation-"
_OPENINFERENCE: Final = "openinference-instrumentation-"


def _both(openllmetry: str, openinference: str = "") -> tuple[str, ...]:
    return (_OPENLLMETRY + openllmetry, _OPENINFERENCE + (openinference or openllmetry))


CLIENTS: Final = (
    # Clients with an official instrumentation.
    Client("openai", "openai", _GENAI + "openai", (*_both("openai"), _OPENLLMETRY + "openai-v2")),
    Client("anthropic", "anthropic", _GENAI + "anthropic", _both("anthropic")),
    Client(
        "bedrock",
        "botocore.client",
        _GENAI + "bedrock",
        # The one for all of AWS speaks of Bedrock too. Where it runs it keeps its spans, and no second one is added.
        (*_both("bedrock"), _OPENLLMETRY + "botocore"),
        is_calling_models=False,
    ),
    Client(
        "google",
        "google.genai",
        "opentelemetry-instrumentation-google-genai",
        _both("google-generativeai", "google-genai"),
        also_fits="google-genai>=3,<4",
    ),
    Client("portkey", "portkey_ai", _GENAI + "portkey", (_OPENINFERENCE + "portkey",)),
    Client("qwen-agent", "qwen_agent", _GENAI + "qwen-agent", is_calling_models=False),
    # Frameworks with an official instrumentation.
    Client(
        "langchain",
        "langchain_core",
        _GENAI + "langchain",
        _both("langchain"),
        awaited="langgraph.pregel",
        is_calling_models=False,
    ),
    Client(
        "llamaindex",
        "llama_index.core",
        _GENAI + "llama-index",
        _both("llamaindex", "llama-index"),
        is_calling_models=False,
    ),
    Client("openai-agents", "agents", _GENAI + "openai-agents", _both("openai-agents"), is_calling_models=False),
    Client("agno", "agno", _GENAI + "agno", _both("agno"), is_calling_models=False),
    Client("dspy", "dspy", _GENAI + "dspy", (_OPENINFERENCE + "dspy",), is_calling_models=False),
    Client(
        "smolagents", "smolagents", _GENAI + "smolagents", (_OPENINFERENCE + "smolagents",), is_calling_models=False
    ),
    # Clients that only OpenLLMetry and OpenInference meter: the one that the user has installed.
    Client("cohere", "cohere", others=_both("cohere")),
    Client("groq", "groq", others=_both("groq")),
    Client("litellm", "litellm", others=_both("litellm")),
    # From version 2 on the first of these modules is a namespace, which nobody hears the import of.
    Client("mistralai", "mistralai", others=_both("mistralai"), awaited="mistralai.client"),
    Client("ollama", "ollama", others=_both("ollama")),
    Client("replicate", "replicate", others=(_OPENLLMETRY + "replicate",)),
    Client("together", "together", others=_both("together")),
    Client("vertexai", "vertexai", others=_both("vertexai")),
    Client("voyageai", "voyageai", others=(_OPENLLMETRY + "voyageai",)),
    # Frameworks that only those two know.
    Client("crewai", "crewai", others=_both("crewai"), is_calling_models=False),
    Client("google-adk", "google.adk", others=(_OPENINFERENCE + "google-adk",), is_calling_models=False),
    Client("haystack", "haystack", others=_both("haystack"), is_calling_models=False),
)
