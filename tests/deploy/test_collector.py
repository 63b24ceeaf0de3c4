"""What the chart and compose give to the Collector, with the variables that they set and no others: valid, by the Collector itself."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.collector.otelcol.conftest import binary
from tests.collector.otelcol.processes import ACME, CONFIGURATIONS, USER_KEY, written
from tests.deploy.test_compose import DEPLOY, compose, made
from tests.deploy.test_helm import CASES, helm, pods, rendered

__all__ = ["binary", "compose", "helm", "made"]

pytestmark = pytest.mark.skipif(not DEPLOY.is_dir(), reason="needs the checkout: the folder deploy")
PASSWORD = "dummy-password-of-otelcol"
SECRETS = {"otelcol_password": PASSWORD, "user_key": USER_KEY, "tokens": f"{ACME} Acme\n", "token": ACME}


def complaint(binary: Path, arguments: list[str], environment: Mapping[str, str], places: Mapping[str, Path]) -> str:
    """Return what the Collector says against a configuration; empty: nothing. Places of its container are folders here."""

    beginnings = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, places))})(?=/)")

    def here(text: str) -> str:
        return beginnings.sub(lambda found: str(places[found[0]]), text)

    for file in [Path(here(word.removeprefix("--config="))) for word in arguments]:
        file.write_text(here(text := file.read_text("utf-8")))
        assert set(re.findall(r"\$\{env:(\w+)\}", text)) <= environment.keys()  # one that is not set would be empty
    done = subprocess.run(
        [binary, "validate", *map(here, arguments)],
        env={name: here(value) for name, value in environment.items()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert PASSWORD not in done.stderr
    return done.stderr if done.returncode else ""


def collectors(objects: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the containers that run the Collector."""
    for _, pod in pods(objects):
        yield from (container for container in pod["containers"] if "otelcol" in container["image"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a container has: a place for its configurations, and the secrets that they read."""
    folder = tmp_path / "container"
    for name in ("configuration", "secrets"):
        (folder / name).mkdir(parents=True)
    for name, text in SECRETS.items():
        written(folder / "secrets" / name, text)
    return folder


@pytest.mark.parametrize("case", CASES)
def test_what_the_chart_renders_is_valid(binary: Path, helm: str, case: str, folder: Path) -> None:
    objects = rendered(helm, case)
    for item in objects:
        for name, text in item.get("data", {}).items() if item["kind"] == "ConfigMap" else ():
            (folder / "configuration" / name).write_text(text)
    places = {f"/{name}": folder / name for name in ("configuration", "secrets", "queue")}
    found = list(collectors(objects))

    assert [container["name"] for container in found] == ["gateway"] if case == "small" else ["agent", "gateway"]
    for container in found:
        environment = {variable["name"]: variable["value"] for variable in container["env"]}
        assert complaint(binary, container["args"], environment, places) == ""


def test_what_compose_starts_is_valid(binary: Path, compose: dict[str, Any], made: Path, folder: Path) -> None:
    (command,) = re.findall(r'^CMD \["(--config.*)"\]$', (DEPLOY / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    for file in [*CONFIGURATIONS.glob("*.yaml"), DEPLOY / "secrets.yaml"]:
        (folder / "configuration" / file.name).write_text(file.read_text("utf-8"))
    places = {"/etc/otelcol": folder / "configuration", "/run/secrets": made, "/var/lib/otelcol": folder / "queue"}
    (made / "otelcol_password").write_text(PASSWORD)

    assert complaint(binary, command.split('", "'), compose["services"]["gateway"]["environment"], places) == ""


def test_a_configuration_that_is_wrong_is_found(binary: Path, folder: Path) -> None:
    (folder / "configuration" / "gateway.yaml").write_text("receivers: {otlp: {protokols: {}}}")
    places = {"/configuration": folder / "configuration"}

    assert "has invalid keys: protokols" in complaint(binary, ["--config=/configuration/gateway.yaml"], {}, places)
