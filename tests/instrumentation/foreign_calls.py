"""Calls of clients that only a user's own instrumentor meters: `python foreign_calls.py SECRET`; see foreign.py."""

from __future__ import annotations

import os
import sys
from typing import Any

import spanledger

ASKED: Any = [{"role": "user", "content": f"hi {sys.argv[1]}"}]
URL = os.environ["OPENAI_BASE_URL"].removesuffix("/v1")


def groq() -> None:
    from groq import Groq  # type: ignore[import-not-found] # installed in its own environment

    with Groq(api_key="k", base_url=URL) as client:
        client.chat.completions.create(model="gpt-5-mini", messages=ASKED)


def mistralai() -> None:
    from mistralai.client import Mistral  # type: ignore[import-not-found] # installed in its own environment

    with Mistral(api_key="k", server_url=URL) as client:
        client.chat.complete(model="gpt-5-mini", messages=ASKED)


def litellm() -> None:
    import litellm  # type: ignore[import-not-found] # installed in its own environment

    # Through LiteLLM's own HTTP code, which no other instrumentor sees.
    litellm.completion(model="hosted_vllm/gpt-5-mini", api_base=f"{URL}/v1", api_key="k", messages=ASKED)


if __name__ == "__main__":
    spanledger.instrument()
    for name in ("groq", "mistralai", "litellm"):
        with spanledger.tags(feature=name, team="search"):
            globals()[name]()
