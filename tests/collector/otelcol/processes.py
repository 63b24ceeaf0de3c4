"""Our Collector as a process, in front of a served ledger, as an operator would run it."""

import hmac
import os
import random
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from spanledger_collector.listening import Tls
from spanledger_collector.queries.users import User
from spanledger_collector.server import Doorway, EmbeddedServer

CONFIGURATIONS: Final = Path(__file__).parents[3] / "collector" / "otelcol"
ACME, GLOBEX, TRUSTED = "acme-token-0123456789", "globex-token-0123456789", "trusted-token-0123456789"
USER_KEY: Final = "a key of user pseudonyms, long enough"
USER: Final = "ana@example.com"
PSEUDONYM: Final = hmac.digest(USER_KEY.encode(), USER.encode(), "sha256").hex()
WRITER, PASSWORD = "otelcol", "a password with 2 blanks"
PATIENCE_SECONDS: Final = 180.0
# Shorter waits than in production.
IMPATIENT: Final = """
exporters:
  {exporter}:
    retry_on_failure: {{initial_interval: 100ms, max_interval: 500ms}}
    sending_queue: {{batch: {{flush_timeout: 100ms}}}}
"""
# Of what is sampled only traces with errors stay.
ERRORS_ONLY: Final = """
processors:
  tail_sampling:
    decision_wait: 1s
    policies:
      - {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}
"""


def eventually(true: Callable[[], bool], what: str) -> None:
    """Wait until something is true, for longer than any machine needs."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < end, f"never came: {what}"
        time.sleep(0.1)


def free_port() -> int:
    """Return a port that nobody has, below those that the system gives to connections."""
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def written(file: Path, text: str) -> Path:
    file.write_text(text)
    file.chmod(0o600)
    return file


def rows(server: EmbeddedServer, sql: str) -> list[tuple[Any, ...]]:
    with closing(server.database.client()) as client:
        return [tuple(row) for row in client.query(sql).result_rows]


def served(store: Path, port: int, tokens: Path | None = None) -> EmbeddedServer:
    """Return a ledger that is served on a port, with a writer for the exporter; not started."""
    users = {WRITER: (PASSWORD, User(WRITER, "writer"))}
    return EmbeddedServer(
        store, otlp_http_port=0, otlp_grpc_port=0, clickhouse_port=port, users=users, doorway=Doorway(tokens=tokens)
    )


@dataclass
class Process:
    """One Collector: the same ports and the same queue however often it is started."""

    binary: Path
    folder: Path
    configurations: list[Path]
    environment: Mapping[str, str]
    ports: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in ("GRPC", "HTTP", "HEALTH")})
    metrics_port: int = field(default_factory=free_port)
    running: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def queue(self) -> Path:
        return self.folder / "queue"

    def all_environment(self) -> dict[str, str]:
        own = {f"OTELCOL_{name}": f"127.0.0.1:{port}" for name, port in self.ports.items()}
        own |= {
            "OTELCOL_METRICS_PORT": str(self.metrics_port),
            "OTELCOL_QUEUE": str(self.queue),
            "GOMEMLIMIT": "500MiB",
        }
        return {"PATH": os.environ.get("PATH", ""), **own, **self.environment}

    def command(self, *words: str) -> list[str]:
        return [str(self.binary), *words, *(f"--config={file}" for file in self.configurations)]

    def validate(self) -> subprocess.CompletedProcess[str]:
        command = self.command("validate")
        return subprocess.run(command, env=self.all_environment(), capture_output=True, text=True, check=False)

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(self.command(), env=self.all_environment(), stderr=log, stdout=log)
        eventually(self._is_up, f"the Collector of {self.folder}")

    def _is_up(self) -> bool:
        assert self.running is not None
        assert self.running.poll() is None, self.log.read_text()[-3000:]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['HEALTH']}", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def kill(self) -> None:
        """End it at once, wherever it is: kill -9."""
        assert self.running is not None
        self.running.kill()
        self.running.wait()

    def stop(self) -> None:
        if self.running and self.running.poll() is None:
            self.running.terminate()
            try:
                self.running.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()

    def metrics(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=120) as answer:
            return str(answer.read().decode())


@dataclass(frozen=True)
class Site:
    """What gateway and agent of a test have in common."""

    binary: Path
    folder: Path
    tls: Tls

    def gateway(self, clickhouse_port: int, *more: Path) -> Process:
        environment = {
            "OTELCOL_CLICKHOUSE": f"http://127.0.0.1:{clickhouse_port}",
            "OTELCOL_CLICKHOUSE_USER": WRITER,
            "OTELCOL_CLICKHOUSE_PASSWORD": PASSWORD,
            "OTELCOL_TLS_CERT": str(self.tls.certificate),
            "OTELCOL_TLS_KEY": str(self.tls.key),
            "OTELCOL_TOKENS": str(self.tokens()),
            "OTELCOL_USER_KEY": str(written(self.folder / "user_key", USER_KEY + "\n")),
        }
        text = IMPATIENT.format(exporter="clickhouse") + ERRORS_ONLY
        configurations = [CONFIGURATIONS / "gateway.yaml", written(self.folder / "gateway.yaml", text), *more]
        return Process(self.binary, self.folder / "gateway", configurations, environment)

    def agent(self, gateway: Process, token: str) -> Process:
        environment = {
            "OTELCOL_GATEWAY": f"127.0.0.1:{gateway.ports['GRPC']}",
            "OTELCOL_GATEWAY_CA": str(self.tls.certificate),
            "OTELCOL_TOKEN": str(written(self.folder / "token", token + "\n")),
        }
        text = IMPATIENT.format(exporter="otlp_grpc")
        configurations = [CONFIGURATIONS / "agent.yaml", written(self.folder / "agent.yaml", text)]
        return Process(self.binary, self.folder / "agent", configurations, environment)

    def tokens(self) -> Path:
        return written(self.folder / "tokens", f"{ACME} Acme Corp.\n{GLOBEX} Globex\n{TRUSTED}\n")

    def post(self, process: Process, body: bytes, token: str = "", path: str = "/v1/traces") -> int:
        """Send a request as an SDK does, and return the status; 0 when nobody answered."""
        headers = {"Content-Type": "application/x-protobuf"} | ({"Authorization": f"Bearer {token}"} if token else {})
        url = f"https://127.0.0.1:{process.ports['HTTP']}{path}"
        context = ssl.create_default_context(cafile=self.tls.certificate)
        try:
            return httpx.post(url, content=body, headers=headers, timeout=120, verify=context).status_code
        except httpx.TransportError:
            return 0
