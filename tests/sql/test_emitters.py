"""Every emitter, recorded: OTLP bytes in, the view `calls` out, with the vendor's own counts and the exact cost.

All recordings are delivered together, twice and shuffled, a minute apart in time: one ledger, one election.
"""

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.ledger import Ledger
from tests.otlp import request
from tests.sql.recorded import COUNTS, DUMPS, RECORDINGS, cost, dumped, requests, truth

if TYPE_CHECKING:
    from spanledger_collector.receiver.door import OtlpRequest

# What an emitter does not tell cannot be known: the split of cache writes by time to live, cache writes at all, any count.
UNTOLD: dict[tuple[str, str], tuple[str, ...]] = {
    ("google_adk", "anthropic_cached"): ("cache_write_1h_tokens",),
    ("strands", "anthropic_cached"): ("cache_write_1h_tokens",),
    ("pydantic_ai_1", "anthropic_v2"): ("cache_write_1h_tokens",),
    ("vercel_4", "generate_cached"): ("cache_write_tokens",),
    ("vercel_4", "responses_cached"): ("cache_write_tokens",),
    ("vercel_4", "stream_cached"): COUNTS,
}
CASES = [(emitter, case) for emitter, cases in DUMPS.items() for case in cases]
KNOWN = [one for one in CASES if truth()[one[1]]["usage"].startswith("known")]
APART_SECONDS = 60
Calls = dict[object, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def calls(_ledger_of_module: Ledger) -> Iterator[Calls]:
    """The billed calls of each recording and dump."""
    begin = float(int(time.time()) - 5 * 3600)
    keys: list[object] = [*RECORDINGS, *CASES]
    delivered: list[OtlpRequest] = []
    for place, key in enumerate(keys):
        at = begin + APART_SECONDS * place
        if isinstance(key, Path):
            delivered += requests(json.loads(key.read_text()), at)
        else:
            emitter, case = CASES[place - len(RECORDINGS)]
            delivered += [request([span]) for span in dumped(DUMPS[emitter][case], at)]
    again = delivered * 2
    random.Random(7).shuffle(again)
    half = len(again) // 2
    for part in (again[:half], again[half:]):
        _ledger_of_module.deliver_requests(*(one for one in part if one.encoding == "json"))
        _ledger_of_module.deliver_requests(*(one for one in part if one.encoding != "json"))
        booked = _ledger_of_module.booked()
    found: Calls = {key: [] for key in keys}
    for call in booked:
        found[keys[int((call["ts"].timestamp() - begin) // APART_SECONDS)]].append(call)
    yield found
    _ledger_of_module.empty()


def expected(file: Path, entry: dict[str, Any]) -> dict[str, int]:
    untold = UNTOLD.get((file.parent.name, file.stem), ())
    untold = (*untold, "cache_write_1h_tokens") if entry["provider"] == "openai" else untold
    return {name: 0 if name in untold else entry[name] for name in COUNTS}


@pytest.mark.parametrize("file", RECORDINGS, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_recorded_call_gives_the_vendors_counts_and_cost_once(calls: Calls, file: Path) -> None:
    bill = json.loads(file.read_text())["truth"]

    booked = calls[file]

    counts = [expected(file, entry) for entry in bill]
    is_told = [any(one.values()) for one in counts]
    assert [{name: call[name] for name in COUNTS} for call in booked] == counts
    assert [call["completeness"] for call in booked] == ["priced" if told else "no_usage" for told in is_told]
    assert [call["cost_usd"] for call in booked] == [
        cost(entry["model"], one) if told else None for entry, one, told in zip(bill, counts, is_told, strict=True)
    ]
    assert [call["provider"] for call in booked] == [entry["provider"] for entry in bill]


@pytest.mark.parametrize(("emitter", "case"), KNOWN)
def test_a_dump_gives_the_vendors_counts(calls: Calls, emitter: str, case: str) -> None:
    row = truth()[case]

    (call,) = calls[emitter, case]

    wanted = {
        "input_tokens": int(row["input_tokens_total"]),
        "cache_read_tokens": int(row["cache_read_tokens"]),
        "cache_write_tokens": int(row["cache_write_tokens"]),
        "cache_write_1h_tokens": 400 if "400 at 1h" in row["usage"] else 0,
        "output_tokens": int(row["output_tokens_total"]),
        "reasoning_tokens": int(row["reasoning_tokens"]),
    }
    if emitter == "traceloop" and case.startswith("openai"):
        wanted["cache_write_tokens"] = 0  # it does not tell them, nor reasoning in streams of responses
        wanted["reasoning_tokens"] = call["reasoning_tokens"] if "stream" in case else wanted["reasoning_tokens"]
    assert {name: call[name] for name in wanted} == wanted
    assert call["completeness"] == "priced"
    assert call["cost_usd"] == cost(call["model"], wanted)


@pytest.mark.parametrize(("emitter", "case"), sorted({*CASES} - {*KNOWN}))
def test_a_dump_of_a_call_that_failed_or_broke_off_never_claims_to_know(calls: Calls, emitter: str, case: str) -> None:
    never_billed = truth()[case]["billed_calls"] == "0"

    assert len(calls[emitter, case]) <= 1
    for call in calls[emitter, case]:
        assert call["completeness"] != "priced"
        assert call["cost_usd"] is None or (never_billed and call["cost_usd"] == 0)
