"""What others ship, as they ship it: their instrumentors of clients without an official one, and OpenTelemetry's own distro."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.instrumentation.conftest import write_metadata
from tests.instrumentation.environments import ROOT, python_of, run

if TYPE_CHECKING:
    from tests.instrumentation.environments import Run

__all__ = ["NAMES", "problems_of"]

NAMES = ("clients", "distro")
PROGRAM = Path(__file__).with_name("foreign_calls.py")
SECRET = "SECRET-4711"
# OpenLLMetry's for mistralai fits no current one, OpenInference's does: the second is taken.
PACKAGES = (
    "groq>=1,<2",
    "mistralai>=3,<4",
    "litellm>=1.83,<2",
    "opentelemetry-instrumentation-groq",
    "opentelemetry-instrumentation-mistralai",
    "openinference-instrumentation-mistralai",
    "openinference-instrumentation-litellm",
    "opentelemetry-distro",
)
EMITTERS = {
    "groq": "opentelemetry.instrumentation.groq",
    "mistralai": "openinference.instrumentation.mistralai",
    "litellm": "openinference.instrumentation.litellm",
}
CHAT = """
import openai
with openai.OpenAI() as client:
    client.chat.completions.create(model="gpt-5-mini", messages=[{"role": "user", "content": "hi"}])
"""
# It asks for gRPC exporters by default, and brings none.
EXPORTERS = {"OTEL_TRACES_EXPORTER": "console", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}
DISTRO = {"OTEL_PYTHON_DISTRO": "distro", "OTEL_PYTHON_CONFIGURATOR": "configurator"}


def problems_of(name: str) -> list[str]:
    """Return which calls did not arrive once, tagged and without content."""
    try:
        python = python_of("openai", PACKAGES)
        return _of_clients(python) if name == "clients" else _of_distro(python)
    except (AssertionError, subprocess.CalledProcessError) as error:
        return [str(error)]


def _of_clients(python: Path) -> list[str]:
    done = run(python, str(PROGRAM), SECRET, LITELLM_LOCAL_MODEL_COST_MAP="True")
    found = _differences(done, EMITTERS)
    if SECRET.encode() in done.raw:
        found.append("a prompt was exported")
    return found


def _of_distro(python: Path) -> list[str]:
    found = []
    tool = str(python.with_name("opentelemetry-instrument"))
    with tempfile.TemporaryDirectory() as folder:
        paths = os.pathsep.join([str(ROOT / "instrumentation"), write_metadata(Path(folder))])
        for chosen in ({}, DISTRO):
            variables = {"PYTHONPATH": paths, "SPANLEDGER_FEATURE": "chat", "SPANLEDGER_TEAM": "search", **EXPORTERS}
            done = run(python, tool, str(python), "-c", CHAT, **variables, **chosen)
            found += _differences(done, {"chat": "opentelemetry.instrumentation.genai.openai"})
    return found


def _differences(done: Run, emitters: dict[str, str]) -> list[str]:
    arrived = {span.attributes.get("spanledger.feature"): span.scope for span in done.spans}
    is_once = len(done.spans) == len(done.bill) == len(emitters)
    is_tagged = all(span.attributes.get("spanledger.team") == "search" for span in done.spans)
    return (
        []
        if is_once and is_tagged and arrived == emitters
        else [f"expected one span of each of {emitters}: {done.spans}"]
    )
