"""A second opinion: how the price book differs from LiteLLM's map of prices, weighted by what is spent here. Prices nothing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from spanledger_collector.exceptions import InputError
from spanledger_collector.prices.resolve import Resolver
from spanledger_collector.prices.show import PriceLine

__all__ = ["Difference", "compared", "installed_map", "read_map"]

_METERS: Final[Mapping[str, str]] = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write_5m": "cache_creation_input_token_cost",
    "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
}
_FILE: Final = "model_prices_and_context_window_backup.json"
_MILLION: Final = 6


@dataclass(frozen=True)
class Difference:
    """A meter of a model, per million tokens, in both; None: the map does not have the model. ``spent_usd``: known cost here."""

    provider: str
    model: str
    meter: str
    ours_usd: Decimal
    theirs_usd: Decimal | None
    spent_usd: Decimal


def installed_map() -> Path:
    """Return the file of the installed litellm; InputError when there is none."""
    spec = find_spec("litellm")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (file := Path(folder) / _FILE).is_file():
            return file
    raise InputError(
        "There is nothing to compare with: pip install litellm, or give its map of prices with --map FILE."
    )


def read_map(file: Path) -> dict[str, dict[str, Any]]:
    """Return the entries of a map; InputError when the file is none."""
    try:
        content = json.loads(file.read_text("utf-8"), parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise InputError(f"{file} cannot be read as a map of prices: {error}.") from error
    if not isinstance(content, dict):
        raise InputError(f"{file} is no map of prices: it holds no object.")
    return {name: entry for name, entry in content.items() if isinstance(entry, dict) and "litellm_provider" in entry}


def compared(
    lines: Sequence[PriceLine], entries: Mapping[str, Mapping[str, Any]], spent: Mapping[tuple[str, str], Decimal]
) -> list[Difference]:
    """Return where both differ, the dearest models first; lines are the prices valid now. Only what the map has, or what is spent on."""
    theirs = _by_model(entries)
    found = []
    for line in lines:
        name = line.provider, line.model
        if line.contract or line.context or line.above_tokens or line.from_minute or line.source != "genai-prices":
            continue
        entry = theirs.get(name)
        if entry is None:
            if spent.get(name):
                found.append(Difference(*name, "", Decimal(0), None, spent[name]))
            continue
        for meter, key in _METERS.items():
            ours, other = line.prices[f"{meter}_usd_per_mtok"], entry.get(key)
            if other is not None and ours != (price := Decimal(other).scaleb(_MILLION)):
                found.append(Difference(*name, meter, ours, price, spent.get(name, Decimal(0))))
    return sorted(found, key=lambda one: (-one.spent_usd, one.provider, one.model))


def _by_model(entries: Mapping[str, Mapping[str, Any]]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Return the entries by their name in the price book; of several for one model the one named like it."""
    resolver = Resolver()
    found: dict[tuple[str, str], tuple[bool, Mapping[str, Any]]] = {}
    for key, entry in entries.items():
        if "input_cost_per_token" not in entry:
            continue
        name = resolver.resolve(str(entry["litellm_provider"]).partition("-")[0], key)
        if name and (name not in found or not found[name][0]):
            found[name] = key.rpartition("/")[2] == name[1], entry
    return {name: entry for name, (_, entry) in found.items()}
