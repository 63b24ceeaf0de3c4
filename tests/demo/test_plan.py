"""What the demo's company does: the same for a seed, and some of everything."""

from collections import Counter
from random import Random

import pytest

from spanledger_collector.demo.company import CUSTOMERS, ENGINEERS, TEAMS, UNTAGGED, api_key, customer, team_of_key
from spanledger_collector.demo.plan import MISHAPS, plan


def test_the_same_seed_gives_the_same_jobs() -> None:
    assert plan(200, seed=7) == plan(200, seed=7)


def test_another_seed_gives_other_jobs() -> None:
    assert plan(200, seed=7) != plan(200, seed=8)


def test_a_longer_plan_starts_like_a_shorter_one() -> None:
    assert plan(400, seed=7)[:50] == plan(200, seed=7)[:50]


@pytest.mark.parametrize("calls", [0, 1, 60, 1_500])
def test_a_plan_has_exactly_the_calls_that_were_asked_for(calls: int) -> None:
    assert sum(len(job.calls) for job in plan(calls, seed=1)) == calls


@pytest.mark.parametrize("seed", range(5))
def test_two_decks_have_every_team_mishap_interface_and_tier(seed: int) -> None:
    jobs = plan(150, seed)
    calls = [call for job in jobs for call in job.calls]

    assert {job.feature.team for job in jobs} == {*TEAMS, UNTAGGED}
    assert {case for case, _ in MISHAPS} <= {call.case for call in calls}
    assert {call.api for call in calls} == {"chat", "responses", "embeddings", "messages"}
    assert {call.service_tier for call in calls} == {"", "flex", "priority"}
    assert any(call.stream and not call.include_usage for call in calls)
    assert {job.outcome for job in jobs} >= {"resolved", "answered", "failed"}


def test_only_the_last_call_of_a_job_fails() -> None:
    fatal = {case for case, _ in MISHAPS} - {"retry"}

    assert not any(call.case in fatal for job in plan(600, seed=3) for call in job.calls[:-1])


def test_contracts_lie_on_both_sides_of_the_size_at_which_the_price_jumps() -> None:
    sizes = [c.meters.input_tokens for j in plan(1_000, seed=1) for c in j.calls if c.model == "claude-haiku-5-5"]

    assert min(sizes) < 100_000 < max(sizes)


def test_a_few_users_do_most_of_the_work() -> None:
    dice = Random(1)
    counts = Counter(customer(dice).user for _ in range(2_000))
    busiest = sum(count for _, count in counts.most_common(5))

    assert len(CUSTOMERS) + len(ENGINEERS) == 40
    assert busiest > 2_000 / 2


@pytest.mark.parametrize("team", [*TEAMS, UNTAGGED])
def test_a_key_tells_whose_it_is(team: str) -> None:
    assert team_of_key(api_key(team)) == team
