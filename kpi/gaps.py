"""The gap report: when each tag was heard, when it was bad, and when nobody collected it.

A row speaks until the next one, but at most for three heartbeats (the hold of the hour facts).
*Unchanged* is heard: the heartbeat proves it. *Bad* is heard as well, and says that there is no
value. What lies behind a row's hold was *not collected*, whatever the reason.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np

from kpi.errors import NotComputable
from kpi.facts.basis import Ints, hold_us
from kpi.formulas import states
from store import Connection, measurements
from store.canonical import Rows
from store.registry import Factory, Tag, monitoring_plan

GapKind = Literal["not_collected", "bad"]

MOST_DAYS = 31
_MOST_GAPS = 1000
_TAGS_AT_ONCE = 50
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GOOD, _BAD = 1, 0


@dataclass(frozen=True, slots=True)
class Gap:
    """A half-open time without a usable value."""

    kind: GapKind
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class TagGaps:
    """One tag in a window: rows, seconds of each kind (they fill the window), and its gaps.

    Of more than 1000 gaps the longest stand here, in order of time; gap_count counts all.
    """

    tag: str
    role: str
    heartbeat_s: int
    rows: int
    good_s: float
    bad_s: float
    not_collected_s: float
    gap_count: int
    gaps: tuple[Gap, ...]


def report(
    conn: Connection,
    factory: Factory,
    start: datetime,
    end: datetime,
    names: Sequence[str] | None = None,
) -> list[TagGaps]:
    """Return the gaps of a factory's tags in [start, end), in the order of their names.

    Raises NotComputable for an empty window, one of more than 31 days, or an unknown tag.
    """
    if not timedelta(0) < end - start <= timedelta(days=MOST_DAYS):
        raise NotComputable(f"a gap report covers more than nothing and at most {MOST_DAYS} days")
    tags = sorted(_wanted(monitoring_plan(conn, factory).tags, names), key=lambda tag: tag.name)
    return [
        one
        for at in range(0, len(tags), _TAGS_AT_ONCE)
        for one in _some(conn, tags[at : at + _TAGS_AT_ONCE], start, end)
    ]


def gaps_of(tag: Tag, rows: Rows, start_us: int, end_us: int) -> TagGaps:
    """Return the gaps of one tag from its rows; those before the window reach into it. Pure."""
    code = np.where(rows.status >= 0, _GOOD, _BAD).astype(np.int64)
    found = states.intervals(
        rows.ts_us, code, start_us=start_us, end_us=end_us, max_hold_us=hold_us(tag)
    )
    seconds = (found.end_us - found.start_us) / 1e6
    gaps = list(_merged(found))
    longest = sorted(gaps, key=lambda gap: gap.start - gap.end)[:_MOST_GAPS]
    return TagGaps(
        tag=tag.name,
        role=tag.role,
        heartbeat_s=tag.heartbeat_s,
        rows=int(((rows.ts_us >= start_us) & (rows.ts_us < end_us)).sum()),
        good_s=float(seconds[found.state == _GOOD].sum()),
        bad_s=float(seconds[found.state == _BAD].sum()),
        not_collected_s=float(seconds[found.state == states.UNKNOWN].sum()),
        gap_count=len(gaps),
        gaps=tuple(sorted(longest, key=lambda gap: gap.start)),
    )


def _wanted(tags: Sequence[Tag], names: Sequence[str] | None) -> list[Tag]:
    if names is None:
        return list(tags)
    unknown = sorted(set(names) - {tag.name for tag in tags})
    if unknown:
        raise NotComputable(f"the factory's plan has no tag {', '.join(unknown)}")
    return [tag for tag in tags if tag.name in names]


def _some(
    conn: Connection, tags: Sequence[Tag], start: datetime, end: datetime
) -> Iterator[TagGaps]:
    reach = timedelta(microseconds=max(hold_us(tag) for tag in tags))
    tag_ids = [tag.tag_id for tag in tags]
    rows = measurements.read(conn, tag_ids, start - reach, end, in_scope=True)
    for tag in tags:
        own = rows.tag_id == tag.tag_id
        part = Rows(rows.tag_id[own], rows.ts_us[own], rows.value[own], rows.status[own])
        yield gaps_of(tag, part, _micros(start), _micros(end))


def _merged(found: states.Intervals) -> Iterator[Gap]:
    """Yield the gaps, neighbours of one kind as one."""
    changes = np.flatnonzero(np.diff(found.state, prepend=np.int64(-2)))
    ends: Ints = np.append(found.start_us[changes[1:]], found.end_us[-1:])
    for start_us, end_us, code in zip(
        found.start_us[changes].tolist(), ends.tolist(), found.state[changes].tolist(), strict=True
    ):
        if code != _GOOD:
            kind: GapKind = "bad" if code == _BAD else "not_collected"
            yield Gap(kind, _time(start_us), _time(end_us))


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _time(ts_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=ts_us)
