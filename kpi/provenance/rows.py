"""Which row was changed: a hash names the batch, the fingerprints of its hours name the row.

The fingerprint of an hour is a sum over its rows, and each row is mixed by steps that can be undone
(SplitMix64, Steele, Lea and Flood 2014). So for every row one can say what it must have been if it
is the one that was changed; the signed hash then tells whether it was.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kpi.facts.basis import HOUR_US
from kpi.facts.rows import fingerprint
from kpi.provenance.basis import Problem
from kpi.provenance.facts import Hours, local
from kpi.provenance.ledger import Content
from store.canonical import Rows
from store.registry import MonitoringPlan, Tag

_WORD = 2**64
_GOLDEN = 0x9E3779B97F4A7C15
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_UNGOLDEN, _UNFIRST, _UNSECOND = (pow(each, -1, _WORD) for each in (_GOLDEN, _FIRST, _SECOND))
_MOST_TRIED = 5_000
_MOST_SAID = 5


@dataclass(frozen=True, slots=True)
class _Row:
    tag_id: int
    ts_us: int
    value_bits: int
    status: int

    @property
    def value(self) -> float:
        return float(np.array([self.value_bits], np.uint64).view(np.float64)[0])


def named(plan: MonitoringPlan, content: Content, altered: Sequence[Hours]) -> Problem | None:
    """Name the row of an altered batch, or the hours and tags that it must lie in.

    None where no fact knows other rows than are stored: the facts were formed since.
    """
    tags = {tag.tag_id: tag for tag in plan.tags}
    touched = [
        (int(hour_us), int(lacking), hours)
        for hours in altered
        for hour_us, lacking in zip(hours.hour_us.tolist(), hours.lacking.tolist(), strict=True)
        if _holds(content, tags, hours.asset.asset_id, hour_us)
    ]
    if not touched:
        return None
    if len(touched) == 1 and len(content.rows) == content.batch.row_count:
        hour_us, lacking, hours = touched[0]
        found = _the_row(content, tags, hours.asset.asset_id, hour_us, lacking)
        if found is not None:
            return _said(plan, content, tags, *found)
    return _narrowed(plan, content, tags, touched)


def _holds(content: Content, tags: Mapping[int, Tag], asset_id: int, hour_us: int) -> bool:
    """Tell whether a batch may have had rows of an asset in an hour."""
    if _inside(content, tags, asset_id, hour_us).any():
        return True
    first, last = content.batch.first_ts, content.batch.last_ts
    if first is None or last is None or len(content.rows) == content.batch.row_count:
        return False
    return bool(first.timestamp() * 1e6 < hour_us + HOUR_US and last.timestamp() * 1e6 >= hour_us)


def _inside(
    content: Content, tags: Mapping[int, Tag], asset_id: int, hour_us: int
) -> npt.NDArray[np.bool_]:
    own = [tag_id for tag_id, tag in tags.items() if tag.asset_id == asset_id]
    rows = content.rows
    at = (rows.ts_us >= hour_us) & (rows.ts_us < hour_us + HOUR_US)
    return np.asarray(np.isin(rows.tag_id, own) & at, np.bool_)


def _the_row(
    content: Content, tags: Mapping[int, Tag], asset_id: int, hour_us: int, lacking: int
) -> tuple[_Row, _Row] | None:
    """Return the row as it is and as it was signed, if one row accounts for the whole change."""
    rows, tried = content.rows, 0
    for place in np.flatnonzero(_inside(content, tags, asset_id, hour_us)).tolist():
        now = _row(rows, place)
        mixed = int(fingerprint(rows.take(np.array([place])))[0])
        for was in _before(now, (mixed + lacking) % _WORD, tags, hour_us):
            tried += 1
            if tried > _MOST_TRIED:
                return None
            if content.hash_with(_with(rows, place, was)) == content.batch.sha256:
                return now, was
    return None


def _row(rows: Rows, place: int) -> _Row:
    value = np.array([rows.value[place]])
    value = np.where(np.isnan(value), np.nan, value)
    return _Row(
        int(rows.tag_id[place]),
        int(rows.ts_us[place]),
        int(value.view(np.uint64)[0]),
        int(rows.status[place]),
    )


def _before(now: _Row, mixed: int, tags: Mapping[int, Tag], hour_us: int) -> Iterator[_Row]:
    """Yield what a row may have been, if one of its four fields was another."""
    status, tag_id = now.status % 2**32, now.tag_id
    seeded = now.ts_us * _GOLDEN % _WORD
    last = _unmixed(mixed)
    other = last ^ _mixed(_mixed(seeded ^ now.value_bits) ^ tag_id)
    if other < 2**32:
        yield _Row(tag_id, now.ts_us, now.value_bits, other - (2**32 if other >= 2**31 else 0))
    before_tag = _unmixed(last ^ status)
    other = before_tag ^ _mixed(seeded ^ now.value_bits)
    if other in tags:
        yield _Row(other, now.ts_us, now.value_bits, now.status)
    before_value = _unmixed(before_tag ^ tag_id)
    other = (before_value ^ now.value_bits) * _UNGOLDEN % _WORD
    if hour_us <= other < hour_us + HOUR_US:
        yield _Row(tag_id, other, now.value_bits, now.status)
    yield _Row(tag_id, now.ts_us, before_value ^ seeded, now.status)


def _mixed(word: int) -> int:
    word = (word ^ word >> 30) * _FIRST % _WORD
    word = (word ^ word >> 27) * _SECOND % _WORD
    return word ^ word >> 31


def _unmixed(word: int) -> int:
    word = (word ^ word >> 31 ^ word >> 62) * _UNSECOND % _WORD
    word = (word ^ word >> 27 ^ word >> 54) * _UNFIRST % _WORD
    return word ^ word >> 30 ^ word >> 60


def _with(rows: Rows, place: int, was: _Row) -> Rows:
    """Return the rows with one of them as it may have been, in the order of a batch."""
    changed = rows.take(np.arange(len(rows)))
    changed.tag_id[place], changed.ts_us[place] = was.tag_id, was.ts_us
    changed.value[place], changed.status[place] = was.value, was.status
    if (was.tag_id, was.ts_us) == (rows.tag_id[place], rows.ts_us[place]):
        return changed
    return changed.take(np.lexsort((changed.ts_us, changed.tag_id)))


def _said(
    plan: MonitoringPlan, content: Content, tags: Mapping[int, Tag], now: _Row, was: _Row
) -> Problem:
    where = f"{tags[now.tag_id].name}, {local(plan, now.ts_us)}"
    changes = []
    if was.value_bits != now.value_bits:
        changes.append(f"value {_number(now)} is stored, {_number(was)} was signed")
    if was.status != now.status:
        changes.append(f"status {now.status} is stored, {was.status} was signed")
    if was.tag_id != now.tag_id:
        changes.append(f"it was signed as a row of {tags[was.tag_id].name}")
    if was.ts_us != now.ts_us:
        changes.append(f"it was signed with the time {local(plan, was.ts_us)}")
    said = f"{content.batch.name}: row {where} was changed: {'; '.join(changes)}"
    return Problem("row", where, said)


def _number(row: _Row) -> str:
    return "none" if np.isnan(row.value) else f"{row.value!r}"


def _narrowed(
    plan: MonitoringPlan,
    content: Content,
    tags: Mapping[int, Tag],
    touched: Sequence[tuple[int, int, Hours]],
) -> Problem:
    """Say in which hours, and among which tags, the change lies."""
    places = []
    for hour_us, _, hours in touched[:_MOST_SAID]:
        inside = _inside(content, tags, hours.asset.asset_id, hour_us)
        names = sorted({tags[number].name for number in content.rows.tag_id[inside].tolist()})
        among = ", ".join(names) or "no row is left"
        places.append(f"{hours.asset.code} in the hour {local(plan, hour_us)} ({among})")
    more = len(touched) - _MOST_SAID
    where = "; ".join(places) + (f"; and {more} more hours" if more > 0 else "")
    return Problem("row", where, f"{content.batch.name}: rows were changed or are gone: {where}")
