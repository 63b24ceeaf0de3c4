"""`spanledger load` says what became of each call, and tells a lost one from a doubled one."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spanledger_collector.listening import Tls
from spanledger_collector.load import SERVICE, Load, Stored, stored
from tests.collector.alerting.receiving import Hook
from tests.collector.cli.processes import environment, spanledger, up
from tests.collector.test_doorway import certificate
from tests.ledger import Ledger
from tests.otlp import chat, request

__all__ = ["certificate"]

NOBODY = "http://127.0.0.1:9"


@pytest.mark.e2e
def test_every_call_that_was_accepted_is_stored_once(tmp_path: Path) -> None:
    with up(tmp_path / "ledger"):
        done = spanledger("load", "--store", tmp_path / "ledger", "--rate", 200, "--seconds", 2, "--json")

    assert done.code == 0, done.err
    (report,) = json.loads(done.out)
    assert (report["sent"], report["accepted"], report["stored"]) == (400, 400, 400)
    assert (report["lost"], report["doubled"], report["given_up"]) == (0, 0, 0)


@pytest.mark.e2e
def test_made_up_money_beside_real_money_needs_a_yes(tmp_path: Path) -> None:
    file, store = tmp_path / "real.pb", tmp_path / "ledger"
    file.write_bytes(request([chat(time.time() - 60)]).body)
    with up(store):
        assert spanledger("replay", file, "--store", store).code == 0
        run = ("load", "--store", store, "--rate", 10, "--seconds", 1)
        refused = spanledger(*run)
        untouched = spanledger("query", "select count() from calls", "--format", "TSV", "--store", store).out
        agreed = spanledger(*run, "--yes")

    assert refused.code == 2
    assert "has 1 call of your services" in refused.err
    assert untouched == "1\n"
    assert agreed.code == 0, agreed.err


def test_a_run_counts_its_own_calls_only_and_a_repeated_one_once(ledger: Ledger, recently: float) -> None:
    run = "5eed5eed5eed5eed"
    of_run = [chat(recently + number, trace=(int(run, 16) << 64) + number, service=SERVICE) for number in (1, 2)]
    foreign = chat(recently, service=SERVICE)

    ledger.settled(*of_run, of_run[0], foreign)

    assert stored(ledger.client, run) == Stored(rows=2, calls=2)
    assert Stored(rows=3, calls=2).doubled == 1


def test_a_run_that_nobody_answers_gives_up_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spanledger_collector.load.GRACE_SECONDS", 0.1)
    run = Load(NOBODY, rate=10, seconds=0.5, senders=1)

    run.send()

    assert (run.accepted, run.given_up) == (0, 10)
    assert set(run.refused) == {"ConnectionError"}


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--otlp", "nonsense"], 2, "--otlp: that is no address; write it as https://gateway:4318"),
        (["--otlp", "ftp://gateway"], 2, "--otlp: that is no address"),
        (["--otlp", "http://gateway:99999"], 2, "--otlp: that is no address"),
        (["--otlp", "http://user:s3cret-word@gateway"], 2, "--otlp: that is no address"),
        (
            ["--otlp", NOBODY],
            1,
            f"Nothing was sent: {NOBODY} does not take it. It cannot be reached: Connection refused.",
        ),
        (["--otlp", NOBODY, "--ca", "/nope"], 2, "--ca: /nope cannot be used: No such file"),
        (["--otlp", NOBODY, "--ca", __file__], 2, f"--ca: {__file__} cannot be used"),
        (["--otlp", NOBODY, "--token-file", "/nope"], 2, "--token-file: /nope has no token: No such file"),
        (["--otlp", NOBODY, "--token-file", "/dev/null"], 2, "--token-file: /dev/null has no token: it is empty"),
        (["--otlp", NOBODY, "--token-file", sys.executable], 2, "has no token: it is no text"),
        ([], 2, "Say where to send with --otlp"),
    ],
)
def test_what_cannot_be_sent_ends_at_once_and_says_why(
    options: list[str], code: int, said: str, tmp_path: Path
) -> None:
    done = spanledger("load", "--store", tmp_path, "--seconds", 100, *options)

    assert (done.code, said in done.sentence) == (code, True), done.sentence
    assert "s3cret-word" not in done.err


@pytest.mark.parametrize(
    "options",
    [("--rate", "inf"), ("--rate", "nan"), ("--rate", 0), ("--seconds", "inf"), ("--senders", 0), ("--batch", "many")],
)
def test_numbers_that_no_run_can_have_are_refused(options: tuple[str, object]) -> None:
    done = spanledger("load", "--otlp", NOBODY, "--blind", *options)

    assert (done.code, done.out) == (2, "")
    assert f"Invalid value for '{options[0]}'" in done.err


@pytest.mark.parametrize(
    ("status", "said"), [(401, "--token-file names the file"), (404, "without /v1/traces"), (302, "without /v1/traces")]
)
def test_one_that_refuses_is_not_asked_again(status: int, said: str) -> None:
    with Hook(status) as hook:
        done = spanledger("load", "--otlp", hook.origin, "--blind")

    assert (done.code, hook.refused) == (1, 1)
    assert f"answered with HTTP status {status}; " in done.sentence
    assert said in done.sentence


def test_a_certificate_that_nobody_named_is_not_trusted(certificate: Tls) -> None:
    with Hook(tls=certificate) as hook:
        done = spanledger("load", "--otlp", hook.origin, "--blind")

    assert done.code == 1
    assert "Its certificate is not trusted" in done.sentence


def test_nothing_is_sent_into_a_ledger_that_cannot_be_asked(tmp_path: Path) -> None:
    with Hook(503) as busy:
        done = spanledger("load", "--otlp", busy.origin, "--store", tmp_path / "none")

    assert (done.code, busy.refused) == (1, 1)
    assert "Nothing was sent. There is no ledger at" in done.sentence
    assert "--blind" in done.sentence


@pytest.mark.e2e
def test_ctrl_c_ends_a_run_that_waits_for_its_next_call(tmp_path: Path) -> None:
    with up(tmp_path) as ledger:
        command = [sys.executable, "-m", "spanledger_collector", "load", "--otlp", ledger.otlp_http_url, "--blind"]
        command += ["--rate", "0.01", "--seconds", "1000"]
        with subprocess.Popen(command, env=environment()) as process:
            time.sleep(5)
            process.send_signal(signal.SIGINT)
            try:
                code = process.wait(10)
            finally:
                process.kill()  # where a shell lets its background jobs ignore SIGINT, it would go on for 1,000 seconds

    assert code == 130
