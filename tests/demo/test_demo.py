"""The demo from end to end: vendor, application, embedded collector, ledger, proof."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress

from spanledger_collector.demo.runner import application_settings, work
from spanledger_collector.exceptions import SpanledgerError

pytestmark = pytest.mark.e2e

CALLS = 70
# A process of its own, because the engine lives once in a process.
PROGRAM = """
import sys
from pathlib import Path
from rich.console import Console
from spanledger_collector.demo.runner import run_demo
sys.exit(run_demo(calls={calls}, seed=2, store=Path(sys.argv[1]), as_json=True, keep=False, console=Console()))
"""


def demo(store: Path) -> dict[str, Any]:
    command = [sys.executable, "-c", PROGRAM.format(calls=CALLS), str(store)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2_000:] + done.stdout[-2_000:]
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return demo(tmp_path_factory.mktemp("demo") / "store")


def test_the_ledger_equals_the_vendors_bill_in_every_line(told: dict[str, Any]) -> None:
    proof = told["proof"]

    assert proof["equal"] is True
    assert all(line["equal"] for line in proof["lines"])
    assert proof["vendor_usd"] == proof["ledger_usd"] != "0"
    assert proof["calls_usd"] == proof["rollup_usd"]


def test_what_no_client_was_told_is_counted_as_unknown(told: dict[str, Any]) -> None:
    untold = told["proof"]["untold"]

    assert untold["vendor_calls"] == untold["ledger_calls"] > 0


def test_every_call_is_in_the_ledger_once(told: dict[str, Any]) -> None:
    assert told["calls"] == CALLS
    assert sum(told["completeness"].values()) == CALLS
    assert sum(team["calls"] for team in told["spend"]["team"]) == CALLS
    assert told["spans"]["bills"] == CALLS
    assert sum(told["spans"].values()) > CALLS


def test_a_model_without_a_price_costs_an_unknown_amount(told: dict[str, Any]) -> None:
    models = {model["name"]: model for model in told["spend"]["model"]}

    assert models["acme-internal-7b"]["cost_usd"] is None
    assert models["acme-internal-7b"]["unknown_calls"] == models["acme-internal-7b"]["calls"] > 0


def test_money_reaches_features_users_and_steps_of_the_agent(told: dict[str, Any]) -> None:
    names = {dimension: {row["name"] for row in rows} for dimension, rows in told["spend"].items()}

    assert {"support-chat", "code-review", "help-search", ""} <= names["feature"]
    assert {"code-reviewer: plan", "code-reviewer: review"} <= names["agent step"]
    assert any(name.endswith(".example") for name in names["user"])


def test_the_store_stays_and_is_named_in_what_to_try_next(told: dict[str, Any]) -> None:
    option, _, folder = told["ledger"].partition(" ")

    assert option == "--store"
    assert Path(folder).is_dir()
    assert all(folder in command for command in told["next"])


def test_an_application_that_cannot_start_is_one_clear_sentence() -> None:
    settings = {
        **application_settings("http://127.0.0.1:9", "test"),
        "PYTHONPATH": os.devnull,
        "PYTHONHOME": os.devnull,
    }

    with (
        Progress(console=Console(quiet=True)) as progress,
        pytest.raises(SpanledgerError, match="application failed with exit code"),
    ):
        work(1, 1, "http://127.0.0.1:9", settings, progress)


def test_settings_of_the_users_shell_do_not_reach_the_application(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://elsewhere.example")
    monkeypatch.setenv("https_proxy", "http://proxy.example")

    settings = application_settings("http://127.0.0.1:4318", "test")
    assert not settings.keys() & {"OTEL_SDK_DISABLED", "OPENAI_BASE_URL", "https_proxy"}
    assert settings["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://127.0.0.1:4318"
