"""Changing prices by command: a preview, an answer, an audit; and everything that is refused before it costs money."""

import json
import time
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from spanledger_collector.database import open_embedded
from spanledger_collector.receiver.door import Door
from spanledger_collector.refresh import settle
from tests.collector.cli.processes import spanledger
from tests.otlp import chat, request

pytestmark = pytest.mark.e2e

GPT_5 = {"gen_ai.response.model": "gpt-5", "spanledger.team": "red"}
LIST_USD = Decimal("0.00225")
PRICE = ("--price", "input=1", "--price", "output=2")


@pytest.fixture(scope="module")
def store(new_store: Callable[[], Path]) -> Path:
    """A store with one call of gpt-5 of tenant acme, and one of a deployment that nobody knows."""
    path = new_store()
    start = float(int(time.time()) - 3 * 3600)
    unknown = {"gen_ai.response.model": "prod-chat", "gen_ai.provider.name": "azure.ai.openai"}
    spans = [chat(start, extra={**GPT_5, "spanledger.tenant": "acme"}), chat(start + 60, extra=unknown)]
    with (
        closing(open_embedded(path)) as database,
        closing(database.client()) as client,
        closing(Door(database)) as door,
    ):
        door.insert([request(spans)])
        settle(client)
    return path


@pytest.fixture
def run(store: Path) -> Any:
    def run(*arguments: str, fails: int = 0) -> str:
        ended = spanledger(*arguments, "--store", store, COLUMNS="100")
        assert ended.code == fails, ended.err
        return f"{ended.out}{ended.err}".strip() if fails else ended.out

    return run


def usd(run: Any, model: str = "gpt-5") -> Decimal | None:
    answer = run("query", f"select toString(cost_usd) as usd from calls where model = '{model}' format JSONEachRow")
    value = json.loads(answer)["usd"] if answer.strip() else None
    return Decimal(value) if value is not None else None


def test_a_price_is_previewed_and_changes_nothing_without_a_yes(run: Any) -> None:
    said = run("prices", "set", "openai", "gpt-5", *PRICE, fails=2)

    assert "openai/gpt-5" in said
    assert "0.002250" in said
    assert "0.001200" in said
    assert said.endswith("Nothing was changed. --yes puts it in force.")
    assert usd(run) == LIST_USD


def test_with_a_yes_history_has_the_price_and_the_audit_tells_who_why_and_how_much(run: Any) -> None:
    done = json.loads(run("prices", "set", "openai", "gpt-5", *PRICE, "--note", "new deal", "--yes", "--json"))
    audit = json.loads(run("query", "select * from repricing_history order by book_to desc limit 1 format JSONEachRow"))

    assert usd(run) == Decimal("0.0012")
    assert done["in_force"]
    assert [row["delta_usd"] for row in done["changes"]] == ["-0.00105"]
    assert (audit["book_to"], audit["team"], audit["calls"], Decimal(str(audit["delta_usd"]))) == (
        done["book"], "red", 1, Decimal("-0.00105"),
    )  # fmt: skip
    assert audit["why"].endswith("new deal")
    assert audit["who"]

    earlier = json.loads(run("prices", "list", "--model", "gpt-5", "--book", "1", "--json"))
    run("prices", "set", "openai", "gpt-5", "--withdraw", "--yes")
    assert {Decimal(row["prices"]["input_usd_per_mtok"]) for row in earlier if not row["context"]} >= {Decimal("1.25")}
    assert usd(run) == LIST_USD


def test_a_contract_is_made_and_assigned_and_prices_its_calls(run: Any) -> None:
    run("prices", "contract", "deal", "--discount", "20", "--provider", "openai", "--yes")
    run("prices", "assign", "deal", "--tenant", "acme", "--yes")
    assert usd(run) == LIST_USD * Decimal("0.8")

    run("prices", "assign", "", "--tenant", "acme", "--yes")
    assert usd(run) == LIST_USD


