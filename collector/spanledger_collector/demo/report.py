"""Tells people what the demo's money went to, proves it against the vendor's bill, and says what to try next."""

from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from spanledger_collector.demo.ledger import Spend
from spanledger_collector.demo.proof import Proof, ProofLine
from spanledger_collector.demo.result import DemoResult, digits

__all__ = ["money", "print_report"]

USERS_SHOWN: Final = 8
# Narrow enough for 80 columns: names may fold there, but digits are never cut.
STYLE: Final[dict[str, Any]] = {"box": SIMPLE_HEAD, "collapse_padding": True, "pad_edge": False}
TITLES: Final = {
    "team": "By team",
    "feature": "By feature",
    "model": "By model",
    "agent step": "By step of the agent",
    "user": "By user, the dearest first",
}
STATES: Final = {
    "priced": "usage reported, price known: exact",
    "estimated": "broke off after part of the usage: cost unknown, with bounds",
    "unpriced_model": "usage reported, no price known for the model: cost unknown",
    "no_usage": "succeeded without telling its usage: cost unknown",
    "failed_maybe_billed": "broke off or timed out, may have been billed: cost unknown",
    "failed_not_billed": "turned away by the vendor: costs nothing",
    "notional": "paid by a subscription: costs nothing by itself",
}


def print_report(console: Console, result: DemoResult) -> None:
    """Print the whole report."""
    console.print()
    console.rule("What the money went to")
    console.print(headline(result))
    for dimension in TITLES:
        rows = result.spend_by(dimension)
        if rows:
            console.print(spend_table(dimension, rows[:USERS_SHOWN] if dimension == "user" else rows))
    console.print(state_table(result))
    console.rule("Proof: the vendor's own bill against the ledger")
    console.print(proof_table(result.proof))
    console.print(untold_line(result.proof))
    console.print(verdict(result.proof))
    console.rule("What to try next")
    for command in result.next_commands:
        console.print(f"  [bold]{escape(command)}[/bold]", soft_wrap=True)
    console.print()


def headline(result: DemoResult) -> str:
    spans = sum(result.verdicts.values())
    billed = result.verdicts.get("bills", 0)
    errors = ", ".join(f"{count} {name}" for name, count in result.errors.items()) or "none"
    earlier = sum(spend.calls for spend in result.spend_by("team")) - result.calls
    also = f"The tables of money also hold {earlier:,} calls that were in this ledger before.\n" if earlier > 0 else ""
    return (
        f"{result.calls:,} calls in {result.seconds:.0f} s; errors the application saw: {errors}.\n"
        f"{spans:,} spans of calls and agents arrived; {billed:,} stand for a call, "
        f"the others repeat or wrap one and cost nothing.\n{also}"
    )


