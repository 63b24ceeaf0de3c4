"""Each client is metered by one instrumentation: when it is imported, by the best that is installed, never by two."""

from __future__ import annotations

import importlib
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from packaging.requirements import Requirement

from spanledger.clients import CLIENTS
from spanledger.instrumentors import ClientMetering
from tests.instrumentation.installed import install_client, install_instrumentor

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from spanledger_collector.demo.vendor import VendorServer
    from tests.instrumentation.conftest import LedgerServer

    RunApp = Callable[..., subprocess.CompletedProcess[str]]

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
OPENLLMETRY = "opentelemetry-instrumentation-groq"
OPENINFERENCE = "openinference-instrumentation-groq"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of packages with the client `groq`, which nothing official meters."""
    install_client(tmp_path, "groq")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(tmp_path) in str(getattr(module, "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def start() -> Iterator[Callable[..., ClientMetering]]:
    """Start metering, and stop it at the end."""
    running = []

    def start(*disabled: str) -> ClientMetering:
        metering = ClientMetering(TracerProvider(), disabled)
        running.append(metering)
        metering.start()
        return metering

    yield start
    for metering in running:
        metering.stop()


Start = Any


def calls() -> list[str]:
    """Return what a call of the client goes through."""
    return list(importlib.import_module("groq").resources.calls)


@pytest.mark.parametrize("distribution", [OPENLLMETRY, OPENINFERENCE])
def test_a_client_without_an_official_one_gets_the_one_that_is_installed(
    distribution: str, site: Path, start: Start
) -> None:
    install_instrumentor(site, distribution, "groq")
    start()

    assert calls() == [distribution]


def test_of_two_that_are_installed_one_meters(site: Path, start: Start) -> None:
    install_instrumentor(site, OPENINFERENCE, "groq")
    install_instrumentor(site, OPENLLMETRY, "groq")
    start()

    assert calls() == [OPENLLMETRY]


def test_one_that_does_not_fit_the_client_leaves_it_to_the_next(site: Path, start: Start) -> None:
    install_instrumentor(site, OPENLLMETRY, "groq", fits=">=3")
    install_instrumentor(site, OPENINFERENCE, "groq")
    start()

    assert calls() == [OPENINFERENCE]


def test_a_client_that_is_imported_already_is_metered_at_once(site: Path, start: Start) -> None:
    install_instrumentor(site, OPENLLMETRY, "groq")
    assert calls() == []
    start()

    assert calls() == [OPENLLMETRY]


def test_one_that_the_application_has_switched_on_stays_the_only_one(site: Path, start: Start) -> None:
    install_instrumentor(site, OPENLLMETRY, "groq")
    install_instrumentor(site, OPENINFERENCE, "groq")
    importlib.import_module(OPENINFERENCE.replace("-", "_")).Instrumentor().instrument()
    start()

    assert calls() == [OPENINFERENCE]


def test_one_that_the_application_switches_on_later_stays_the_only_one(site: Path, start: Start) -> None:
    # Its module imports the client only while it instruments, as OpenLLMetry's do.
    install_instrumentor(site, OPENLLMETRY, "groq")
    install_instrumentor(site, OPENINFERENCE, "groq")
    module = site / f"{OPENINFERENCE.replace('-', '_')}.py"
    module.write_text(module.read_text().replace("import groq\n", "", 1))
    start()
    importlib.import_module(module.stem).Instrumentor().instrument()

    assert calls() == [OPENINFERENCE]


def test_where_something_has_switched_all_on_one_is_kept(site: Path, start: Start) -> None:
    for distribution in (OPENINFERENCE, OPENLLMETRY):
        install_instrumentor(site, distribution, "groq")
        importlib.import_module(distribution.replace("-", "_")).Instrumentor().instrument()
    assert calls() == [OPENINFERENCE, OPENLLMETRY]
    start().keep_one_each()

    assert calls() == [OPENLLMETRY]


def test_a_disabled_client_stays_as_it_is(site: Path, start: Start, caplog: pytest.LogCaptureFixture) -> None:
    install_instrumentor(site, OPENLLMETRY, "groq")
    start("groq")

    assert calls() == []
    assert caplog.messages == []


def test_the_end_of_metering_takes_back_what_it_did_and_does_no_more(site: Path, start: Start) -> None:
    install_instrumentor(site, OPENLLMETRY, "groq")
    first, second = start(), start()
    second.stop()
    assert calls() == [OPENLLMETRY]

    first.stop()
    assert calls() == []


def test_a_client_that_nothing_meters_is_told_once_with_the_way_to_change_it(
    site: Path, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    start()
    start()
    assert caplog.messages == []
    assert calls() == []

    assert caplog.messages == [f"spanledger: calls of groq are not metered; run: pip install {OPENLLMETRY}"]


def test_a_client_that_nothing_fits_is_told_with_the_reason(
    site: Path, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    install_instrumentor(site, OPENLLMETRY, "groq", fits=">=3")
    start()
    assert calls() == []

    assert caplog.messages == [
        (
            f"spanledger: calls of groq are not metered ({OPENLLMETRY} is for groq-sdk>=3, not groq-sdk 2.0); "
            f"run: pip install --upgrade {OPENLLMETRY}"
        )
    ]


def test_an_instrumentor_that_raises_does_not_break_the_import_of_the_client(
    site: Path, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    install_instrumentor(site, OPENLLMETRY, "groq")
    (site / f"{OPENLLMETRY.replace('-', '_')}.py").write_text("raise RuntimeError('no')\n")
    start()
    assert calls() == []

    assert caplog.messages == ["spanledger: groq could not be instrumented"]


def test_each_distribution_belongs_to_one_client() -> None:
    every = [name for client in CLIENTS for name in client.distributions]

    assert len(every) == len(set(every))
    assert len({client.name for client in CLIENTS}) == len(CLIENTS)


LAZY = """
import sys, spanledger
spanledger.instrument()
print([name for name in ("openai", "anthropic", "opentelemetry.instrumentation.genai.openai") if name in sys.modules])
"""


@pytest.mark.parametrize("zero_code", [False, True], ids=["plain", "zero-code"])
def test_a_client_that_is_not_used_is_not_imported(run_app: RunApp, ledger: LedgerServer, *, zero_code: bool) -> None:
    done = run_app(LAZY, zero_code=zero_code, SPANLEDGER_OTLP_ENDPOINT=ledger.url)

    assert (done.stdout, done.stderr) == ("[]\n", "")


CALL = """
client.chat.completions.create(model="gpt-5-mini", messages=[{"role": "user", "content": "hi"}])
client.close()
"""
START = "import spanledger\nspanledger.instrument()\n"
MAKE = "import openai\nclient = openai.OpenAI()\n"


@pytest.mark.parametrize("code", [START + MAKE, MAKE + START, "import openai\n" + START + MAKE])
def test_a_client_is_metered_whether_it_was_made_before_or_after(
    code: str, run_app: RunApp, vendor: VendorServer, ledger: LedgerServer
) -> None:
    urls = {"OPENAI_BASE_URL": f"{vendor.url}/v1", "SPANLEDGER_OTLP_ENDPOINT": ledger.url}
    done = run_app(code + CALL, **urls)

    assert (done.returncode, done.stderr) == (0, "")
    assert [span.name for span in ledger.spans] == ["chat gpt-5-mini"]


@pytest.mark.skipif(not PYPROJECT.is_file(), reason="needs the checkout: pyproject.toml")
def test_each_official_instrumentation_is_an_extra_and_all_has_every_one() -> None:
    extras = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]["optional-dependencies"]

    official = {client.name: client.official for client in CLIENTS if client.official}
    assert {name: Requirement(extras[name][0]).name for name in official} == official
    assert Requirement(extras["all"][0]).extras == set(official)