def test_what_is_said_again_changes_nothing(run: Any) -> None:
    contract = ("prices", "contract", "twice", "--discount", "5")
    assign = ("prices", "assign", "twice", "--tenant", "globex", "--service", "billing")
    rate = ("prices", "rate", "GBP", "2026-01-01", "1.30")
    for command in (contract, assign, rate):
        assert "is in force" in run(*command), command
        assert run(*command, "--note", "again") == "Nothing changes: the prices are that already.\n", command
    assert "is in force" in run("prices", "rate", "GBP", "2026-01-01", "1.31")


def test_a_tenant_whom_no_call_names_is_said_and_taken(store: Path, run: Any) -> None:
    run("prices", "contract", "hinted", "--discount", "5")
    ended = spanledger("prices", "assign", "hinted", "--tenant", "acmee", "--store", store)

    assert (ended.code, ended.err) == (0, "No call names the tenant acmee so far. Did you mean acme?\n")
    assert "is in force: hinted for tenant acmee" in ended.out


def test_an_alias_prices_a_deployment_until_it_is_taken_back(run: Any) -> None:
    assert usd(run, "prod-chat") is None

    run("prices", "alias", "set", "azure.ai.openai", "prod-chat", "--to", "azure", "gpt-4o-2024-08-06", "--yes")
    assert usd(run, "gpt-4o") == Decimal("0.0035")
    assert "prod-chat" in run("prices", "alias", "list")

    run("prices", "alias", "remove", "azure.ai.openai", "prod-chat", "--yes")
    assert usd(run, "prod-chat") is None


def test_a_cost_that_is_unknown_is_previewed_as_unknown(run: Any) -> None:
    name = ("azure.ai.openai", "prod-chat")
    command = ("prices", "alias", "set", *name, "--to", "azure", "gpt-4o-2024-08-06")
    shown = run(*command, fails=2)
    (given,) = json.loads(run(*command, "--yes", "--json"))["changes"]
    taken = json.loads(run("prices", "alias", "remove", *name, "--yes", "--json"))["changes"]

    assert shown.split("total")[1].split()[:4] == ["1", "unknown", "0.003500", "+0.003500"]
    assert [given[name] for name in ("old_usd", "new_usd", "delta_usd")] == [None, "0.0035", None]
    assert [given[f"known_{name}"] for name in ("old_usd", "new_usd", "delta_usd")] == ["0", "0.0035", "0.0035"]
    assert {one["model"]: one["new_usd"] for one in taken} == {"gpt-4o": "0", "prod-chat": None}


