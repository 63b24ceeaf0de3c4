"""The program that the page of other languages shows, with its real packages, on the demo's vendor: what it spends is in the ledger."""

import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from spanledger_collector.demo.vendor import VendorServer
from tests.collector.cli.processes import spanledger, up

PAGE = Path(__file__).parents[2] / "deploy" / "languages.md"
ASKED = "select service, environment, tenant, team, feature, user, session, model, completeness, calls.cost_usd > 0 as costs from calls"


@pytest.mark.e2e
def test_a_call_of_vercels_sdk_is_billed_with_its_tags(tmp_path: Path) -> None:
    folder = os.environ.get("NODE_PACKAGES")
    if not folder:
        pytest.skip("needs Node's packages: `make test-node` installs them and runs this")
    (program,) = re.findall(r"^```js\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    file = Path(folder) / "answer.mjs"
    file.write_text(program)

    with up(tmp_path / "ledger") as ledger, VendorServer() as vendor:
        environment = {
            **os.environ,
            "OPENAI_API_KEY": "key",
            "OPENAI_BASE_URL": f"{vendor.url}/v1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": ledger.otlp_http_url,
            "OTEL_SERVICE_NAME": "shop",
            "OTEL_RESOURCE_ATTRIBUTES": "spanledger.tenant=acme,deployment.environment.name=prod",
        }
        done = subprocess.run(
            ["node", file.name], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        found = spanledger("query", ASKED, "--store", ledger.store, "--format", "JSONEachRow")
        patience = time.monotonic() + 120
        while (
            '"priced"' not in found.out and time.monotonic() < patience
        ):  # the model's name is resolved with the next election
            found = spanledger("query", ASKED, "--store", ledger.store, "--format", "JSONEachRow")

    assert [json.loads(line) for line in found.out.splitlines()] == [
        {
            "service": "shop",
            "environment": "prod",
            "tenant": "acme",
            "team": "search",
            "feature": "answers",
            "user": "ana",
            "session": "s1",
            "model": "gpt-4o-mini",
            "completeness": "priced",
            "costs": 1,
        }
    ]
