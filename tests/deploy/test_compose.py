"""What compose starts: nothing without a password, nothing open to the network, every version pinned, every file there."""

import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from spanledger_collector.queries import read_users
from spanledger_collector.receiver.credentials import Credentials

DEPLOY = Path(__file__).parents[2] / "deploy"
pytestmark = pytest.mark.skipif(not DEPLOY.is_dir(), reason="needs the checkout: the folder deploy")


@pytest.fixture
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text("utf-8")))


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """The folder of secrets, as the script makes it."""
    script = shutil.copy(DEPLOY / "compose" / "secrets.sh", tmp_path)
    subprocess.run(["sh", script], check=True, capture_output=True)
    return tmp_path / "secrets"


def test_every_image_has_a_version_or_is_built_here(compose: dict[str, Any]) -> None:
    images = {name: service["image"] for name, service in compose["services"].items()}

    assert {name for name, image in images.items() if not re.search(r":(\d+\.\d+|local)", image)} == set()


def test_ports_are_on_loopback_unless_the_operator_says_otherwise(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]

    assert len(ports) == 5
    assert [port for port in ports if not port.startswith(("127.0.0.1:", "${SPANLEDGER_BIND:-127.0.0.1}:"))] == []


def test_what_keeps_running_is_watched_restarted_and_may_gain_no_rights(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["cap_drop"] == ["ALL"], name
        assert ("healthcheck" in service) == (name not in ("migrate", "demo")), name
        assert service["restart"] == ("no" if name == "migrate" else "unless-stopped"), name


def test_every_secret_that_is_asked_for_is_made(compose: dict[str, Any], made: Path) -> None:
    asked = {Path(secret["file"]).name for secret in compose["secrets"].values()}
    used = {name for service in compose["services"].values() for name in service.get("secrets", [])}

    assert asked == used
    assert asked <= {file.name for file in made.iterdir()}


def test_every_mounted_file_of_ours_is_there(compose: dict[str, Any]) -> None:
    # The rules are made by the alerting part; secrets by the script.
    later = ("secrets/", "dashboards/alerts/")
    volumes = [
        str(volume).split(":")[0] for service in compose["services"].values() for volume in service.get("volumes", [])
    ]
    files = [file for file in volumes if file.startswith(".") and not any(name in file for name in later)]

    assert files
    assert [file for file in files if not (DEPLOY / "compose" / file).exists()] == []


def test_secrets_are_their_owners_only_and_long_and_what_our_programs_read(made: Path) -> None:
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in made.iterdir()}

    assert {name for name, mode in modes.items() if mode != 0o600} == {"clickhouse-users.xml", "tls_cert"}
    assert {name: user.role for name, (_, user) in read_users(made / "users").items()} == {
        "otelcol": "writer",
        "grafana": "reader",
    }
    assert len((made / "user_key").read_text().strip()) == 48
    assert (made / "root_password").read_text().strip() not in (made / "clickhouse-users.xml").read_text()
    shown = f"Bearer {(made / 'demo_token').read_text().strip()}"
    assert Credentials(made / "tokens").sender(shown).tenant == "demo"


def test_secrets_are_made_once_and_anew_where_one_is_gone(made: Path) -> None:
    before = {file.name: file.read_bytes() for file in made.iterdir()}
    (made / "otelcol_password").unlink()

    subprocess.run(["sh", made.parent / "secrets.sh"], check=True, capture_output=True)

    after = {file.name: file.read_bytes() for file in made.iterdir()}
    assert {name for name, text in after.items() if text != before[name]} == {"otelcol_password", "users"}


def test_what_an_operator_added_stays_when_secrets_are_made_again(made: Path) -> None:
    (made / "users").write_text((made / "users").read_text() + "finance f1nance-password reader acme\n")
    (made.parent / ".env").write_text((made.parent / ".env").read_text() + "SPANLEDGER_BIND=10.0.0.5\n")
    before = (made / "users").read_text(), (made.parent / ".env").read_text()

    for _ in range(2):
        subprocess.run(["sh", made.parent / "secrets.sh"], check=True, capture_output=True)

    assert ((made / "users").read_text(), (made.parent / ".env").read_text()) == before
