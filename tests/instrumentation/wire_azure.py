"""Azure OpenAI's addresses around OpenAI's wire format: the deployment is in the path, the key in `api-key`."""

from __future__ import annotations

from spanledger_collector.demo.meters import Meters
from spanledger_collector.demo.wire import Request
from spanledger_collector.demo.wire_openai import chat as chat_reply
from tests.instrumentation.wire import Answer, WireRequest, WireServer


def azure_server() -> WireServer:
    return WireServer({"/openai/deployments/gpt-5-mini/chat/completions": chat})


def chat(request: WireRequest) -> Answer:
    if "api-key" not in request.headers:
        return Answer(b"{}", status=401)
    wanted = Request(request.path, request.headers, {**request.body, "model": "gpt-5-mini"})
    reply = chat_reply(wanted, "openai", Meters.usual("plain", has_output=True))
    return Answer(b"".join(reply.frames), "text/event-stream" if reply.streamed else "application/json")
