"""Every block of the page on tags runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from spanledger.attributes import TAG_ATTRIBUTES

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

PAGE = Path(__file__).parents[2] / "instrumentation" / "tags.md"

pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="needs the checkout: instrumentation/tags.md")


def test_the_blocks_run_as_one_program(
    run_app: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    done = run_app(
        "\n".join(blocks),
        SPANLEDGER_OTLP_ENDPOINT="http://127.0.0.1:9",
        OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="*",
    )

    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert len(blocks) == 5


def test_every_tag_is_named() -> None:
    assert [name for name in TAG_ATTRIBUTES if f"`{name}`" not in PAGE.read_text("utf-8")] == []
