"""The figures on the pages of deploy are those of the code, and the worked calculation is what its rule gives."""

import re
from importlib.resources import files

import pytest

from spanledger_collector import listening
from spanledger_collector.alerting.thresholds import THRESHOLDS
from spanledger_collector.receiver import grpc_server, http, receiver
from spanledger_collector.target import RETENTION
from tests.deploy.test_compose import DEPLOY

pytestmark = pytest.mark.skipif(not DEPLOY.is_dir(), reason="needs the checkout: the folder deploy")
UNITS = {"million": 1e6, "GB": 1e9, "TB": 1e12}


def page(name: str) -> str:
    return " ".join((DEPLOY / name).read_text("utf-8").split())


def test_operations_look_where_the_alerts_fire() -> None:
    said = page("operations.md")

    assert f"| above {THRESHOLDS['lag_seconds'].written} s (RollupLag and ElectionLag fire)" in said
    assert f"| above {THRESHOLDS['price_list_days'].written} days since" in said


def test_the_limits_of_senders_are_those_of_the_receiver() -> None:
    said = page("security.md")
    kilobytes, megabytes = http._HEADER_BYTES_MAX // 1024, receiver.BODY_BYTES_MAX // 1_000_000

    assert (
        f"({megabytes} MB, unpacked too; {kilobytes} KB of headers; ten seconds for a head, a minute for a body)"
        in said
    )
    assert (listening._HEADER_SECONDS_MAX, grpc_server._MESSAGE_SECONDS_MAX) == (10, 60)


def test_the_limits_of_readers_are_those_of_their_roles() -> None:
    roles = files("spanledger_collector.access").joinpath("statements", "roles.sql").read_text("utf-8")
    given = {name: int(number) for name, number in re.findall(r"(\w+) = (\d+)", roles)}

    assert "limited to a minute, 4 GB and a million rows a query, and 20,000 queries or two hours" in page(
        "production.md"
    )
    assert given == {
        "readonly": 2,
        "max_execution_time": 60,
        "max_memory_usage": 4 * 10**9,
        "max_result_rows": 10**6,
        "queries": 20_000,
        "execution_time": 2 * 3600,
    }


def test_the_worked_calculation_is_what_its_rule_gives() -> None:
    text, said = (DEPLOY / "sizing.md").read_text("utf-8"), page("sizing.md")
    gateway, ledger = (float(found) / 1e6 for found in re.findall(r"\| (\d+) us of CPU a", said))
    landing, calls = (
        RETENTION[days] * float(re.findall(rf"{RETENTION[days]} days x (\d+) bytes", said)[0])
        for days in ("raw_days", "calls_days")
    )
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    worked = [cells for cells in rows if len(cells) == 8 and cells[0][0].isdigit()]

    assert len(worked) == 5
    for a_day, peak, gateways, ledgers, _, of_landing, of_calls, _ in worked:
        calls_a_day = number(a_day)
        peak_calls = 3 * calls_a_day / 86_400
        assert number(peak) == pytest.approx(peak_calls, rel=0.05)
        assert number(gateways) == pytest.approx(max(peak_calls * gateway, 0.1), rel=0.2)
        assert number(ledgers) == pytest.approx(max(2 * peak_calls * ledger, 0.1), rel=0.35)
        assert number(of_landing) == pytest.approx(calls_a_day * landing, rel=0.2)
        assert number(of_calls) == pytest.approx(calls_a_day * calls, rel=0.05)


def number(cell: str) -> float:
    """Return the number of a cell: 1.5, 30,000, 864 million, 2.1 TB."""
    figure, unit = re.match(r"([\d.,]+) ?(million|GB|TB)?", cell).groups()  # type: ignore[union-attr]  # fails if it is none
    return float(figure.replace(",", "")) * UNITS.get(unit, 1.0)