def spend_table(dimension: str, rows: list[Spend]) -> Table:
    title = TITLES[dimension]
    table = Table(title=title, title_justify="left", title_style="bold", **STYLE)
    table.add_column(dimension.capitalize(), overflow="fold")
    for heading in ("Cost", "Calls", "Unknown", "Tokens in", "Tokens out"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        unknown = f"[yellow]{row.unknown_calls:,}[/yellow]" if row.unknown_calls else ""
        table.add_row(
            named(row.name), cost(row), f"{row.calls:,}", unknown, f"{row.input_tokens:,}", f"{row.output_tokens:,}"
        )
    return table


def named(name: str) -> str:
    return escape(name) if name else "[yellow](untagged)[/yellow]"


def cost(spend: Spend) -> str:
    """Return what is known of a cost: exact, a lower bound, or unknown; unknown is never shown as 0."""
    if spend.cost_usd is not None:
        return money(spend.cost_usd)
    if not spend.known_usd:
        return "[yellow]unknown[/yellow]"
    return f"[yellow]at least[/yellow] {money(spend.known_usd, ROUND_FLOOR)}"


def money(amount: Decimal | None, rounding: str = ROUND_HALF_EVEN) -> str:
    """Return an amount in dollars: cents when it is some dollars, more places when it is small."""
    if amount is None:
        return "unknown"
    size = abs(amount)
    if size >= 1:
        return f"${amount.quantize(Decimal('0.01'), rounding):,}"
    if size >= Decimal("0.0001"):
        return f"${amount.quantize(Decimal('0.0001'), rounding)}"
    return "less than $0.0001" if amount else "$0"


def state_table(result: DemoResult) -> Table:
    table = Table(title="How much is known", title_justify="left", title_style="bold", **STYLE)
    table.add_column("State", no_wrap=True)
    table.add_column("Calls", justify="right")
    table.add_column("Meaning")
    for state, calls in result.calls_by_state.items():
        table.add_row(escape(state), f"{calls:,}", STATES.get(state, ""))
    return table


def proof_table(proof: Proof) -> Table:
    table = Table(show_footer=True, **STYLE)
    total = proof.total
    table.add_column("Team", footer="Total", overflow="fold")
    table.add_column("Model", overflow="fold")
    tokens = both(sum_tokens(total.vendor.tokens), sum_tokens(total.ledger.tokens))
    for heading, footer in (
        ("Calls", both(total.vendor.calls, total.ledger.calls)),
        ("Tokens", tokens),
        ("Vendor's bill", exact(total.vendor.amount_usd)),
        ("Ledger", exact(total.ledger.amount_usd)),
        ("Equal", equal_mark(total)),
    ):
        table.add_column(heading, justify="right", footer=footer, no_wrap=True)
    for line in proof.lines:
        table.add_row(
            named(line.team),
            escape(line.model),
            both(line.vendor.calls, line.ledger.calls),
            both(sum_tokens(line.vendor.tokens), sum_tokens(line.ledger.tokens)),
            line_amount(line, line.vendor.amount_usd),
            line_amount(line, line.ledger.amount_usd),
            equal_mark(line),
        )
    return table


def sum_tokens(tokens: tuple[int, ...]) -> int:
    """Return input and output together; the other meters are parts of these."""
    return tokens[0] + tokens[4]


def both(vendor: int, ledger: int) -> str:
    """Return one number when both sides say the same, else both."""
    return f"{vendor:,}" if vendor == ledger else f"[red]{vendor:,} / {ledger:,}[/red]"


def line_amount(line: ProofLine, amount: Decimal | None) -> str:
    if line.vendor.calls == line.ledger.calls == 0:
        return "[yellow]only untold[/yellow]"
    return exact(amount)


def exact(amount: Decimal | None) -> str:
    return "[yellow]no list price[/yellow]" if amount is None else f"${digits(amount)}"


def equal_mark(line: ProofLine) -> str:
    return "[green]yes[/green]" if line.equal else "[red]NO[/red]"


def untold_line(proof: Proof) -> str:
    """Return the line about calls that were billed without telling the client their usage."""
    vendor, ledger = proof.total.vendor.untold_calls, proof.total.ledger.untold_calls
    agree = "the same number" if vendor == ledger else f"[red]{ledger:,}[/red]"
    return (
        f"Billed, but never told to any client: {vendor:,} calls, ${digits(proof.untold_usd)} "
        "(streams without usage or cut off, timeouts). "
        f"The ledger knows that it does not know: it counts {agree} as unknown, not as $0."
    )


def verdict(proof: Proof) -> str:
    total = proof.total
    if proof.equal:
        return (
            "[bold green]PROVEN[/bold green]: vendor and ledger agree to the last digit, "
            f"${digits(total.vendor.amount_usd)} over {total.vendor.calls:,} calls and {len(proof.lines)} lines; "
            "the rollup adds up to its calls."
        )
    wrong = [line for line in proof.lines if not line.equal]
    rollup = (
        ""
        if proof.calls_usd == proof.rollup_usd
        else f" The rollup says ${digits(proof.rollup_usd)}, its calls ${digits(proof.calls_usd)}."
    )
    return (
        f"[bold red]NOT PROVEN[/bold red]: {len(wrong)} of {len(proof.lines)} lines differ.{rollup} "
        "See the lines marked NO; `spanledger demo --json` has every meter of both sides."
    )
