"""`spanledger names`: an attribute of one's own becomes a field, by a command."""

import json
from pathlib import Path

from tests.collector.cli.processes import spanledger


def test_a_name_is_set_listed_and_taken_back(tmp_path: Path) -> None:
    store = ("--store", str(tmp_path / "ledger"))

    done = spanledger("names", "set", "cost_center", "team", *store)
    listed = spanledger("names", "list", "--own", "--json", *store)
    wrong = spanledger("names", "set", "cost_center", "teem", *store)
    unknown = spanledger("names", "remove", "cost_centre", *store)
    removed = spanledger("names", "remove", "cost_center", *store)
    after = spanledger("names", "list", "--own", "--json", *store)

    assert (done.code, removed.code) == (0, 0), done
    assert json.loads(listed.out) == [{"name": "cost_center", "field": "team", "origin": "own", "rank": 0}]
    assert wrong.code == 2
    assert "Did you mean team" in wrong.err
    assert unknown.code == 2
    assert "Did you mean cost_center?" in unknown.err
    assert json.loads(after.out) == []
