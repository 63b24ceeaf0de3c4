"""Each guide's program runs as it stands, and leads to what the guide says arrives."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from spanledger_collector.demo.vendor import VendorServer
from tests.instrumentation.conftest import LedgerServer, app_runner
from tests.instrumentation.wire_azure import azure_server
from tests.instrumentation.wire_bedrock import bedrock_server
from tests.instrumentation.wire_google import google_server
from tests.test_docs import blocks, programs, table_after

if TYPE_CHECKING:
    import subprocess

    from tests.instrumentation.conftest import ReceivedSpan

FOLDER = Path(__file__).parents[2] / "instrumentation" / "guides"
GUIDES = sorted(FOLDER.glob("*.md")) if FOLDER.is_dir() else []
pytestmark = pytest.mark.skipif(not GUIDES, reason="needs the checkout: instrumentation/guides")
RUN = [guide for guide in GUIDES if guide.stem != "privacy"]
HEADINGS = ["Install", "Run", "What arrives", "Good to know"]
# Guide -> the module without which it runs in tests/instrumentation/clients_matrix.py only.
NEEDS = {"llamaindex": "llama_index", "openai-agents": "agents", "fastapi": "fastapi"}
VISIT = """
import asyncio, threading, urllib.request, uvicorn
server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))

def visit():
    while not server.started:
        threading.Event().wait(0.01)
    url = "http://127.0.0.1:%d" % server.servers[0].sockets[0].getsockname()[1]
    for path in ("/chat", "/search"):
        urllib.request.urlopen(urllib.request.Request(url + path, headers={"x-tenant": "acme"})).read()
    server.should_exit = True

threading.Thread(target=visit).start()
server.run()
"""


def environment(guide: str, vendor: VendorServer, stack: ExitStack) -> dict[str, str]:
    """Return what leads the clients of a guide to this machine."""
    if guide == "azure":
        url = stack.enter_context(azure_server()).url
        return {"AZURE_OPENAI_ENDPOINT": url, "AZURE_OPENAI_API_KEY": "k", "OPENAI_API_VERSION": "2024-10-21"}
    if guide == "bedrock":
        url = stack.enter_context(bedrock_server()).url
        keys = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "us-east-1"}
        return {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url, **keys}
    if guide == "google":
        return {"GOOGLE_GEMINI_BASE_URL": stack.enter_context(google_server()).url, "GOOGLE_API_KEY": "k"}
    urls = dict.fromkeys(("OPENAI_BASE_URL", "OPENAI_API_BASE"), f"{vendor.url}/v1")
    quiet = {"LANGSMITH_TRACING": "false", "OPENAI_AGENTS_DISABLE_TRACING": "1"}
    return {**urls, **quiet, "ANTHROPIC_BASE_URL": vendor.url}


def follow(guide: Path, folder: Path, metadata: str) -> tuple[subprocess.CompletedProcess[str], list[ReceivedSpan]]:
    """Do what a guide says, against a vendor and a ledger of its own."""
    text = guide.read_text("utf-8")
    (program,) = programs(text)
    exported = [line for line in "".join(blocks(text, "sh")).splitlines() if line.startswith("export")]
    settings = dict(pair.split("=") for line in exported for pair in line.split()[1:])
    ledger = LedgerServer()
    with VendorServer() as vendor, ExitStack() as stack:
        done = app_runner(folder, metadata)(
            program + (VISIT if guide.stem == "fastapi" else ""),
            zero_code=guide.stem == "zero-code",
            SPANLEDGER_OTLP_ENDPOINT=ledger.url,
            **environment(guide.stem, vendor, stack),
            **settings,
        )
    ledger.stop()
    return done, ledger.spans


@pytest.fixture(scope="module")
def followed(
    tmp_path_factory: pytest.TempPathFactory, _metadata: str
) -> dict[str, tuple[subprocess.CompletedProcess[str], list[ReceivedSpan]]]:
    """Follow each guide once, two at a time: they wait for their imports most of the time."""
    with ThreadPoolExecutor(2) as pool:
        runs = {
            guide.stem: pool.submit(follow, guide, tmp_path_factory.mktemp(guide.stem), _metadata)
            for guide in RUN
            if is_runnable(guide)
        }
        return {name: run.result() for name, run in runs.items()}


def is_runnable(guide: Path) -> bool:
    return guide.stem not in NEEDS or find_spec(NEEDS[guide.stem]) is not None


@pytest.mark.parametrize("guide", RUN, ids=lambda guide: guide.stem)
def test_a_guides_program_leads_to_what_the_guide_says(guide: Path, followed: Any) -> None:
    if not is_runnable(guide):
        pytest.skip(f"needs {NEEDS[guide.stem]}; make test-clients calls it in an environment of its own")
    done, spans = followed[guide.stem]

    assert (done.returncode, done.stderr) == (0, "")
    assert arrived(spans) == promised(guide)
    assert {span.attributes.get("spanledger.team") for span in spans} == {"support"}


def promised(guide: Path) -> list[list[str]]:
    return table_after("## What arrives", guide.read_text("utf-8"))


def arrived(spans: list[ReceivedSpan]) -> list[list[str]]:
    return [cells(span) for span in spans if "gen_ai.operation.name" in span.attributes]


def cells(span: Any) -> list[str]:
    names = ("spanledger.feature", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
    return [f"`{span.name}`", *(str(span.attributes.get(name, "")) for name in names)]


@pytest.mark.parametrize("guide", RUN, ids=lambda guide: guide.stem)
def test_guides_have_one_shape(guide: Path) -> None:
    text = guide.read_text("utf-8")

    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == HEADINGS
    assert "pip install 'spanledger[" in text


def test_everything_that_leaves_the_process_is_in_the_table_of_the_privacy_page(followed: Any) -> None:
    listed = [
        name
        for heading in ("## Spans", "## Resource", "## Outcomes")
        for row in table_after(heading, (FOLDER / "privacy.md").read_text("utf-8"))
        for name in row[0].replace("`", "").split(", ")
    ]
    calls = [span for _, spans in followed.values() for span in spans if "gen_ai.operation.name" in span.attributes]
    sent = {name for span in calls for name in (*span.attributes, *span.resource)}
    assert sorted(name for name in sent if not any(fnmatchcase(name, pattern) for pattern in listed)) == []
