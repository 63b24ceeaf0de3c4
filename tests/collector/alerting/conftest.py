"""The real Alertmanager, where it was fetched: `make test-alertmanager` says where."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from spanledger_collector.assets import assets
from tests.collector.alerting.alertmanager import Alertmanager
from tests.collector.alerting.receiving import Hook


@pytest.fixture(scope="session")
def alertmanager_program() -> Path:
    path = os.environ.get("ALERTMANAGER_BINARY")
    if not path:
        pytest.skip("needs Alertmanager: `make test-alertmanager` fetches it and runs this")
    return Path(path)


@pytest.fixture
def alertmanager(alertmanager_program: Path, tmp_path: Path) -> Iterator[Callable[..., Alertmanager]]:
    """Gives a running Alertmanager with the configuration that we ship, its receivers turned into hooks, its patience into seconds."""
    running: list[Alertmanager] = []

    def started(**hooks: Hook) -> Alertmanager:
        shipped = yaml.safe_load(assets("dashboards").joinpath("alerts", "alertmanager.yml").read_text("utf-8"))
        for receiver in shipped["receivers"]:
            for hook in receiver.get("webhook_configs", []):
                if receiver["name"] in hooks:
                    hook["url"] = hooks[receiver["name"]].url
        for route in (shipped["route"], *shipped["route"]["routes"]):
            route |= {"group_wait": "1s", "group_interval": "2s"}
            if route["receiver"] == "deadman":
                route |= {"repeat_interval": "2s"}
        it = Alertmanager(alertmanager_program, tmp_path / f"alertmanager-{len(running)}", yaml.safe_dump(shipped))
        it.start()
        running.append(it)
        return it

    yield started
    for it in running:
        it.stop()
