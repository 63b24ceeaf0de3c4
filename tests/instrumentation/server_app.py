"""An ASGI application that calls a model in each request, for servers of any kind to run."""

from __future__ import annotations

import os
from typing import Any

import openai

import spanledger

spanledger.instrument()


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer one request with the id of the process that served it."""
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return
    async with openai.AsyncOpenAI() as client:
        with spanledger.tags(feature=scope["path"]):
            await client.chat.completions.create(model="gpt-5-mini", messages=[{"role": "user", "content": "hi"}])
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})


def wsgi(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Do the same for a server of synchronous workers."""
    with openai.OpenAI() as client, spanledger.tags(feature=environ["PATH_INFO"]):
        client.chat.completions.create(model="gpt-5-mini", messages=[{"role": "user", "content": "hi"}])
    start_response("200 OK", [("content-type", "text/plain")])
    return [str(os.getpid()).encode()]
