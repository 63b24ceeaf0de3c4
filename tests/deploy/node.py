"""Installs what the program of the page of other languages needs into the cache, with npm, and runs it: `make test-node`."""

import json
import os
import shutil
import subprocess
import sys
from typing import Final

from spanledger_collector.prices.cache import cache_folder

_PACKAGES: Final = {
    "ai": "6.0.326",
    "@ai-sdk/openai": "^3",
    "@opentelemetry/sdk-node": "^0.301",
    "@opentelemetry/exporter-trace-otlp-proto": "^0.301",
    "zod": "^4.1.8",
}

if __name__ == "__main__":
    if shutil.which("npm") is None:
        sys.stderr.write("Services in Node were NOT tested: there is no npm.\n")
        sys.exit(0)
    folder = cache_folder() / "deploy" / "node"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = json.dumps({"private": True, "type": "module", "dependencies": _PACKAGES})
    manifest = folder / "package.json"
    if not manifest.exists() or manifest.read_text() != wanted:
        manifest.write_text(wanted)
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=False)
        if done.returncode:
            manifest.unlink()
            sys.exit("Services in Node could not be tested: npm did not install the packages, see above.")
    command = [sys.executable, "-m", "pytest", "tests/deploy/test_node.py"]
    sys.exit(subprocess.run(command, env={**os.environ, "NODE_PACKAGES": str(folder)}, check=False).returncode)
