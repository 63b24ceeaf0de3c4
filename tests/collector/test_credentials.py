"""Who may send, as `spanledger up` is told: a file of tokens, and an address that fits."""

from pathlib import Path

import pytest

from spanledger_collector.exceptions import UsageError
from spanledger_collector.receiver.credentials import Credentials, UnauthenticatedError
from spanledger_collector.server import Doorway

ACME, GATEWAY = "acme-token-0123456789", "gateway-token-0123456789"


def written(file: Path, text: str, mode: int = 0o600) -> Path:
    file.write_text(text)
    file.chmod(mode)
    return file


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        (f"{ACME} acme\n", 0o640, r"can be read by others \(mode 0640\): chmod 600"),
        ("short acme\n", 0o600, "Line 1 of .* begins with no token"),
        (f"{ACME} a\n{ACME} b\n", 0o600, "Line 2 of .* repeats a token"),
        (f"{ACME} {'x' * 129}\n", 0o600, "names no tenant"),
        ("# nobody\n", 0o600, "has none"),
    ],
)
def test_a_file_of_tokens_that_cannot_be_is_one_sentence_without_a_token(
    tmp_path: Path, text: str, mode: int, said: str
) -> None:
    with pytest.raises(UsageError, match=said) as failure:
        Credentials(written(tmp_path / "tokens", text, mode))

    assert ACME not in str(failure.value)


def test_tokens_are_read_again_when_they_change_and_stay_while_they_cannot_be(tmp_path: Path) -> None:
    file = written(tmp_path / "tokens", f"{ACME} one\n")
    credentials = Credentials(file)

    written(file, f"{ACME} another\n{GATEWAY}\n")
    assert credentials.sender(f"Bearer {ACME}").tenant == "another"
    written(file, "")
    assert credentials.sender(f"bearer {ACME}").tenant == "another"
    written(file, f"{GATEWAY}\n")
    with pytest.raises(UnauthenticatedError):
        credentials.sender(f"Bearer {ACME}")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_others_are_not_let_in_without_tokens(host: str) -> None:
    with pytest.raises(UsageError, match=r"nobody would be asked who they are: give a file of tokens with --tokens"):
        Doorway(host)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "::1", "[::1]"])
def test_this_machine_needs_no_tokens(host: str) -> None:
    assert Doorway(host).is_local


def test_a_host_that_is_no_address_is_refused() -> None:
    with pytest.raises(UsageError, match=r"'example\.com' is no IP address"):
        Doorway("example.com")
