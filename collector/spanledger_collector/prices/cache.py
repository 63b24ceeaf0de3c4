"""Keeps the extracted price list on disk, in the user's cache folder: reading it back is several times faster.

A file's first line is the SHA-256 of the rest, because a flipped digit would be a wrong price. Whatever is wrong with
a file, or with the folder, the list is extracted again and a warning says why.
"""

import hashlib
import json
import logging
import os
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from spanledger_collector.prices.extract import PriceList, extract, list_version
from spanledger_collector.prices.meters import Prices
from spanledger_collector.prices.segments import Candidate, Key, Segment

__all__ = ["FORMAT", "cache_folder", "cached_price_list"]

FORMAT: Final = 1
"""Raise it when the extraction or the layout of the file changes, or old files would still be read."""

_log = logging.getLogger(__name__)


def cache_folder(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Return where this platform keeps caches of the user; ``SPANLEDGER_CACHE_DIR`` wins."""
    if chosen := environ.get("SPANLEDGER_CACHE_DIR"):
        return Path(chosen).expanduser()
    try:
        home = Path.home()
    except RuntimeError:
        # A user without a home, as in some containers: no cache, rather than one in a folder that others may write.
        return Path(os.devnull) / "spanledger"
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "spanledger" / "Cache"
    if platform == "darwin":
        return home / "Library" / "Caches" / "spanledger"
    return Path(environ.get("XDG_CACHE_HOME") or home / ".cache") / "spanledger"


def cached_price_list(folder: Path) -> PriceList:
    """Return the installed price list, from the folder if it is there, else extracted and kept there."""
    file = folder / f"genai-prices-{list_version()}.{FORMAT}.json"
    try:
        return _decoded(file.read_text("utf-8"))
    except FileNotFoundError:
        pass
    except (OSError, ValueError, LookupError, TypeError, ArithmeticError) as error:
        _log.warning("The price cache %s cannot be read and is made again: %s", file, error)
    prices = extract()
    try:
        _write(file, _encoded(prices))
    except OSError as error:
        _log.warning(
            "The price cache %s cannot be written, so prices are read anew each time: %s. Set SPANLEDGER_CACHE_DIR.",
            file,
            error,
        )
    return prices


def _write(file: Path, text: str) -> None:
    """Write beside the file and rename: a reader sees all of it or none."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        draft = Path(folder) / file.name
        draft.write_text(text, "utf-8")
        draft.replace(file)


def _encoded(prices: PriceList) -> str:
    vectors: dict[Prices, int] = {}
    segments = [
        [
            *one.key,
            int(one.valid_from.timestamp()),
            int(one.valid_to.timestamp()),
            [
                [tier.above_tokens, tier.from_minute, tier.to_minute, vectors.setdefault(tier.prices, len(vectors))]
                for tier in one.candidates
            ],
        ]
        for one in prices.segments
    ]
    body = json.dumps(
        {
            "version": prices.version,
            "unpriced_models": prices.unpriced_models,
            "vectors": [[str(price) for price in vector] for vector in vectors],
            "segments": segments,
        }
    )
    return f"{_digest(body)}\n{body}"


def _decoded(text: str) -> PriceList:
    digest, _, body = text.partition("\n")
    if digest != _digest(body):
        raise ValueError("its checksum does not fit its content")
    content = json.loads(body)
    vectors = [Prices(*map(Decimal, vector)) for vector in content["vectors"]]
    return PriceList(
        content["version"],
        tuple(_segment(row, vectors) for row in content["segments"]),
        tuple((provider, model) for provider, model in content["unpriced_models"]),
    )


def _segment(row: list[Any], vectors: list[Prices]) -> Segment:
    *key, valid_from, valid_to, tiers = row
    candidates = tuple(Candidate(above, start, end, vectors[vector]) for above, start, end, vector in tiers)
    return Segment(
        Key(*key), datetime.fromtimestamp(valid_from, UTC), datetime.fromtimestamp(valid_to, UTC), candidates
    )


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
