"""Users of a ClickHouse server: each statement parses, and its engine lets each role do what it should and nothing else."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest

from spanledger_collector.access import statements
from spanledger_collector.database import Database, open_embedded
from spanledger_collector.exceptions import UsageError
from spanledger_collector.migrations import migrate
from spanledger_collector.prices.book import install
from spanledger_collector.queries import User
from spanledger_collector.queries.expansion import PARAMETERIZED_VIEWS
from spanledger_collector.queries.tenancy import VIEWS
from spanledger_collector.receiver.door import Door
from spanledger_collector.refresh import ROLLUPS, judge, refresh
from spanledger_collector.target import Target
from tests.collector.server_engine import ADMIN, PASSWORD, configuration, options
from tests.ledger import source
from tests.otlp import chat, request

ROOT = Path(__file__).parents[2]
# The engine leaves a cache where it runs.
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
pytestmark = pytest.mark.e2e
USERS = {
    "root": ("a password of root", User("root", "admin")),
    "otelcol": ("a password of otelcol", User("otelcol", "writer")),
    "grafana": ("a password of grafana", User("grafana")),
    "acme's": ("a password of acme's", User("acme's", tenant="acme's")),
    "search": ("a password of search", User("search", team="search")),
}
TARGETS = {
    "server": Target(kind="server", database="costs", user=ADMIN, password=PASSWORD),
    "cluster": Target(kind="cluster", database="costs", cluster="main", user=ADMIN, password=PASSWORD),
}
ROLES = {
    "otelcol": "costs_writer",
    "grafana": "costs_reader",
    "acme's": "costs_tenant_reader",
    "search": "costs_team_reader",
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with closing(open_embedded(tmp_path_factory.mktemp("store"))) as database:
        yield database


@pytest.mark.parametrize("kind", TARGETS)
def test_every_statement_parses(engine: Database, kind: str) -> None:
    with closing(engine.bare_client()) as client:
        for text in statements(TARGETS[kind], USERS):
            assert client.query("select formatQuery({sql:String})", {"sql": text}).result_rows, text


def test_no_password_is_in_a_statement() -> None:
    text = "\n".join(statements(TARGETS["server"], USERS))

    assert [name for name, (password, _) in USERS.items() if password in text] == []
    assert text.count("sha256_hash by '") == 2 * len(USERS)


def test_a_reader_of_one_tenant_has_its_policy_before_it_may_read() -> None:
    texts = [text for text in statements(TARGETS["server"], USERS) if "`acme's`" in text]

    assert [text.split()[0:3] for text in texts] == [
        ["create", "user", "if"],
        ["alter", "user", "`acme's`"],
        ["create", "row", "policy"],
        ["grant", "costs_tenant_reader", "to"],
        ["alter", "user", "`acme's`"],
    ]


def test_a_user_without_a_password_is_for_one_machine_only() -> None:
    with pytest.raises(UsageError, match="default has no password"):
        list(statements(TARGETS["server"], {"default": ("", User())}))


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, list[str]], list[Any]]:
    """Asks the engine as one of the users, on a ledger that was made as a server's is and holds calls of two tenants."""
    folder = tmp_path_factory.mktemp("server")
    make = [sys.executable, "-m", "tests.collector.test_access", str(folder)]
    subprocess.run(make, check=True, cwd=folder, env=ENVIRONMENT)

    def ask(user: str, questions: list[str]) -> list[Any]:
        profile, rights = options(statements(TARGETS["server"], USERS), ROLES[user], user)
        config = configuration(folder / ROLES[user], profile, rights)
        said = json.dumps({"store": str(folder / "store"), "config": str(config), "statements": questions})
        command = [sys.executable, "-m", "tests.collector.server_engine"]
        done = subprocess.run(
            command, input=said, capture_output=True, text=True, check=True, cwd=folder, env=ENVIRONMENT
        )
        return list(json.loads(done.stdout))

    return ask


def make_ledger(folder: Path) -> None:
    """Make a ledger with the statements of a server, and book calls of two tenants and two teams."""
    path = f"{folder / 'store'}?config-file={configuration(folder / 'admin')}"

    def connect(name: str) -> Any:
        return clickhouse_connect.get_client(interface="chdb", path=path, database=name)

    database = Database(TARGETS["server"], connect)
    with closing(database.bare_client()) as client:
        migrate(client, database.target)
    with closing(database.client()) as client, closing(Door(database)) as door:
        install(client, note="test")
        # At once: a server makes an old hour again no sooner than ten minutes later.
        who = (("acme's", "search"), ("acme's", "support"), ("globex", "search"))
        tags = [
            {"spanledger.tenant": tenant, "spanledger.team": team, "user.id": f"user of {tenant}"}
            for tenant, team in who
        ]
        door.insert([request([chat(time.time() - 3 * 86_400, extra=extra) for extra in tags])])
        judge(client)
        for rollup in (
            rollup for rollup in ROLLUPS if "minutes" not in rollup
        ):  # a run that had begun before may know less
            while client.query(f"select sum(calls) from {rollup} final").result_rows != [(3,)]:
                refresh(client, f"{rollup}_mv")


