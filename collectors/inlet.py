"""What the values of one source go through on their way to the spool, many deliveries at once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from collectors import status
from collectors.change_filter import ChangeFilter
from collectors.clock import AHEAD_US, SourceClock, flagged, suspect
from collectors.columns import Columns, TagTable, joined
from collectors.sample import END_US, FIRST_US, Delivery, Refused, Sample, now_us


class Inlet:
    """One source's table of tags and its change filter, for as long as its adapter lives."""

    def __init__(
        self,
        name: str,
        heartbeat_s: float,
        table: TagTable,
        deadbands: Mapping[str, float] | None = None,
    ) -> None:
        self.name = name
        self.table = table
        widths = {table.number(tag): width for tag, width in (deadbands or {}).items()}
        self._filter = ChangeFilter(heartbeat_s, widths)
        self._clock = SourceClock(name)

    def take(self, deliveries: Sequence[Delivery]) -> None:
        """Leave in the first delivery, as columns, what is to be stored of all of them.

        What has an impossible time goes to its refused; each call counts, since the filter then
        remembers what passed.
        """
        rows = _storable(joined(self.table, self._parts(deliveries)))
        for one in deliveries:
            one.samples, one.columns = [], []
            if note := self._clock.observe(one.skew_s):
                one.refused.append(note)
        if len(rows) == 0:
            return
        plausible = (rows.ts_us >= FIRST_US) & (rows.ts_us < END_US)
        if not plausible.all():
            deliveries[0].refused += _refused(rows.take(~plausible))
            rows = rows.take(plausible)
        rows = self._flagged(rows)
        passing = self._filter.passes(rows)
        if passing.any():
            deliveries[0].columns = [rows if passing.all() else rows.take(passing)]

    def _flagged(self, rows: Columns) -> Columns:
        at_us = now_us()
        is_suspect = suspect(rows.ts_us, at_us)
        # A clock that was set back, the source's or the gateway's: beside its newest row of then
        # every row of now would be late, and be stored though nothing changed.
        self._filter.forget_later(rows.index[~is_suspect], at_us + AHEAD_US)
        wrong = is_suspect | self._clock.is_wrong
        return replace(rows, status=flagged(rows.status, wrong)) if wrong.any() else rows

    def _parts(self, deliveries: Sequence[Delivery]) -> list[Columns]:
        parts: list[Columns] = []
        samples: list[Sample] = []
        for one in deliveries:
            samples += one.samples
            if one.columns:
                if samples:
                    parts.append(Columns.of_samples(self.table, samples))
                    samples = []
                parts += one.columns
        if samples:
            parts.append(Columns.of_samples(self.table, samples))
        return parts


def _storable(rows: Columns) -> Columns:
    """Return rows in which a bad one has no value, and one that is not bad a finite one."""
    is_bad = rows.status < 0
    is_finite = np.isfinite(rows.value)
    if (is_bad != is_finite).all():
        return rows
    code = np.where(is_bad | is_finite, rows.status, status.BAD_OUT_OF_RANGE).astype(np.int32)
    value = np.where(is_finite & ~is_bad, rows.value, np.nan)
    return Columns(rows.table, rows.index, rows.ts_us, value, code)


def _refused(rows: Columns) -> list[Refused]:
    """Return one entry for each tag, with the first of its rows."""
    firsts = {sample.tag: sample for sample in reversed(rows.samples())}
    return [
        Refused(f"{tag}: its time lies outside the years 1970 to 2200", repr(tuple(sample)))
        for tag, sample in reversed(firsts.items())
    ]
