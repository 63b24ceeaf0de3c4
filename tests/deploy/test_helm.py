"""The chart: linted and rendered by Helm, each object valid by the schemas of Kubernetes, its configurations by the Collector."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "spanledger"
ENDPOINT = "clickhouse.endpoint=tcp://clickhouse.example:9440?secure=true"
CASES = {
    "external": [ENDPOINT, "clickhouse.host=clickhouse.example"],
    "operator": [
        "clickhouse.operator.enabled=true",
        "clickhouse.operator.replicas=2",
        "clickhouse.cluster=main",
        "clickhouse.operator.keeper=keeper",
    ],
    "small": [
        ENDPOINT,
        "agent.enabled=false",
        "gateway.autoscaling.enabled=false",
        "networkPolicy.enabled=false",
        "grafana.enabled=false",
        "migrate.enabled=false",
    ],
}
# A kind of Altinity's operator, which has a schema of its own.
FOREIGN = {"ClickHouseInstallation"}
# A Helm that was built from its module does not know for which Kubernetes.
KUBERNETES = ("--kube-version", "1.34.0")


@pytest.fixture(scope="module")
def helm() -> str:
    found = os.environ.get("HELM_BINARY")
    if not found:
        pytest.skip("needs Helm: `make test-deploy` builds it and runs this")
    return found


def rendered(helm: str, case: str) -> list[dict[str, Any]]:
    command = [
        helm,
        "template",
        "ledger",
        str(CHART),
        *KUBERNETES,
        "--namespace",
        "llm",
        *(f"--set={value}" for value in CASES[case]),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [item for item in yaml.safe_load_all(done.stdout) if item]


def pods(objects: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for item in objects:
        if template := item.get("spec", {}).get("template"):
            yield item["metadata"]["name"], template["spec"]


def test_the_chart_passes_the_linter(helm: str) -> None:
    done = subprocess.run(
        [helm, "lint", "--strict", *KUBERNETES, str(CHART), f"--set={ENDPOINT}"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


def test_without_a_clickhouse_nothing_is_installed(helm: str) -> None:
    done = subprocess.run(
        [helm, "template", "ledger", str(CHART), *KUBERNETES], capture_output=True, text=True, check=False
    )

    assert done.returncode != 0
    assert "Say where ClickHouse is" in done.stderr


@pytest.mark.parametrize("case", CASES)
def test_every_object_is_valid_by_the_schemas_of_kubernetes(helm: str, case: str, tmp_path: Path) -> None:
    file = tmp_path / "objects.json"
    objects = [item for item in rendered(helm, case) if item["kind"] not in FOREIGN]
    file.write_text(json.dumps(objects))
    program = "import json, sys, kubernetes_validate as k\nfor item in json.load(open(sys.argv[1])): k.validate(item, '1.34', strict=True)"
    environment = {**os.environ, "PYTHONPATH": os.environ["KUBERNETES_SCHEMAS"]}
    done = subprocess.run(
        [sys.executable, "-c", program, file], env=environment, capture_output=True, text=True, check=False
    )

    assert objects
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("case", CASES)
def test_every_pod_is_confined_and_watched(helm: str, case: str) -> None:
    found = list(pods(rendered(helm, case)))

    assert found
    for name, pod in found:
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["automountServiceAccountToken"] is False, name
        for container in pod["containers"]:
            own = container["securityContext"]
            assert (own["readOnlyRootFilesystem"], own["allowPrivilegeEscalation"], own["capabilities"]) == (
                True,
                False,
                {"drop": ["ALL"]},
            )
            assert container["resources"]["requests"], name
            assert container["resources"]["limits"]["memory"], name
            assert name.endswith("migrate") or {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()


def test_the_configurations_are_those_of_the_collector(helm: str) -> None:
    maps = {
        item["metadata"]["name"]: item["data"] for item in rendered(helm, "external") if item["kind"] == "ConfigMap"
    }

    assert maps["ledger-gateway"]["gateway.yaml"] == (ROOT / "collector" / "otelcol" / "gateway.yaml").read_text(
        "utf-8"
    )
    assert maps["ledger-agent"]["agent.yaml"] == (ROOT / "collector" / "otelcol" / "agent.yaml").read_text("utf-8")


def test_no_secret_is_in_what_is_rendered(helm: str) -> None:
    assert [item["metadata"]["name"] for item in rendered(helm, "external") if item["kind"] == "Secret"] == []


def test_dashboards_are_marked_for_the_sidecar(helm: str) -> None:
    dashboards = sorted(file.stem for file in (ROOT / "dashboards").glob("*.json"))
    marked = [item for item in rendered(helm, "external") if "grafana_dashboard" in item["metadata"]["labels"]]

    assert sorted(item["metadata"]["name"] for item in marked) == [f"ledger-dashboard-{name}" for name in dashboards]
