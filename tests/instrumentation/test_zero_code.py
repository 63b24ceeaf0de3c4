"""`opentelemetry-instrument python app.py`: nothing in the program, everything from the environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.instrumentation.conftest import LedgerServer
from tests.instrumentation.installed import install_client, install_distribution, install_instrumentor

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from spanledger_collector.demo.vendor import VendorServer

    RunApp = Callable[..., subprocess.CompletedProcess[str]]

APP = """
import openai
prompt = [{"role": "user", "content": "hi"}]
with openai.OpenAI() as client:
    client.chat.completions.create(model="gpt-5-mini", messages=prompt, extra_headers={"x-demo-case": "retry"})
print("answered")
"""
BOTH = (
    APP
    + """
import anthropic
with anthropic.Anthropic() as client:
    client.messages.create(model="claude-sonnet-5-5", max_tokens=9, messages=prompt)
"""
)
# Importing a second client takes longer than the rest of such a program.
OPENAI_ONLY = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "anthropic"}


@pytest.fixture
def run(run_app: RunApp, vendor: VendorServer) -> RunApp:
    def run(code: str = APP, **variables: str) -> subprocess.CompletedProcess[str]:
        urls = {"OPENAI_BASE_URL": f"{vendor.url}/v1", "ANTHROPIC_BASE_URL": vendor.url}
        return run_app(code, zero_code=True, **urls, **variables)

    return run


def test_an_unchanged_program_is_metered_once_per_call(run: RunApp, vendor: VendorServer, ledger: LedgerServer) -> None:
    # The program calls instrument() too: what runs already stays as it is, but for the tags that it adds.
    done = run(
        BOTH + "import spanledger\nspanledger.instrument(feature='chat')\n" + BOTH,
        OTEL_EXPORTER_OTLP_ENDPOINT=ledger.url,
        OTEL_SERVICE_NAME="shop",
        SPANLEDGER_TEAM="search",
    )

    calls = ["chat gpt-5-mini", "chat claude-sonnet-5-5", "anthropic.messages.create"]
    assert (done.stdout, done.stderr) == ("answered\nanswered\n", "")
    assert [span.name for span in ledger.spans] == calls * 2
    assert ledger.spans[0].attributes["spanledger.attempts"] == 2
    assert [span.attributes.get("spanledger.feature") for span in ledger.spans] == [None] * 3 + ["chat"] * 3
    for span in ledger.spans:
        assert span.attributes["spanledger.cost_usd"]
        assert span.attributes["spanledger.team"] == "search"
        assert span.resource["service.name"] == "shop"
    assert not any({"traceparent", "baggage"} & request.headers.keys() for request in vendor.requests)


def test_exporters_that_the_user_asked_for_keep_working_beside_the_ledger(run: RunApp, ledger: LedgerServer) -> None:
    done = run(OTEL_TRACES_EXPORTER="console", SPANLEDGER_OTLP_ENDPOINT=ledger.url, **OPENAI_ONLY)

    assert '"name": "chat gpt-5-mini"' in done.stdout
    assert "spanledger.cost_usd" not in done.stdout
    assert [span.name for span in ledger.spans] == ["chat gpt-5-mini"]


def test_a_disabled_instrumentation_stays_off(run: RunApp, ledger: LedgerServer) -> None:
    done = run(
        SPANLEDGER_OTLP_ENDPOINT=ledger.url,
        OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="openai, anthropic",
    )

    assert (done.stdout, done.stderr, ledger.spans) == ("answered\n", "", [])


def test_a_set_up_that_fails_leaves_the_program_running_and_is_told_once(run: RunApp) -> None:
    done = run(SPANLEDGER_OTLP_ENDPOINT="nowhere", **OPENAI_ONLY)

    assert done.stdout == "answered\n"
    assert done.stderr.count("LLM calls are not metered: OTLP endpoint 'nowhere'") == 1


def test_a_broken_exporter_setting_does_not_leave_the_calls_unmetered(run: RunApp, ledger: LedgerServer) -> None:
    done = run(OTEL_TRACES_EXPORTER="no-such-exporter", SPANLEDGER_OTLP_ENDPOINT=ledger.url, **OPENAI_ONLY)

    assert done.stdout == "answered\n"
    assert done.stderr.count("OpenTelemetry's own set-up failed") == 1
    assert len(ledger.spans) == 1


FOREIGN = """
from opentelemetry.instrumentation.distro import DefaultDistro
from opentelemetry.sdk._configuration import _OTelSDKConfigurator

class Distro(DefaultDistro):
    pass

class Configurator(_OTelSDKConfigurator):
    pass
"""
KEPT = APP + "import groq\nprint(groq.resources.calls)\n"


@pytest.fixture
def foreign(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install another distro, as opentelemetry-distro is one, and a client that two instrumentors want."""
    site = tmp_path_factory.mktemp("site")
    (site / "foreign.py").write_text(FOREIGN)
    info = install_distribution(site, "foreign-distro", "1.0")
    groups = "[opentelemetry_distro]\nforeign = foreign:Distro\n[opentelemetry_configurator]\nforeign = foreign:Configurator\n"
    (info / "entry_points.txt").write_text(groups)
    install_client(site, "groq")
    install_instrumentor(site, "opentelemetry-instrumentation-groq", "groq")
    install_instrumentor(site, "openinference-instrumentation-groq", "groq")
    monkeypatch.setenv("PYTHONPATH", f"{site}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")