def test_a_price_in_euros_needs_a_value_of_the_euro(run: Any) -> None:
    price = ("prices", "set", "openai", "gpt-5", *PRICE, "--currency", "EUR", "--from", "2026-01-01", "--yes")
    assert "what a EUR is worth from 2026-01-01 is not known" in run(*price, fails=1)

    run("prices", "rate", "EUR", "2026-01-01", "1.08")
    run(*price)
    assert usd(run) == Decimal("0.0012") * Decimal("1.08")
    run("prices", "set", "openai", "gpt-5", "--withdraw", "--yes")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["set", "opnai", "gpt-5", *PRICE], "no provider 'opnai'. Did you mean openai"),
        (["set", "openai", "gpt-5-mni", *PRICE], "Did you mean gpt-5-mini"),
        (["set", "openai", "gpt-5", "--price", "input=1250"], "thousand times off"),
        (["set", "openai", "gpt-5", "--price", "input=-1"], "at least 0"),
        (["set", "own", "house-5b", "--price", "input=100000", "--price", "output=1"], "the dearest in the list is"),
        (["contract", "deal", "--discount", "101"], "101 % off is no discount"),
        (["contract", "deal", "--discount", "x"], "'x' is no number"),
        (["contract", "deal"], "Give --discount or --committed"),
        (["assign", "dael", "--tenant", "a"], "There is no contract dael"),
        (["rate", "DOLLARS", "2026-01-01", "1"], "'DOLLARS' is no currency"),
        (["rate", "EUR", "2026-01-01", "0"], "0 USD is no value"),
        (["alias", "set", "azure", "x", "--to", "openai", "gpt-5-mni"], "Did you mean gpt-5-mini"),
        (["alias", "remove", "azure", "x"], "is no alias of yours"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_right_is_refused_with_a_hint(store: Path, command: list[str], said: str) -> None:
    ended = spanledger("prices", *command, "--yes", "--store", store)

    assert ended.code in (1, 2)
    assert said in ended.sentence


def test_a_file_is_imported_whole_or_not_at_all(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "prices.csv"
    head = "provider,model,unit,input,output\n"
    file.write_text(f"{head}openai,gpt-5,per_mtok,1,2\nopenai,gpt-5-mini,per_token,1.25,2\nopenai,gpt-5-nano,,1,2\n")
    said = run("prices", "import", str(file), "--yes", fails=1)

    assert f"{file}: nothing was imported. row 3: openai/gpt-5-mini: input_usd_per_token is 1.25" in said
    assert "row 4: unit is missing." in said
    assert usd(run) == LIST_USD

    file.write_text(f"{head}openai,gpt-5,per_mtok,1,2\nopenai,gpt-5-mini,per_token,0.000001,0.000002\n")
    run("prices", "import", str(file), "--yes")
    assert usd(run) == Decimal("0.0012")
    run("prices", "set", "openai", "gpt-5", "--withdraw", "--yes")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", "{}", "is not a list of prices"),
        ("a.json", '[{"provider": "openai", "model": "gpt-5", "unit": "per_mtok", "inptu": 1}]', "entry 1: there is no column 'inptu'"),
        ("a.json", '[{"provider": "openai", "model": "gpt-5", "unit": "per_mtok", "input": "x"}]', "input 'x' is no amount"),
        ("a.json", '[{"provider": "openai", "model": "gpt-5", "unit": "per_mtok", "input": NaN}]', "is no amount"),
        ("a.csv", "provider,model,unit,input\nopenai,gpt-5,per_mtok,1\nopenai,gpt-5,per_mtok,1\n", "two prices for one time"),
        ("a.csv", "provider,model,unit,input\n", "holds no prices"),
        ("a.txt", "x", "are read from .csv or .json"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_right_is_refused(run: Any, tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)

    assert said in run("prices", "import", str(tmp_path / name), "--yes", fails=1)


def test_the_book_compares_itself_with_another_list(run: Any, tmp_path: Path) -> None:
    entry = {"litellm_provider": "openai", "input_cost_per_token": 2.5e-06, "output_cost_per_token": 1e-05}
    (tmp_path / "map.json").write_text(json.dumps({"gpt-5": entry, "sample_spec": {}}))
    found = json.loads(run("prices", "diff", "--map", str(tmp_path / "map.json"), "--json"))
    said = run("prices", "diff", "--map", str(tmp_path / "map.json"))

    assert [(row["model"], row["meter"], row["ours_usd"], row["theirs_usd"]) for row in found] == [
        ("gpt-5", "input", "1.25", "2.5")
    ]
    assert "genai-prices" in said
    assert "in use for 0 days" in said


def test_the_installed_list_passes_its_own_check(run: Any) -> None:
    said = run("prices", "check")

    assert "No price looks wrong." in said
    assert "in use for 0 days" in said


def test_a_forced_price_that_cannot_be_right_is_found_by_check(run: Any) -> None:
    run("prices", "set", "openai", "gpt-5", "--price", "output=20000", "--force", "--yes")
    said = run("prices", "check", fails=1)
    run("prices", "set", "openai", "gpt-5", "--withdraw", "--yes")

    assert "a thousand times off" in " ".join(said.split())


def test_a_forced_price_a_thousand_times_off_its_own_history_is_found_by_check(run: Any) -> None:
    cheap = ("--price", "input=0.0001", "--price", "output=0.0002", "--force", "--yes")
    run("prices", "set", "openai", "gpt-5", *cheap, "--from", "2027-01-01")
    said = run("prices", "check", fails=1)
    run("prices", "set", "openai", "gpt-5", "--withdraw", "--yes")

    assert "it is 0.0001, and 1.25 until 2027-01-01: a thousand times off" in " ".join(said.split())


def test_an_update_to_the_list_that_is_in_force_changes_nothing(run: Any) -> None:
    assert "Nothing changes" in run("prices", "update", "--yes")
