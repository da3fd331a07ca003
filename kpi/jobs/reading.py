"""Reading the rows that bear on the facts of an asset."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

import store
from kpi.calendar import from_us, local_midnight, to_us
from kpi.facts import AssetPlan
from kpi.facts.reach import NEIGHBOURS, product_span, reach, weighed
from kpi.jobs.basis import last_full_hour
from store import measurements, registry, retention
from store.canonical import Rows


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads rows of one asset.

    `first` is the start of the first hour that any figure looks at. Rows from `horizon` on come
    from a clock that is wrong, since that time is still to come; they bear on nothing before it.
    """

    conn: store.Connection
    asset: AssetPlan
    first: datetime
    horizon: datetime

    def bearing(self, start: datetime, end: datetime) -> tuple[Rows, datetime, datetime]:
        """Return the hours that the rows of [start, end) reach to, with the rows behind them."""
        tag_ids = [tag.tag_id for tag in self.asset.tags]
        changed = measurements.read(self.conn, tag_ids, start, end)
        rows = self._beside(tag_ids, start, end, changed)
        edges = reach(self.asset, rows, to_us(start), to_us(end))
        if max(from_us(edges[0]), self.first) >= from_us(edges[1]):
            return rows, self.first, from_us(edges[1])

        def read(begin_us: int, until_us: int) -> Rows:
            begin, until = max(from_us(begin_us), self.first), from_us(until_us)
            return self._beside(
                tag_ids,
                begin,
                until,
                measurements.read(self.conn, tag_ids, begin, max(start, begin)),
                changed,
                measurements.read(self.conn, tag_ids, end, until),
            )

        rows, *edges_us = weighed(self.asset, *edges, read)
        begin, until = max(from_us(edges_us[0]), self.first), from_us(edges_us[1])
        return self._with_product(rows, begin, until), begin, until

    def _with_product(self, rows: Rows, start: datetime, end: datetime) -> Rows:
        product = self.asset.tag("product")
        if product is None:
            return rows
        span = product_span(self.asset, rows, to_us(start), to_us(end))
        begin, until = (from_us(edge) for edge in span)
        made = measurements.read(self.conn, [product.tag_id], begin, until)
        return joined(rows, self._beside([product.tag_id], begin, until, made))

    def _beside(self, tag_ids: list[int], start: datetime, end: datetime, *inside: Rows) -> Rows:
        """Return rows with the neighbours of [start, end)."""
        rows = joined(
            measurements.previous(self.conn, tag_ids, start, NEIGHBOURS),
            *inside,
            measurements.following(self.conn, tag_ids, end, NEIGHBOURS),
        )
        return rows.take(rows.ts_us < to_us(self.horizon))


def first_hour(conn: store.Connection, factory: registry.Factory) -> datetime:
    """Return the first hour of a factory whose facts may be formed: of the baseline, not final."""
    known = retention.horizon(conn, factory.factory_id)
    day = factory.baseline_from if known is None else max(factory.baseline_from, known.final_until)
    return last_full_hour(local_midnight(day, factory.timezone))


def joined(*parts: Rows) -> Rows:
    """Return the rows of some parts ordered by (tag, time), each once."""
    rows = Rows(
        np.concatenate([part.tag_id for part in parts]),
        np.concatenate([part.ts_us for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.status for part in parts]),
    )
    rows = rows.take(np.lexsort((rows.ts_us, rows.tag_id)))
    again = np.zeros(len(rows), np.bool_)
    again[1:] = (np.diff(rows.tag_id) == 0) & (np.diff(rows.ts_us) == 0)
    return rows.take(~again) if again.any() else rows
