"""What one run of the demo found out, and its form for machines."""

import os
import shlex
import shutil
import sys
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from spanledger_collector.demo.ledger import Spend
from spanledger_collector.demo.proof import LedgerRow, Proof, ProofLine, Side

__all__ = ["DemoResult", "result_json"]

METERS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
)


@dataclass(frozen=True)
class DemoResult:
    """The facts that the report tells, for people or as JSON.

    `ledger_option` is how a command reaches the ledger of this run (`--store DIR` or `--clickhouse URL`), empty when
    that is gone.
    """

    calls: int
    seed: int
    seconds: float
    errors: dict[str, int]
    spend: list[Spend]
    rows: list[LedgerRow]
    verdicts: dict[str, int]
    proof: Proof
    ledger_option: str

    def spend_by(self, dimension: str) -> list[Spend]:
        return [spend for spend in self.spend if spend.dimension == dimension]

    @property
    def dimensions(self) -> list[str]:
        return list(dict.fromkeys(spend.dimension for spend in self.spend))

    @property
    def calls_by_state(self) -> dict[str, int]:
        """Return the number of calls per completeness state, most frequent first."""
        counts: Counter[str] = Counter()
        for row in self.rows:
            counts[row.state] += row.calls
        return dict(counts.most_common())

    @property
    def next_commands(self) -> list[str]:
        """Return what to try next, with the ledger of this run where that is still there."""
        option, command = self.ledger_option, own_command()
        if not option:
            return [f"{command} demo --store spanledger-demo", f"{command} up"]
        return [
            f"{command} cost --by team,model {option}",
            f'{command} query "select user, sum(cost_usd) from calls group by user order by 2 desc limit 5" {option}',
            f"{command} up {option}   # then look: http://127.0.0.1:8123"
            if option.startswith("--store")
            else f"{command} up",
        ]


def own_command() -> str:
    """Return how this shell calls the program: by its name if that finds it, else by its path."""
    found, own = shutil.which("spanledger"), Path(sys.argv[0])
    is_own = found is not None and own.exists() and Path(found).samefile(own)
    return "spanledger" if is_own or own.name != "spanledger" else shlex.quote(os.path.relpath(own))


def result_json(result: DemoResult) -> dict[str, Any]:
    """Return the result as one JSON object; money is a string of all its digits, unknown money is null."""
    return {
        "calls": result.calls,
        "seed": result.seed,
        "seconds": result.seconds,
        "errors": result.errors,
        "spend": {
            dimension: [spend_json(spend) for spend in result.spend_by(dimension)] for dimension in result.dimensions
        },
        "completeness": result.calls_by_state,
        "spans": result.verdicts,
        "proof": proof_json(result.proof),
        "ledger": result.ledger_option or None,
        "next": result.next_commands,
    }


def spend_json(spend: Spend) -> dict[str, Any]:
    return {
        "name": spend.name,
        "calls": spend.calls,
        "input_tokens": spend.input_tokens,
        "output_tokens": spend.output_tokens,
        "known_usd": digits(spend.known_usd),
        "cost_usd": digits(spend.cost_usd),
        "unknown_calls": spend.unknown_calls,
    }


def proof_json(proof: Proof) -> dict[str, Any]:
    total = proof.total
    return {
        "equal": proof.equal,
        "vendor_usd": digits(total.vendor.amount_usd),
        "ledger_usd": digits(total.ledger.amount_usd),
        "rollup_usd": digits(proof.rollup_usd),
        "calls_usd": digits(proof.calls_usd),
        "untold": {
            "vendor_calls": total.vendor.untold_calls,
            "ledger_calls": total.ledger.untold_calls,
            "vendor_usd": digits(proof.untold_usd),
        },
        "lines": [line_json(line) for line in proof.lines],
    }


def line_json(line: ProofLine) -> dict[str, Any]:
    return {
        "team": line.team,
        "model": line.model,
        "vendor": side_json(line.vendor),
        "ledger": side_json(line.ledger),
        "equal": line.equal,
    }


def side_json(side: Side) -> dict[str, Any]:
    tokens = dict(zip(METERS, side.tokens, strict=True))
    return {"calls": side.calls, **tokens, "usd": digits(side.amount_usd), "untold_calls": side.untold_calls}


def digits(amount: Decimal | None) -> str | None:
    """Return an amount with all its digits and no superfluous zeros."""
    return None if amount is None else f"{amount.normalize():f}"
