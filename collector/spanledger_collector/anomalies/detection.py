"""One pass of detection: what fires now becomes incidents, incidents are followed until they are over."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from hashlib import sha256
from typing import Final

from clickhouse_connect.driver.client import Client

from spanledger_collector.anomalies.analysis import Analysis, Window, analyse, change
from spanledger_collector.anomalies.causes import RATIO_RULES, cause_of, class_of, driver_of, is_volume, severity_of
from spanledger_collector.anomalies.feedback import Event, planned
from spanledger_collector.anomalies.incidents import Incident, read_incidents, write_incidents
from spanledger_collector.anomalies.overlaps import SHARED, Overlaps
from spanledger_collector.anomalies.places import Place, statement
from spanledger_collector.anomalies.signals import (
    PROOF_RULES,
    STEP,
    Signal,
    Thresholds,
    began,
    chosen_preset,
    end_of,
    read_thresholds,
    signals_at,
    sum_buckets,
)
from spanledger_collector.database import Database

__all__ = ["Pass", "detect"]

_REARM: Final = timedelta(hours=6)  # what fires again within that is the same incident
_QUIET: Final = timedelta(hours=1)
_LONGEST: Final = timedelta(days=7)  # then it is how things are
_HOUR: Final = timedelta(hours=1)
_LAST_DIGIT: Final = Decimal(1).scaleb(-24)
_OVER: Final = Decimal("0.25")  # of the mean impact an hour: with less in the last hour it is over
_LIFTED: Final = 1.25  # how far beyond what people called expected something must be to be told again
_CARRIED: Final = Decimal(
    "0.25"
)  # of a part's impact: with so much by the incident's driver it is part of it, whatever else it did
_CLOSE: Final = 0.5  # signals of half the largest one's money are candidates to be told about: the purest of them is
_DIMENSIONS: Final = ("user", "feature", "tenant", "model", "all")


@dataclass(frozen=True)
class Pass:
    """What a pass did: incidents that it opened, that go on with other figures, and that are over."""

    opened: tuple[Incident, ...] = ()
    changed: tuple[Incident, ...] = ()
    resolved: tuple[Incident, ...] = ()


def detect(
    database: Database,
    now: datetime | None = None,
    preset: str | None = None,
    patience: Callable[[], bool] = lambda: True,
) -> Pass:
    """Bring incidents up to date with the calls; a second run at one time changes nothing.

    ``preset`` (None: the ledger's own) is quiet, balanced or sensitive. The sums that incidents are seen in are made first, slice after
    slice; where ``patience`` ends before they are made, incidents stay as they are and the next run goes on.
    """
    moment = (now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    with closing(database.client()) as client:
        if not sum_buckets(client, patience):
            return Pass()
        thresholds = read_thresholds(client, preset or chosen_preset(client), moment)
        signals = [
            signal for signal in signals_at(client, moment, thresholds) if signal.excess_usd >= thresholds.floor_usd
        ]
        known = read_incidents(client, moment)
        done = _Detection(client, moment, thresholds, known, planned(client, moment)).run(signals)
        write_incidents(client, [*done.opened, *done.changed, *done.resolved])
    return done


class _Detection:
    """A pass over the signals of one moment."""

    def __init__(
        self, client: Client, now: datetime, thresholds: Thresholds, known: Sequence[Incident], events: Sequence[Event]
    ) -> None:
        self._client, self._now, self._thresholds, self._events = client, now, thresholds, events
        self._known = known
        self._until = datetime.fromtimestamp(end_of(now), UTC)
        self._current = {
            incident.incident_id: incident
            for incident in known
            if incident.is_open or now - incident.fired_at <= _REARM
        }
        self._new: set[str] = set()
        self._merged: list[Incident] = []
        self._overlaps = Overlaps(client, self._until)

    def run(self, signals: Sequence[Signal]) -> Pass:
        left = [
            signal
            for signal in signals
            if not self._is_expected(signal)
            and not self._is_planned(signal.place, signal.started_at)
            and not self._join(signal)
        ]
        while left:
            seed = _seed(left)
            incident = self._open(seed)
            if incident:
                self._keep(incident)
            # Those of its own rule first: they bring their series in, whatever else fires for it.
            left.sort(key=lambda signal: signal.rule != seed.rule)
            left = [signal for signal in left if signal is not seed and not (incident and self._join(signal))]
        return self._followed()

    def _join(self, signal: Signal) -> bool:
        """Add a signal to the incident that it is part of, if there is one."""
        mine = [incident for incident in self._current.values() if incident.feedback != "expected"]
        found = next((incident for incident in mine if self._is_of(incident, signal)), None)
        found = found or next((incident for incident in mine if self._shares(incident, signal)), None)
        if found is None:
            return False
        series = tuple(sorted({*found.series, signal.series}))
        self._current[found.incident_id] = replace(
            found,
            series=series,
            peak=max(found.peak, signal.strength),
            fired_at=self._now,
            status="open",
            resolved_at=None,
        )
        return True

    def _shares(self, incident: Incident, signal: Signal) -> bool:
        """Tell whether a signal is part of an incident: most of its money is there, moved by the same driver."""
        if self._overlaps.share(signal.place, incident.place, signal.started_at) < SHARED:
            return False
        return self._has_driver(incident, signal)

    def _is_of(self, incident: Incident, signal: Signal) -> bool:
        """Tell whether an incident has the signal's series; proof of another driver in a part of its place is news all the same."""
        known = signal.series in incident.series
        return known and (signal.rule not in PROOF_RULES or self._has_driver(incident, signal))

    def _has_driver(self, incident: Incident, signal: Signal) -> bool:
        """Tell whether what moves an incident also moves a part of its place, or a quarter of that; true of what is no mere part."""
        is_part = signal.place.inside(incident.place) or (signal.place.user and not incident.place.user)
        if not is_part or signal.place == incident.place or signal.rule == incident.rule or incident.driver == "cost":
            return True
        window = Window(min(signal.started_at, self._until - timedelta(seconds=STEP)), self._until)
        found = change(self._client, signal.place, window, by_ratio=signal.rule in RATIO_RULES)
        if driver_of(signal.rule, found) in {incident.driver, "cost"}:
            return True
        return found.effects[incident.driver] >= _CARRIED * abs(found.impact_usd)

    def _keep(self, incident: Incident) -> None:
        """Add an incident. Those that are a part of it, by the same driver of a ratio, are one with it: the oldest goes on."""
        parts = [
            part
            for part in self._current.values()
            if part.is_open
            and part.feedback != "expected"
            and part.by_ratio
            and incident.by_ratio
            and part.driver == incident.driver
            and self._overlaps.share(part.place, incident.place, part.started_at) >= SHARED
        ]
        if not parts:
            self._current[incident.incident_id] = incident
            self._new.add(incident.incident_id)
            return
        first = min(parts, key=lambda part: (part.detected_at, part.started_at, part.incident_id))
        self._current[first.incident_id] = replace(
            incident,
            incident_id=first.incident_id,
            detected_at=first.detected_at,
            started_at=min(part.started_at for part in (incident, *parts)),
            first_impact_usd=first.first_impact_usd,
            series=tuple(sorted({series for part in (incident, *parts) for series in part.series})),
            peak=max(part.peak for part in (incident, *parts)),
            feedback=first.feedback,
        )
        for part in parts:
            if part is not first:
                self._merge(part, first.incident_id)

    def _merge(self, part: Incident, incident_id: str) -> None:
        """Close an incident that another one goes on with; one that nobody was told of never was."""
        del self._current[part.incident_id]
        if part.incident_id in self._new:
            self._new.remove(part.incident_id)
            return
        cause = f"Part of {incident_id}: {part.cause}"
        self._merged.append(replace(part, status="resolved", resolved_at=self._now, updated_at=self._now, cause=cause))

    def _open(self, seed: Signal) -> Incident | None:
        """Return the incident that a signal tells of; None where it is planned, a ratio that costs nothing, or cannot be explained yet."""
        by_ratio = seed.rule in RATIO_RULES
        started = began(self._client, seed, self._until)
        window = Window(started, self._until)
        found = analyse(self._client, seed.place, window, by_ratio=by_ratio)
        if by_ratio and self._is_dear(found) and is_volume(driver_of(seed.rule, found.change), found.change):
            by_ratio = False
            found = analyse(self._client, seed.place, window, by_ratio=by_ratio)
        if self._is_planned(found.place, started) or (seed.rule in RATIO_RULES and not self._is_dear(found)):
            return None
        if found.change.impact_usd > 0 and not found.evidence["calls"] and self._waits():
            return None  # since they were summed, its calls are read again, as after a start: told of when they are judged once more
        again = sum(incident.feedback == "expected" and seed.series in incident.series for incident in self._known)
        blank = Incident(
            incident_id=_id_of(seed, found, again),
            started_at=started,
            detected_at=self._now,
            updated_at=self._now,
            fired_at=self._now,
            rule=seed.rule,
            series=(seed.series,),
            peak=seed.strength,
            by_ratio=by_ratio,
            scope=found.scope,
            place=found.place,
            session=found.session,
        )
        told = self._told(blank, found)
        return replace(told, first_impact_usd=told.impact_usd)

    def _is_dear(self, found: Analysis) -> bool:
        """Tell whether the exact figures bear a signal out: its own money is an estimate."""
        return found.change.impact_usd >= self._thresholds.floor_usd

    def _told(self, incident: Incident, found: Analysis) -> Incident:
        """Return an incident with its figures and words, as an analysis has them."""
        hours = (self._now - incident.started_at) / _HOUR
        driver = driver_of(incident.rule, found.change)
        class_ = class_of(incident.rule, driver, found, hours)
        figures = self._figures(incident)
        evidence, prompts = found.evidence, found.prompts
        return replace(
            figures,
            driver=driver,
            class_=class_,
            severity=severity_of(class_, figures.impact_usd_per_hour, self._thresholds.hourly_usd),
            cause=cause_of(class_, found),
            explained_by=found.one.text if found.one else "",
            explained_share=found.one.share if found.one else None,
            explained_by_two=found.two.text if found.two else "",
            trace_ids=tuple(trace for trace in evidence["traces"] if trace),
            deploy=str(prompts["deploy"]),
        )

    def _figures(self, incident: Incident) -> Incident:
        """Return an incident with what it cost until now."""
        whole = change(
            self._client, incident.scope, Window(incident.started_at, self._until), by_ratio=incident.by_ratio
        )
        last = self._last_hour(incident) if self._until - incident.started_at > _HOUR else whole.impact_usd
        return replace(
            incident,
            updated_at=self._now,
            expected_usd=whole.expected_usd,
            actual_usd=whole.actual_usd,
            impact_usd=whole.impact_usd,
            impact_usd_per_hour=last,
            effects=whole.effects,
            calls=whole.calls,
        )

    def _last_hour(self, incident: Incident) -> Decimal:
        window = Window(incident.started_at, self._until, self._until - _HOUR)
        return change(self._client, incident.scope, window, by_ratio=incident.by_ratio).impact_usd

    def _followed(self) -> Pass:
        """Bring the incidents that go on up to date, and close what is over."""
        opened, changed, resolved = [], [], list(self._merged)
        before = {incident.incident_id: incident for incident in self._known}
        for incident in self._current.values():
            if not incident.is_open:
                continue
            if incident.incident_id in self._new:
                opened.append(incident)
                continue
            figures = self._figures(incident)
            if self._was_none(figures) and self._leaves_out(incident):
                continue  # its calls wait to be judged once more: until they are, it stays as it was told
            if self._is_over(figures):
                per_hour = _per_hour(figures.impact_usd, self._now - incident.started_at)
                resolved.append(
                    replace(figures, status="resolved", resolved_at=self._now, impact_usd_per_hour=per_hour)
                )
            elif replace(figures, updated_at=before[incident.incident_id].updated_at) != before[incident.incident_id]:
                changed.append(figures)
        return Pass(tuple(opened), tuple(changed), tuple(resolved))

    def _was_none(self, incident: Incident) -> bool:
        """Tell whether an incident's calls were priced again, or judged, and are no incident any more."""
        return incident.fired_at < self._now and abs(incident.impact_usd) <= _OVER * abs(incident.first_impact_usd)

    def _leaves_out(self, incident: Incident) -> bool:
        since = int(incident.started_at.timestamp())
        return bool(self._client.query(statement("leaves_out"), {"since": since}).result_rows[0][0])

    def _waits(self) -> bool:
        """Tell whether calls wait to be judged: no evidence speaks of them."""
        return bool(self._client.query("select count() > 0 from waiting_traces").result_rows[0][0])

    def _is_over(self, incident: Incident) -> bool:
        if incident.feedback == "expected" or self._now - incident.started_at > _LONGEST:
            return True
        if self._was_none(incident):
            return True
        if self._now - incident.fired_at < _QUIET:
            return False
        hours = Decimal((self._until - incident.started_at) // timedelta(seconds=1)) / 3600
        return abs(incident.impact_usd_per_hour) <= _OVER * abs(incident.impact_usd) / hours

    def _is_expected(self, signal: Signal) -> bool:
        """Tell whether people said that this is no fault, and it is no worse than it was then."""
        return any(
            incident.feedback == "expected"
            and signal.series in incident.series
            and signal.strength <= _LIFTED * incident.peak
            for incident in self._known
        )

    def _is_planned(self, place: Place, started: datetime) -> bool:
        """Tell whether most of what changed in a place is where an event is planned."""
        return any(self._overlaps.share(place, event.place, started) >= SHARED for event in self._events)


def _seed(signals: Iterable[Signal]) -> Signal:
    """Return the signal to tell about first: proof before ratios before volume; of those with much money the purest, then the narrowest."""
    ranks = {signal: 0 if signal.rule in PROOF_RULES else 1 if signal.rule in RATIO_RULES else 2 for signal in signals}
    best = min(ranks.values())
    found = [signal for signal, rank in ranks.items() if rank == best]
    most = max(signal.excess_usd for signal in found)
    near = [signal for signal in found if signal.excess_usd >= _CLOSE * most]
    return min(
        near,
        key=lambda signal: (
            -round(signal.strength, 2),
            _DIMENSIONS.index(signal.dimension),
            signal.series,
            signal.rule,
        ),
    )


def _id_of(seed: Signal, found: Analysis, again: int) -> str:
    """Return an id that another pass would give, too; ``again`` counts what people had called expected before."""
    text = f"{seed.rule} {seed.dimension} {seed.names} {found.place.parameters()} {seed.started_at.isoformat()} {again}"
    return sha256(text.encode()).hexdigest()[:16]


def _per_hour(amount_usd: Decimal, time: timedelta) -> Decimal:
    """Return an amount by the hour, to the ledger's last digit; Python's own 28 digits would not hold it."""
    with localcontext(prec=76):
        return (amount_usd * 6 / max(time // timedelta(minutes=10), 1)).quantize(_LAST_DIGIT)