def test_a_reader_of_one_tenant_sees_its_rows_in_every_view_and_no_others(asked: Callable[..., list[Any]]) -> None:
    tenants = [
        f"select distinct tenant from costs.{view}"
        for view in ("calls", "spans_judged", "costs", "daily_costs", "actor_costs", "cost_by_tenant")
    ]
    sums = [
        f"select sum(calls) from costs.{source(view)}"
        for view in sorted(VIEWS)
        if view.startswith(("cost", "daily_costs", "completeness"))
    ]

    assert asked("acme's", tenants) == [[["acme's"]]] * len(tenants)
    assert asked("acme's", sums) == [[[2]]] * len(sums)


def test_a_reader_of_one_team_sees_its_rows_of_all_tenants(asked: Callable[..., list[Any]]) -> None:
    answers = asked(
        "search", ["select count(), groupUniqArray(team) from costs.calls", "select sum(calls) from costs.cost_by_team"]
    )

    assert answers == [[[2, ["search"]]], [[2]]]


def test_a_reader_of_everything_sees_every_view_and_changes_nothing(asked: Callable[..., list[Any]]) -> None:
    views = [*sorted(VIEWS), "ledger_status", "pipeline_health", "ledger_check", "services_seen", "otel_traces"]
    answers = asked("grafana", [f"select count() from costs.{source(view)}" for view in views])

    assert [answer for answer in answers if isinstance(answer, str)] == []
    assert asked("grafana", ["select count(), uniq(tenant) from costs.calls"]) == [[[3, 2]]]


@pytest.mark.parametrize(
    ("user", "questions"),
    [
        (
            "acme's",
            [
                *(
                    f"select count() from costs.{table}"
                    for table in ("genai_calls", "otel_traces", "rates", "priced_calls", "repricing_history")
                ),
                "select dictGet('costs.rate_dict', 'input_usd_per_token', toUInt32(1))",
                "insert into costs.otel_traces (SpanName) values ('x')",
            ],
        ),
        ("search", ["select count() from costs.cost_by_user"]),
        (
            "otelcol",
            [
                "select count() from costs.otel_traces",
                "select count() from costs.calls",
                "insert into costs.genai_calls (tenant) values ('x')",
                "truncate table costs.otel_traces",
            ],
        ),
        ("grafana", ["create table costs.mine (x UInt8) engine = Memory", "truncate table costs.otel_traces"]),
    ],
)
def test_what_a_role_was_not_given_is_refused(asked: Callable[..., list[Any]], user: str, questions: list[str]) -> None:
    answers = asked(user, questions)

    assert [
        text
        for text, answer in zip(questions, answers, strict=True)
        if "ACCESS_DENIED" not in answer and "READONLY" not in answer
    ] == []


def test_an_error_in_a_condition_tells_nothing_of_the_rows_of_others(asked: Callable[..., list[Any]]) -> None:
    oracle = "throwIf(tenant = 'globex', 'seen')"
    questions = [
        f"select count() from costs.{view} where {oracle} = 0"
        for view in ("calls", "spans_judged", "costs", "daily_costs", *map(source, PARAMETERIZED_VIEWS), "actor_costs")
    ]

    assert asked("acme's", questions) == [[[2]], [[2]], [[2]], [[2]], [[2]], [[2]], [[1]]]
    (lifted,) = asked("acme's", ["select count() from costs.calls settings query_plan_merge_filters = 1"])
    assert "SETTING_CONSTRAINT_VIOLATION" in lifted


def test_limits_of_readers_can_be_lowered_and_not_raised(asked: Callable[..., list[Any]]) -> None:
    questions = [f"select 1 settings max_execution_time = {seconds}" for seconds in (5, 600)]
    lower, higher, writing = asked("grafana", [*questions, "set readonly = 0"])

    assert lower == [[1]]
    assert "max_execution_time" in higher
    assert "readonly" in writing


def test_what_the_collector_writes_is_taken_though_it_may_read_nothing(asked: Callable[..., list[Any]]) -> None:
    into = "insert into costs.otel_traces (Timestamp, TraceId, SpanId, SpanName)"
    insertion = f"{into} values (now64(9), '0123456789abcdef0123456789abcdef', '0123456789abcdef', 'x')"
    columns, written = asked("otelcol", ["describe table costs.otel_traces", insertion])

    assert len(columns) > 20
    assert written == []
    assert asked("grafana", ["select count() from costs.otel_traces where SpanName = 'x'"]) == [[[1]]]


def test_confined_readers_may_name_the_views_that_the_embedded_ledger_lets_them() -> None:
    granted = next(text for text in statements(TARGETS["server"], {}) if "select on costs.calls" in text)
    users = next(text for text in statements(TARGETS["server"], {}) if "select on costs.actor_costs" in text)

    named = {part.split(",")[0].split(" ")[0] for part in (granted + " " + users).split("costs.")[1:]}
    assert named == VIEWS - {"genai_calls"}


if __name__ == "__main__":
    make_ledger(Path(sys.argv[1]))
