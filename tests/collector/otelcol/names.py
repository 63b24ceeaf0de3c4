"""Makes the table of our Collector's processor from the SDK's and the ledger's: `python -m tests.collector.otelcol.names`."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spanledger import content
from spanledger.attributes import USER_ATTRIBUTES
from spanledger_collector.assets import assets

FILE = Path(__file__).parents[3] / "collector" / "otelcol" / "ledger" / "door" / "names.json"
ROW = re.compile(r"\('([^']+)', '([^']+)', -?\d+, '[^']*'\)")


def read_by_the_ledger() -> Iterator[tuple[str, str]]:
    """Give name and field of every attribute that the ledger reads; a name of one event's stands without the event."""
    for file in sorted(assets("sql").iterdir(), key=lambda file: file.name):
        if file.name.startswith("025"):
            for name, field in ROW.findall(file.read_text("utf-8")):
                yield name.removeprefix("codex.sse_event/response.completed."), field


def table() -> dict[str, Any]:
    """Return which texts may come in, by name."""
    ledger = list(read_by_the_ledger())
    usage = {name for name, field in ledger if field == "json"}
    users = {*USER_ATTRIBUTES, *(name for name, field in ledger if field == "user")}
    # Texts that count for the ledger, of emitters that our SDK never sees, such as a gateway's.
    facts = {name for name, _ in ledger if content._rule(name) == content._DROP}
    return {
        "facts": sorted({*content._FACTS, *facts} - usage - users),
        "usage": sorted(usage),
        "users": sorted(users),
        "tag_prefixes": content._TAG_PREFIXES,
        "addresses": sorted(content._ADDRESSES),
        "content": sorted(content._CONTENT_NAMES),
        "genai_prefixes": content._GENAI_PREFIXES,
        "conventions": content._CONVENTIONS,
        "tag_chars_max": content._TAG_LENGTH_MAX,
        "text_chars_max": content._LENGTH_MAX,
        "own_chars_max": content._OWN_LENGTH_MAX,
        "name_chars_max": content._NAME_LENGTH_MAX,
    }


def written() -> str:
    """Return the table as the file has it."""
    return json.dumps(table(), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(written(), "utf-8")
