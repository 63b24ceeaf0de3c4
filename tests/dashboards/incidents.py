"""Incidents as the watcher keeps them: one that goes on, with example traces of calls that are there, and one that is over."""

from pathlib import Path

from clickhouse_connect.driver.client import Client

__all__ = ["OPEN", "OVER", "book_incidents"]

OPEN, OVER = "0pen0pen0pen0pe1", "0ver0ver0ver0ve1"


def book_incidents(client: Client) -> None:
    """Keep one that began twelve hours ago and goes on, and one of three days ago that lasted two hours."""
    sql = Path(__file__).with_name("incident.sql").read_text("utf-8")
    cause = "Prompts of chat grew to 3.1 times their size: earlier turns are never cut."
    going_on = {"id": OPEN, "status": "open", "hours": 12, "class": "context_leak", "severity": "critical"}
    over = {"id": OVER, "status": "resolved", "hours": 72, "class": "retry_loop", "severity": "warning"}
    client.command(sql, parameters={**going_on, "cause": cause, "usd": "18.25"})
    client.command(sql, parameters={**over, "cause": "Silent retries tripled.", "usd": "2.50"})
