"""What the methods share: the footprint that a factory left, and the answers to claims."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import isfinite
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from kpi.annex1.tables import Rule
from kpi.calendar import local_midnight, months
from kpi.errors import NotComputable
from kpi.figures import Evidence
from kpi.reasons import because
from store.records import StoredRecord
from store.registry import Asset

Verdict = Literal["proven", "not_proven", "not_computable"]
Floats = npt.NDArray[np.float64]

_MOST_NAMED = 50


@dataclass(frozen=True, slots=True)
class Answer:
    """What data say of a claim: numbers, and links to the tags, records and hours behind them."""

    verdict: Verdict
    numbers: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """An unplanned stop of five minutes or more, half-open."""

    asset: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Coal:
    """The verified standard coal of a month [tce], with its number in the store."""

    figure_id: int
    point: float | None
    coefficients: str


@dataclass(frozen=True, slots=True)
class Footprint:
    """All that the methods look at; windows end before the local day `end`."""

    evidence: Evidence
    end: date
    records: Mapping[str, Sequence[StoredRecord]]
    # Share of the last 30 days with a good value, by name of a process tag.
    tag_shares: Mapping[str, float] = field(default_factory=dict)
    # None where no machine has a tag for its state.
    stops: Sequence[Stop] | None = None
    # By first of month.
    coal: Mapping[date, Coal] = field(default_factory=dict)

    @property
    def zone(self) -> ZoneInfo:
        """Return the factory's time zone."""
        return ZoneInfo(self.evidence.plan.factory.timezone)

    @property
    def key_equipment(self) -> list[Asset]:
        """Return the registered key equipment; raises NotComputable where there is none."""
        found = [asset for asset in self.evidence.plan.assets if asset.key_equipment]
        if not found:
            raise NotComputable(because("no_key_equipment"))
        return found

    def window(self, rule: Rule) -> tuple[datetime, datetime]:
        """Return the window of a rule."""
        timezone = self.evidence.plan.factory.timezone
        first, last = rule.start(self.end), rule.end(self.end)
        return local_midnight(first, timezone), local_midnight(last, timezone)

    def within(self, kind: str, rule: Rule) -> list[StoredRecord]:
        """Return the records of a kind whose business time lies in the window of a rule."""
        start, end = self.window(rule)
        return [record for record in self.records.get(kind, ()) if start <= record.at < end]

    def some(self, kind: str, rule: Rule) -> list[StoredRecord]:
        """Return the same; raises NotComputable where there is none."""
        found = self.within(kind, rule)
        if not found:
            raise NotComputable(because("no_record_of_kind", kind=kind))
        return found

    def months(self, rule: Rule) -> list[date]:
        """Return the firsts of the months in the window of a rule."""
        return [first for first, _ in months(rule.start(self.end), rule.end(self.end))]

    def month(self, at: datetime) -> date:
        """Return the first of the local month of a time."""
        return at.astimezone(self.zone).date().replace(day=1)

    def daily(self, asset: Asset, column: str, rule: Rule) -> Floats:
        """Return a fact of an asset by local day of the window of a rule."""
        days = self.evidence.days
        count = (rule.end(self.end) - rule.start(self.end)).days
        found = np.zeros(count)
        matrix = days.of_asset.get(asset.asset_id)
        if matrix is None:
            return found
        first = (rule.start(self.end) - days.first_day).days
        rows = np.arange(first, first + count)
        inside = (rows >= 0) & (rows < len(matrix))
        found[inside] = matrix[rows[inside], days.columns.index(column)]
        return found

    def production_days(self, rule: Rule) -> npt.NDArray[np.bool_]:
        """Tell of each day of the window whether busy time was planned on it."""
        count = (rule.end(self.end) - rule.start(self.end)).days
        first = (rule.start(self.end) - self.evidence.days.first_day).days
        found = np.zeros(count, np.bool_)
        for planned_s in self.evidence.planned_s.values():
            rows = np.arange(first, first + count)
            inside = (rows >= 0) & (rows < len(planned_s))
            found[inside] |= planned_s[rows[inside]] > 0
        if not found.any():
            raise NotComputable(because("window_unplanned"))
        return found

    def time(self, record: StoredRecord, name: str) -> datetime | None:
        """Return a time of a record's body, None where it has none that can be read."""
        try:
            found = datetime.fromisoformat(str(record.body.get(name)))
        except ValueError:
            return None
        return found if found.tzinfo else found.replace(tzinfo=self.zone)


def text(record: StoredRecord, name: str) -> str | None:
    """Return a field of a record as text, None where it is not filled."""
    given = record.body.get(name)
    return None if given is None or given == "" else str(given)


def amount(record: StoredRecord, name: str) -> float | None:
    """Return a number of a record, None where it has none that can be read."""
    return as_number(record.body.get(name))


def as_number(given: Any) -> float | None:
    """Return a number, or what a text of digits stands for; None for anything else."""
    try:
        found = float(given)
    except (OverflowError, TypeError, ValueError):
        return None
    return found if isfinite(found) else None


def judged(
    is_proven: bool,
    numbers: Mapping[str, Any],
    *,
    kind: str | None = None,
    shown: Iterable[StoredRecord] = (),
    against: Iterable[StoredRecord] = (),
    **links: Any,
) -> Answer:
    """Return an answer with links: records that show it and those against it, by kind and key."""
    named = dict(links)
    for name, rows in (("records", list(shown)), ("against", list(against))):
        if rows:
            keys = [row.key for row in rows[:_MOST_NAMED]]
            named[name] = {"kind": kind, "count": len(rows), "keys": keys}
    return Answer("proven" if is_proven else "not_proven", numbers, named)


def shared(
    rows: Sequence[StoredRecord], good: Sequence[StoredRecord], least: float, **numbers: Any
) -> tuple[bool, dict[str, Any], list[StoredRecord]]:
    """Return whether enough rows are good, the numbers, and the rows that are not."""
    # By identity: records of two kinds may have the same key.
    kept = {id(row) for row in good}
    share = len(good) / len(rows)
    found = {"count": len(rows), "good": len(good), "share": share, "least_share": least}
    return share >= least, found | numbers, [row for row in rows if id(row) not in kept]


def hours(count: float) -> timedelta:
    """Return so many hours."""
    return timedelta(hours=count)
