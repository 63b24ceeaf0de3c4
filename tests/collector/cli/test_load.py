"""`spanledger load` says what became of each call, and tells a lost one from a doubled one."""

import json
from pathlib import Path

import pytest

from spanledger_collector.load import SERVICE, Load, Stored, stored
from tests.collector.cli.processes import spanledger, up
from tests.ledger import Ledger
from tests.otlp import chat


@pytest.mark.e2e
def test_every_call_that_was_accepted_is_stored_once(tmp_path: Path) -> None:
    with up(tmp_path / "ledger"):
        done = spanledger("load", "--store", tmp_path / "ledger", "--rate", 200, "--seconds", 2, "--json")

    assert done.code == 0, done.err
    (report,) = json.loads(done.out)
    assert (report["sent"], report["accepted"], report["stored"]) == (400, 400, 400)
    assert (report["lost"], report["doubled"], report["given_up"]) == (0, 0, 0)


def test_a_run_counts_its_own_calls_only_and_a_repeated_one_once(ledger: Ledger, recently: float) -> None:
    run = "5eed5eed5eed5eed"
    of_run = [chat(recently + number, trace=(int(run, 16) << 64) + number, service=SERVICE) for number in (1, 2)]
    foreign = chat(recently, service=SERVICE)

    ledger.settled(*of_run, of_run[0], foreign)

    assert stored(ledger.client, run) == Stored(rows=2, calls=2)
    assert Stored(rows=3, calls=2).doubled == 1


def test_a_run_that_nobody_answers_gives_up_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spanledger_collector.load.GRACE_SECONDS", 0.1)
    run = Load("http://127.0.0.1:9", rate=10, seconds=0.5, senders=1)

    run.send()

    assert (run.accepted, run.given_up) == (0, 10)
    assert set(run.refused) == {"ConnectionError"}
