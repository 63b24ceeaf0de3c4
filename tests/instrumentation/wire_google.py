"""The Gemini API's wire format: generateContent, its stream, and embeddings."""

from __future__ import annotations

from typing import Any

from tests.instrumentation.wire import Answer, WireRequest, WireServer, json_answer, sse_answer

# Cached tokens are within the prompt's, thoughts beside the candidates'.
USAGE = {
    "promptTokenCount": 1050,
    "cachedContentTokenCount": 1000,
    "candidatesTokenCount": 20,
    "thoughtsTokenCount": 30,
    "totalTokenCount": 1100,
}
TEXT = "It is on its way."


def google_server() -> WireServer:
    return WireServer(
        {
            ":generateContent": generate,
            ":streamGenerateContent": stream,
            ":batchEmbedContents": lambda _: json_answer({"embeddings": [{"values": [0.1, 0.2]}]}),
        }
    )


def generate(request: WireRequest) -> Answer:
    return json_answer(_response(request, TEXT, "STOP"))


def stream(request: WireRequest) -> Answer:
    partial = {**_response(request, TEXT[:5], None), "usageMetadata": {**USAGE, "candidatesTokenCount": 2}}
    return sse_answer(partial, _response(request, TEXT[5:], "STOP"))


def _response(request: WireRequest, text: str, reason: str | None) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    return {
        "candidates": [{**candidate, "finishReason": reason} if reason else candidate],
        "usageMetadata": USAGE,
        "modelVersion": request.path.rpartition("/")[2].partition(":")[0],
        "responseId": "google-response-1",
    }
