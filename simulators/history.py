"""Rows and records of the past, as the gateway would have sent them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from simulators import clock, troubles
from simulators.clock import Instants
from simulators.events import Event
from simulators.noise import Floats, Integers
from simulators.outages import Outage

if TYPE_CHECKING:
    from simulators.plant import Plant

# OPC UA Part 6, BadNotConnected, as the signed integer that the contract stores.
BAD_NOT_CONNECTED = 0x808A0000 - 2**32


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Rows as columns of one length, ordered by time, and the records of the same days."""

    tag_index: npt.NDArray[np.int32]
    ts_us: Instants
    value: Floats
    status: npt.NDArray[np.int32]
    records: list[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.tag_index)


def chunks(plant: "Plant", chunk_days: int) -> Iterator[Chunk]:
    """Yield the history of a plant; what the systems sent before its origin comes first."""
    events = plant.events
    sent = np.array([event.sent_us for event in events])
    start, taken = plant.origin_us, 0
    while start < plant.as_of_us:
        end = min(start + chunk_days * clock.DAY_US, plant.as_of_us)
        upto = int(np.searchsorted(sent, end, side="left"))
        records = [record(event) for event in events[taken:upto]]
        yield rows(plant, start, end, records)
        start, taken = end, upto


def record(event: Event) -> dict[str, Any]:
    """Return a business event as a record; a date is its local midnight."""
    at = event.at if "T" in event.at else f"{event.at}T00:00:00+08:00"
    return {"kind": event.kind, "key": event.key, "at": at, "body": event.body}


def rows(plant: "Plant", start_us: int, end_us: int, records: list[dict[str, Any]]) -> Chunk:
    """Return the rows of [start, end) and the records that go with them."""
    grid = clock.grid(start_us, end_us)
    tags: list[Integers] = []
    instants: list[Instants] = []
    values: list[Floats] = []
    for index, (tag, signal) in enumerate(zip(plant.tags, plant.signals, strict=True)):
        since = plant.heard_from_us(tag)
        if since >= end_us:
            continue
        changes = signal.changes(start_us, end_us)
        beats = grid[grid % (tag.heartbeat_s * clock.SECOND_US) == 0]
        ts = beats if not len(changes) else np.union1d(beats, changes)
        ts, bad = _without_outages(ts, plant.outages, tag.source, start_us, end_us)
        ts, bad = ts[ts >= since], bad[bad >= since]
        ts_all = np.concatenate([ts, bad])
        values.append(np.concatenate([signal.at(ts), np.full(len(bad), np.nan)]))
        instants.append(troubles.skewed(tag, ts_all, plant.scenario.trouble, plant.renovation))
        tags.append(np.full(len(ts_all), index, np.int64))
    ts_us, value = np.concatenate(instants), np.concatenate(values)
    tag_index = np.concatenate(tags).astype(np.int32)
    status = np.where(np.isnan(value), BAD_NOT_CONNECTED, 0).astype(np.int32)
    order = np.lexsort((tag_index, ts_us))
    return Chunk(tag_index[order], ts_us[order], value[order], status[order], records)


def _without_outages(
    ts: Instants, outages: tuple[Outage, ...], source: str, start_us: int, end_us: int
) -> tuple[Instants, Instants]:
    """Return the good instants and those of bad rows; a source reports anew when it is back."""
    bad: list[int] = []
    for outage in outages:
        if outage.source != source or outage.end_us < start_us or outage.start_us >= end_us:
            continue
        ts = ts[(ts < outage.start_us) | (ts >= outage.end_us)]
        if start_us <= outage.end_us < end_us:
            ts = np.union1d(ts, [outage.end_us])
        if outage.announced and start_us <= outage.start_us:
            bad.append(outage.start_us)
    return ts, np.array(bad, np.int64)
