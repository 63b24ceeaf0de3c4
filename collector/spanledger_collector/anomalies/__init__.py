"""Finds what costs more than it should, says why, and follows it until it is over.

A pass sums the ten minutes that changed, compares each series with its last week (`signals`), and keeps the incidents (`detection`). All
that judges is SQL, in this folder; the tables and the view `anomalies` are in the folder ``sql``.
"""

from spanledger_collector.anomalies.backtest import Episode, backtest
from spanledger_collector.anomalies.detection import Pass, detect
from spanledger_collector.anomalies.feedback import Event, cancel, plan, planned, say
from spanledger_collector.anomalies.incidents import Incident
from spanledger_collector.anomalies.places import Place
from spanledger_collector.anomalies.signals import PRESETS, chosen_preset

__all__ = [
    "PRESETS",
    "Episode",
    "Event",
    "Incident",
    "Pass",
    "Place",
    "backtest",
    "cancel",
    "chosen_preset",
    "detect",
    "plan",
    "planned",
    "say",
]
