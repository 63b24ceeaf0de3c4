"""What a panel is: a query, the fields of its answer with their units, how it is drawn, and where it stands."""

from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

from spanledger_collector.panels.thresholds import Steps
from spanledger_collector.panels.words import Word

__all__ = ["UID_PREFIX", "Annotation", "Choice", "Dashboard", "Field", "Kind", "Link", "Panel", "Row", "Unit"]

UID_PREFIX: Final = "spanledger-"


class Unit(Enum):
    """Units of values, by their names in Grafana."""

    TEXT = "string"
    USD = "currencyUSD"
    COUNT = "locale"
    TOKENS = "short"
    CHARACTERS = "short "  # shown as tokens are; another thing all the same
    SHARE = "percentunit"
    MILLISECONDS = "ms"
    SECONDS = "s"
    DAYS = "d"
    BYTES = "decbytes"
    PER_SECOND = "cps"
    TIME = "dateTimeAsIso"

    @property
    def grafana(self) -> str:
        """Name of the unit in Grafana."""
        return {"CHARACTERS": "short", "PER_SECOND": "suffix:/s"}.get(self.name, self.value)


class Kind(Enum):
    """How a panel is drawn, by the name of Grafana's core panel."""

    STAT = "stat"
    TIME_SERIES = "timeseries"
    TABLE = "table"
    RANKING = "bargauge"


@dataclass(frozen=True)
class Link:
    """Where a value leads: a dashboard, with the value in one of its variables."""

    dashboard: str
    variable: str


@dataclass(frozen=True)
class Field:
    """A column of the answer: what people call it, its unit, when it is bad, where it leads."""

    name: str
    title: str
    unit: Unit
    steps: Steps | None = None
    link: Link | None = None
    bar: bool = False
    """In a table: draw a bar behind the value."""
    zero: str = ""
    """What to say in the place of 0."""
    signed: bool = False
    """Show a plus where it grew."""
    words: tuple[Word, ...] = ()
    """What to say in the place of its values."""


@dataclass(frozen=True)
class Panel:
    """One question and its answer. ``query`` names a file of ``dashboards/queries``, without folder if it is its dashboard's.

    A time series has a column ``time`` beside its fields.
    """

    query: str
    title: str
    description: str
    kind: Kind
    fields: tuple[Field, ...]
    empty: str
    split: bool = False
    """A time series of one field, by the text ``series``."""
    words: tuple[Word, ...] = ()
    """What to say in the place of values of ``series``."""
    stacked: bool = False
    step: int = 3600
    """Shortest step of the time axis in seconds; hours that are over are summed by hour."""
    fixed: str = ""
    """The time that it shows whatever range is chosen, such as: today."""


@dataclass(frozen=True)
class Row:
    """Panels side by side under a heading: each with its part of 24 columns; the height in Grafana's units of 30 pixels."""

    title: str
    height: int
    panels: tuple[tuple[Panel, int], ...]


@dataclass(frozen=True)
class Choice:
    """A variable beside the filters: a list to choose from, or, without one, a text to type."""

    name: str
    label: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Annotation:
    """Marks on every time axis; the query gives time, text and tags, and timeEnd for what lasts."""

    query: str
    title: str
    color: str


@dataclass(frozen=True)
class Dashboard:
    """One page of panels. ``name`` makes its uid, its file and its address on the built-in page."""

    name: str
    title: str
    description: str
    rows: tuple[Row, ...]
    since: Literal["now-24h", "now-7d", "now-30d"]
    choices: tuple[Choice, ...] = ()

    @property
    def uid(self) -> str:
        """Uid in Grafana: for good, because alerts and bookmarks hold it."""
        return UID_PREFIX + self.name

    @property
    def panels(self) -> list[Panel]:
        """All panels, in reading order."""
        return [panel for row in self.rows for panel, _ in row.panels]

    def query_of(self, panel: Panel) -> str:
        """Return the full name of a panel's query."""
        return panel.query if "/" in panel.query else f"{self.name}/{panel.query}"
