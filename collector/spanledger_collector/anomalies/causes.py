"""Says in plain words what an incident is: its driver, its class, how bad, one sentence."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from spanledger_collector.anomalies.analysis import Analysis, Change
from spanledger_collector.anomalies.incidents import DRIVERS

__all__ = ["RATIO_RULES", "cause_of", "class_of", "driver_of", "is_volume", "severity_of"]

RATIO_RULES: Final = frozenset({"price", "tokens_6h", "tokens_24h", "cache", "creep", "unit_cost", "prompt"})
_LOOP_RULES: Final = frozenset({"repeats", "session", "retries"})
_TOP_SHARE: Final = Decimal("0.4")  # of the impact: with less, no driver is the one
_MOVED: Final = 0.5  # with less, no model took the calls of another one over
_REPEATED: Final = 0.3
_PROMPT_PART: Final = 0.5
_CHARS_A_TOKEN: Final = 4
_GROWING: Final = 1.3
_MANY_USERS: Final = 20
_LONG_HOURS: Final = 18
_OF_RULE: Final = {
    "repeats": "retry_loop",
    "session": "retry_loop",
    "retries": "retry_loop",
    "prompt": "prompt_bloat",
    "creep": "growth",
    "huge_call": "huge_call",
    "lost_traffic": "lost_traffic",
}
_OF_DRIVER: Final = {"unit_price": "wrong_price", "mix": "model_switch", "cache": "cache_collapse"}


def driver_of(rule: str, change: Change) -> str:
    """Return what moved the cost: the largest effect in the direction of the impact; there is no volume in a ratio's."""
    if rule in _LOOP_RULES:
        return "volume"
    sign = 1 if change.impact_usd >= 0 else -1
    top = max(DRIVERS, key=lambda name: sign * change.effects[name])
    return top if sign * change.effects[top] >= _TOP_SHARE * abs(change.impact_usd) and change.impact_usd else "cost"


def is_volume(driver: str, change: Change) -> bool:
    """Tell whether it is the number of calls: of all, or of some models only, which did not take them over from others."""
    return driver == "volume" or (driver == "mix" and change.moved < _MOVED)


def class_of(rule: str, driver: str, analysis: Analysis, hours: float) -> str:
    """Return what it is, in a word."""
    if by_rule := _OF_RULE.get(rule):
        return by_rule
    if is_volume(driver, analysis.change):
        return _class_of_volume(analysis, hours)
    if driver == "tokens_per_call":
        return "prompt_bloat" if _is_prompt(analysis) else "context_leak"
    return _OF_DRIVER.get(driver, "spike")


def _class_of_volume(analysis: Analysis, hours: float) -> str:
    evidence = analysis.evidence
    if evidence["repeated_share"] >= _REPEATED:
        return "retry_loop"
    if analysis.place.user or (analysis.place.tenant and evidence["users"] <= 1):
        return "abuse"
    if evidence["batch_share"] >= _REPEATED:
        return "batch_job"
    if hours >= _LONG_HOURS and evidence["users"] >= _MANY_USERS:
        return "growth"
    return "abuse" if analysis.place.tenant else "spike"


def _is_prompt(analysis: Analysis) -> bool:
    """Tell a longer prompt from a context that grows: by its measured part, else by the shape."""
    prompts, evidence = analysis.prompts, analysis.evidence
    grown = prompts["input_now"] - prompts["input_before"]
    if prompts["chars_now"] > 0 and grown > 0:
        return bool((prompts["chars_now"] - prompts["chars_before"]) / _CHARS_A_TOKEN >= _PROMPT_PART * grown)
    return not evidence["tokens_last"] > _GROWING * evidence["tokens_first"]


def severity_of(class_: str, per_hour_usd: Decimal, hourly_usd: float) -> str:
    """Return critical for what doubles the bill or more while it lasts, info for what never pages, else warning."""
    if class_ == "lost_traffic":
        return "info"
    return "critical" if float(per_hour_usd) >= max(hourly_usd, 1e-9) else "warning"


def cause_of(class_: str, analysis: Analysis) -> str:
    """Return one sentence: what happens, where, by how much."""
    evidence, prompts, change = analysis.evidence, analysis.prompts, analysis.change
    where = _where(analysis)
    times = f"{change.actual_usd / change.expected_usd:.1f} times" if change.expected_usd > 0 else "far more than"
    sizes = f"{prompts['input_now']:,.0f} input tokens a call, {prompts['input_before']:,.0f} before"
    sentences = {
        "retry_loop": _loop(where, evidence),
        "context_leak": f"The context of {where} grows: {sizes}",
        "prompt_bloat": f"The prompt of {where} became longer: {sizes}",
        "model_switch": f"Calls of {where} moved to a dearer model: the same calls cost {times} what they did",
        "wrong_price": f"The price of {where} changed: the same tokens cost {times} what they did; check the price book",
        "cache_collapse": f"{where} no longer reads its prompts from the cache: the same calls cost {times} what they did",
        "abuse": f"{where} makes {times} its usual cost, mostly by more calls: a leaked key or an abuse looks like this",
        "batch_job": f"A batch of {where} costs {times} the usual",
        "growth": f"{where} costs more from day to day: {times} what it did",
        "lost_traffic": f"{where} lost its traffic: {change.calls:,} calls, {_usd(-change.impact_usd)} less than usual",
        "huge_call": f"One call of {where} cost {_usd(Decimal(repr(evidence['largest_usd'])))}",
        "spike": f"{where} costs {times} the usual",
    }
    after = f", after {analysis.prompts['deploy']}" if analysis.prompts["deploy"] else ""
    sentence = sentences[class_] + after
    return f"{sentence[0].upper()}{sentence[1:]}."


def _loop(where: str, evidence: Mapping[str, Any]) -> str:
    failing = f", {evidence['error_share']:.0%} of them fail" if evidence["error_share"] > 0 else ""
    if evidence["repeats_max"] > 1:
        return (
            f"{where} repeats itself: up to {evidence['repeats_max']:,} calls with one prompt in ten minutes{failing}"
        )
    return f"{where} calls again and again: {evidence['calls']:,} calls{failing}, {evidence['attempts_mean']:.1f} attempts each"


def _where(analysis: Analysis) -> str:
    place = str(analysis.place)
    return f"{place}, session {analysis.session}" if analysis.session else place


def _usd(amount: Decimal) -> str:
    return f"{amount:,.2f} USD" if abs(amount) >= 1 else f"{amount:.2g} USD"
