"""Makes instrumentations as other projects ship them: distributions with an entry point and a BaseInstrumentor."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

INSTRUMENTOR = """
import {client}
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

class Instrumentor(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return ()

    def _instrument(self, **options):
        import {client}.resources
        {client}.resources.calls.append("{distribution}")

    def _uninstrument(self, **options):
        {client}.resources.calls.remove("{distribution}")
"""


def install_client(site: Path, name: str) -> None:
    """Make a client whose `resources.calls` lists the instrumentors that a call would go through."""
    (site / name).mkdir()
    (site / name / "__init__.py").write_text(f"from {name} import resources\n")
    (site / name / "resources.py").write_text("calls = []\n")
    install_distribution(site, f"{name}-sdk", "2.0")


def install_instrumentor(site: Path, distribution: str, client: str, *, fits: str = ">=1") -> None:
    module = distribution.replace("-", "_")
    (site / f"{module}.py").write_text(INSTRUMENTOR.format(client=client, distribution=distribution))
    info = install_distribution(
        site, distribution, "1.0", f"Requires-Dist: {client}-sdk{fits}; extra == 'instruments'\n"
    )
    (info / "entry_points.txt").write_text(f"[opentelemetry_instrumentor]\n{client} = {module}:Instrumentor\n")


def install_distribution(site: Path, distribution: str, version: str, more: str = "") -> Path:
    info = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\nProvides-Extra: instruments\n{more}"
    )
    return info
