"""An incident as the detection writes it, for tests of what is told about it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from spanledger_collector.anomalies.incidents import Incident
from spanledger_collector.anomalies.places import Place

__all__ = ["INCIDENT", "incident"]

INCIDENT: Final = "00000000000000ab"


def incident(**changed: Any) -> Incident:
    """Return a retry loop of half an hour."""
    now = datetime.now(UTC).replace(microsecond=0)
    place = Place(tenant="acme", team="search", feature="help", user="ada")
    it = Incident(
        incident_id=INCIDENT,
        status="open",
        started_at=now - timedelta(minutes=30),
        detected_at=now - timedelta(minutes=20),
        updated_at=now,
        fired_at=now,
        resolved_at=None,
        rule="repeats",
        driver="volume",
        class_="retry_loop",
        severity="critical",
        cause="User ada repeats itself: up to 400 calls with one prompt in ten minutes.",
        series=(1,),
        peak=3.0,
        by_ratio=False,
        scope=place,
        place=place,
        session="s-1",
        explained_by="user=ada",
        explained_by_two="feature=search/help, user=ada",
        explained_share=0.98,
        expected_usd=Decimal("0.5"),
        actual_usd=Decimal("12.9"),
        impact_usd=Decimal("12.4"),
        impact_usd_per_hour=Decimal("24.8"),
        first_impact_usd=Decimal(4),
        effects={
            "volume": Decimal("12.5"),
            "tokens_per_call": Decimal("-0.1"),
            "mix": Decimal(0),
            "cache": Decimal(0),
            "unit_price": Decimal(0),
        },
        calls=800,
        trace_ids=("0a" * 16, "0b" * 16),
        deploy="shop 1.4",
    )
    return replace(it, **changed)
