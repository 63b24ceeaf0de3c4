"""Who is told: what can be said in the file of receivers, and what is refused, without a secret in the sentence."""

from pathlib import Path

import pytest

from spanledger_collector.alerting.receivers import Receiver, read_receivers, receiver_of
from spanledger_collector.alerting.rules import RULES
from spanledger_collector.exceptions import UsageError

SECRET = "s3cret-word"


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / "receivers.toml"
    file.write_text(text, "utf-8")
    file.chmod(mode)
    return file


def refused(folder: Path, text: str) -> str:
    with pytest.raises(UsageError) as caught:
        read_receivers(written(folder, text), {"HOOK": f"ftp://{SECRET}"})
    assert SECRET not in str(caught.value)
    return str(caught.value)


def test_receivers_come_with_their_secrets_from_files_and_variables(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(f"{SECRET}\n")
    file = written(
        tmp_path,
        f"""
        [[alertmanager]]
        url = "https://alerts.example:9093"
        username = "spanledger"
        password_file = "{tmp_path / "password"}"
        hold_seconds = 30
        [[webhook]]
        name = "oncall"
        url_env = "HOOK"
        token_env = "TOKEN"
        [[heartbeat]]
        url = "https://deadman.example/ping?x=1"
        """,
    )

    one, two, three = read_receivers(file, {"HOOK": "https://hooks.example/abc", "TOKEN": SECRET})

    assert one == Receiver(
        "alertmanager",
        "https://alerts.example:9093",
        "alertmanager alerts.example:9093",
        "spanledger",
        SECRET,
        hold_seconds=30,
    )
    assert (two.name, two.url, two.token) == ("oncall", "https://hooks.example/abc", SECRET)
    assert (three.kind, three.name) == ("heartbeat", "heartbeat deadman.example")
    assert SECRET not in repr([one, two, three])
    assert "hooks.example/abc" not in repr(two)


def test_the_watchdog_goes_to_alertmanagers_and_heartbeats_only() -> None:
    kinds = [receiver_of(kind, "http://x.example") for kind in ("alertmanager", "webhook", "heartbeat")]
    everything = {rule.name for rule in RULES}

    assert [set(receiver.rules) for receiver in kinds] == [everything, everything - {"Watchdog"}, {"Watchdog"}]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "[[pager]]\nurl = 'http://x'",
            "has a table [[pager]]; there are [[alertmanager]], [[webhook]], [[heartbeat]]",
        ),
        ("[[webhook]]\nurll = 'http://x'", "has a setting 'urll'; there are"),
        ("[[webhook]]\nname = 'x'", "has no url"),
        ("[[webhook]]\nurl = 'x.example'", "The URL of a receiver of kind webhook is none"),
        ("[[webhook]]\nurl = 'http://x.example:99999'", "The URL of a receiver of kind webhook is none"),
        ("[[webhook]]\nurl_env = 'HOOK'", "The URL of a receiver of kind webhook is none"),
        ("[[webhook]]\nurl_env = 'NONE'", "the variable NONE is not set"),
        ("[[webhook]]\nurl = 'http://x'\nurl_env = 'HOOK'", "has url and url_env; give one"),
        ("[[webhook]]\nurl = 'http://x'\ntoken_file = '/nowhere'", "token_file cannot be read: No such file"),
        (f"[[webhook]]\nurl = 'http://me:{SECRET}@x.example'", "holds a password: give it as username"),
        (f"[[webhook]]\nurl = 'http://x'\ntoken = '{SECRET}'\npassword = '{SECRET}'", "has a token and a password"),
        ("[[alertmanager]]\nurl = 'http://x/?a=b'", "has a part behind ?"),
        ("[[webhook]]\nurl = 'http://x'\ntimeout_seconds = 'soon'", "timeout_seconds of the receiver at x is 'soon'"),
        ("[[webhook]]\nurl = 'http://x'\nca = '/nowhere.pem'", "The file /nowhere.pem"),
        ("[[webhook]]\nurl = 7", "url is no text"),
        ("[webhook]\nurl = 'http://x'", "write [[webhook]] above"),
        ("[[webhook]]\nurl = 'http://x'\n[[webhook]]\nurl = 'http://x'", "have one name"),
        ("", "names none"),
        ("[[webhook", "is no TOML"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    assert sentence in refused(tmp_path, text)


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, "[[webhook]]\nurl = 'http://x'", 0o640)

    with pytest.raises(UsageError, match="chmod 600"):
        read_receivers(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"receivers\.toml cannot be read: No such file"):
        read_receivers(tmp_path / "receivers.toml")