@pytest.mark.parametrize("chosen", ["foreign", "spanledger"])
def test_beside_another_distro_the_result_is_the_same_whichever_is_chosen(
    chosen: str, foreign: None, run: RunApp, ledger: LedgerServer
) -> None:
    choice = {"OTEL_PYTHON_DISTRO": chosen, "OTEL_PYTHON_CONFIGURATOR": chosen, "OTEL_TRACES_EXPORTER": "none"}
    done = run(KEPT, SPANLEDGER_OTLP_ENDPOINT=ledger.url, **choice, **OPENAI_ONLY)

    assert done.stdout == "answered\n['opentelemetry-instrumentation-groq']\n"
    assert [span.name for span in ledger.spans] == ["chat gpt-5-mini"]
    assert ledger.spans[0].attributes["spanledger.attempts"] == 2


OWN_PROVIDER = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider())
"""


def test_a_provider_that_the_program_sets_itself_does_not_take_the_calls_away(
    run: RunApp, ledger: LedgerServer
) -> None:
    done = run(OWN_PROVIDER + APP, SPANLEDGER_OTLP_ENDPOINT=ledger.url, **OPENAI_ONLY)

    assert done.stdout == "answered\n"
    assert [span.name for span in ledger.spans] == ["chat gpt-5-mini"]


def test_a_module_is_run_as_a_program_is(run: RunApp, ledger: LedgerServer) -> None:
    done = run(arguments=("-m", "app"), SPANLEDGER_OTLP_ENDPOINT=ledger.url, **OPENAI_ONLY)

    assert (done.stdout, done.stderr) == ("answered\n", "")
    assert [span.name for span in ledger.spans] == ["chat gpt-5-mini"]


def test_opentelemetrys_own_settings_are_honoured(run: RunApp, ledger: LedgerServer) -> None:
    done = run(
        SPANLEDGER_OTLP_ENDPOINT=ledger.url,
        OTEL_RESOURCE_ATTRIBUTES="service.name=shop,deployment.environment.name=staging",
        OTEL_TRACES_SAMPLER="always_on",
        **OPENAI_ONLY,
    )

    (span,) = ledger.spans
    assert (done.stdout, done.stderr) == ("answered\n", "")
    assert (span.resource["service.name"], span.resource["deployment.environment.name"]) == ("shop", "staging")


def test_a_disabled_sdk_switches_everything_off(run: RunApp, ledger: LedgerServer) -> None:
    done = run(SPANLEDGER_OTLP_ENDPOINT=ledger.url, OTEL_SDK_DISABLED="true")

    assert (done.stdout, done.stderr, ledger.bodies) == ("answered\n", "", [])


CONFIGURATION = """
file_format: "1.0"
resource:
  attributes: [{{name: service.name, value: from-the-file}}]
tracer_provider:
  processors:
    - batch:
        exporter:
          otlp_http: {{endpoint: "{url}/v1/traces"}}
"""


def test_the_provider_and_exporter_of_a_configuration_file_are_kept_and_the_ledger_gets_its_spans_beside_them(
    run: RunApp, ledger: LedgerServer, tmp_path: Path
) -> None:
    theirs = LedgerServer()
    file = tmp_path / "otel.yaml"
    file.write_text(CONFIGURATION.format(url=theirs.url), "utf-8")

    done = run(SPANLEDGER_OTLP_ENDPOINT=ledger.url, OTEL_CONFIG_FILE=str(file), **OPENAI_ONLY)
    theirs.stop()

    assert (done.stdout, done.stderr) == ("answered\n", "")
    (ours,), (span,) = ledger.spans, theirs.spans
    assert ours.name == span.name == "chat gpt-5-mini"
    assert ours.resource["service.name"] == span.resource["service.name"] == "from-the-file"
    assert "spanledger.cost_usd" in ours.attributes
    assert "spanledger.cost_usd" not in span.attributes


def test_a_configuration_file_that_cannot_be_used_does_not_leave_the_calls_unmetered(
    run: RunApp, ledger: LedgerServer
) -> None:
    done = run(SPANLEDGER_OTLP_ENDPOINT=ledger.url, OTEL_CONFIG_FILE="missing.yaml", **OPENAI_ONLY)

    assert done.stdout == "answered\n"
    assert done.stderr.count("OpenTelemetry's own set-up failed") == 1
    assert [span.name for span in ledger.spans] == ["chat gpt-5-mini"]


WEB = """
import openai
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

client = openai.AsyncOpenAI()

async def ask(request):
    answer = await client.chat.completions.create(model="gpt-5-mini", messages=[{"role": "user", "content": "hi"}])
    return PlainTextResponse(answer.choices[0].message.content)

async def stop(request):
    server.should_exit = True
    return PlainTextResponse("stopping")

app = Starlette(routes=[Route("/ask", ask), Route("/stop", stop)])
"""
SERVE = """
import asyncio, threading, time, urllib.request, uvicorn, web
server = web.server = uvicorn.Server(uvicorn.Config("web:app", port=0, log_level="warning"))

def visit():
    while not server.started:
        time.sleep(0.01)
    url = "http://127.0.0.1:%d" % server.servers[0].sockets[0].getsockname()[1]
    print(urllib.request.urlopen(url + "/ask").read().decode())
    urllib.request.urlopen(url + "/stop").read()

threading.Thread(target=visit).start()
server.run()
"""


def test_a_web_service_under_uvicorn_is_metered(run: RunApp, tmp_path: Path, ledger: LedgerServer) -> None:
    (tmp_path / "web.py").write_text(WEB)
    done = run(SERVE, SPANLEDGER_OTLP_ENDPOINT=ledger.url, **OPENAI_ONLY)

    assert (done.stdout, done.stderr) == ("Your order is on its way.\n", "")
    assert [span.name for span in ledger.spans if span.scope.endswith("openai")] == ["chat gpt-5-mini"]
