"""`spanledger anomalies` and `spanledger backtest`, on a ledger that `spanledger up` serves and watches."""

import json
import time
from pathlib import Path

import pytest
import requests

from tests.collector.alerting.receiving import wait_for
from tests.collector.anomalies.test_detection import call, usual
from tests.collector.cli.processes import spanledger, up
from tests.otlp import request

pytestmark = pytest.mark.e2e


def test_an_incident_is_listed_told_judged_and_found_again_in_the_past(tmp_path: Path) -> None:
    now, store = time.time(), ("--store", str(tmp_path / "ledger"))
    who = {"tenant": "a", "team": "support", "feature": "chat", "user": "mallory", "session": "s1"}
    loop = [call(now - 2 * n, **who, prompt="00000000000000ab") for n in range(300)]
    with up(tmp_path / "ledger", SPANLEDGER_ALERT_SECONDS="1") as running:
        for spans in (usual(now), loop):
            headers = {"content-type": "application/x-protobuf"}
            requests.post(f"{running.otlp_http_url}/v1/traces", request(spans).body, headers=headers, timeout=120)
        wait_for(lambda: json.loads(spanledger("anomalies", "list", "--json", *store).out), 90)

        (incident,) = json.loads(spanledger("anomalies", "list", "--json", *store).out)
        shown = spanledger("anomalies", "show", incident["incident_id"][:6], *store)
        said = spanledger("anomalies", "feedback", incident["incident_id"], "expected", *store)
        listed = spanledger("anomalies", "list", *store)
        past = spanledger("backtest", "--preset", "balanced", "--since", "2d", "--json", *store)

    assert (incident["class"], incident["user"], incident["session"]) == ("retry_loop", "mallory", "s1")
    assert "session s1 repeats itself" in shown.out
    assert (said.code, said.out) == (0, f"{incident['incident_id']}: expected.\n")
    assert "expected" in listed.out
    (episode,) = json.loads(past.out)["balanced"]
    assert episode["place"] == {"team": "support", "feature": "chat"}
    assert "repeats" in episode["rules"]


def test_an_event_is_planned_listed_and_called_off(tmp_path: Path) -> None:
    store = ("--store", str(tmp_path / "ledger"))

    planned = spanledger("anomalies", "plan", "2099-01-02T03:00", "--hours", "2", "--team", "search", *store)
    (event,) = json.loads(spanledger("anomalies", "plan", "--json", *store).out)
    off = spanledger("anomalies", "plan", "--cancel", event["event_id"], *store)
    after = spanledger("anomalies", "plan", *store)

    assert planned.out == f"Planned: {event['event_id']}  2099-01-02 03:00 to 2099-01-02 05:00 UTC  team search\n"
    assert off.out.startswith("Called off: ")
    assert after.out == "Nothing is planned.\n"


def test_a_preset_and_thresholds_are_chosen_while_a_ledger_is_served_and_kept(tmp_path: Path) -> None:
    store = ("--store", str(tmp_path / "ledger"))
    with up(tmp_path / "ledger", SPANLEDGER_ALERTS="false"):
        before = spanledger("anomalies", "preset", *store)
        chosen = spanledger("anomalies", "preset", "quiet", *store)
        own = spanledger("anomalies", "thresholds", "spike", "9.5", *store)
        back = spanledger("anomalies", "thresholds", "spike", "--preset", "sensitive", "--shipped", *store)

    after = spanledger("anomalies", "preset", *store)
    listed = json.loads(spanledger("anomalies", "thresholds", "--json", *store).out)

    hint = "`spanledger backtest` tells what each preset would have found."
    assert before.out == f"Detection runs with balanced. {hint}\n"
    assert "`spanledger backtest --preset quiet` tells what it would have found" in chosen.out
    assert after.out == f"Detection runs with quiet. {hint}\n"
    assert (own.out, back.out) == (
        "spike of quiet: 9.5, from the next pass on.\n",
        "spike of sensitive: as shipped, from the next pass on.\n",
    )
    assert {row["preset"]: row["own"] for row in listed if row["rule"] == "spike"} == {
        "quiet": 9.5,
        "balanced": None,
        "sensitive": None,
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("anomalies", "show", "abc"), "No incidents begin with 'abc'"),
        (("anomalies", "feedback", "abc", "expected"), "No incidents begin with 'abc'"),
        (("anomalies", "plan", "soon"), "'soon' is no time"),
        (("anomalies", "plan", "9999-12-31T23:00"), "An event begins between 2000-01-01 and 2100-01-01"),
        (("anomalies", "plan", "0001-01-01T00:00+14:00"), "An event begins between 2000-01-01 and 2100-01-01"),
        (("anomalies", "plan", "2099-01-02", "--team", "a", "--user", "b"), "An event concerns one thing"),
        (("anomalies", "plan", "--cancel", "abc"), "There is no planned event abc"),
        (("anomalies", "preset", "loud"), "There are: quiet, balanced, sensitive"),
        (("anomalies", "thresholds", "spoke", "3"), "There is no rule 'spoke'"),
        (("anomalies", "thresholds", "spike"), "or --shipped"),
        (("backtest", "--preset", "loud"), "There are: quiet, balanced, sensitive"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    spanledger("migrate", "--store", str(tmp_path / "ledger"))

    done = spanledger(*words, "--store", str(tmp_path / "ledger"))

    assert done.code == 2
    assert said in done.sentence
