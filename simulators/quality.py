"""Final inspection: every piece or kg that a machine counted belongs to exactly one lot.

So the totals of the lots equal the machines' counters, and within a window they differ only
by what was made before its edge and inspected after it: at most one lot per machine.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulators import clock, noise
from simulators.events import Event
from simulators.logs import REWORK, SCRAP, Flow, Log, Output, Parts
from simulators.model import Inspections
from simulators.noise import Integers

_FIRST_PIECE_US = 300 * clock.SECOND_US


@dataclass(frozen=True, slots=True)
class Lot:
    """One lot with its disposition, in pieces or kg."""

    lot: str
    asset: str
    product: int
    total: int
    scrap: int
    rework: int
    inspected_us: int
    # From the end of the piece before it to the end of its last one.
    started_us: int = 0
    ended_us: int = 0

    @property
    def good(self) -> int:
        """Return what passed at once."""
        return self.total - self.scrap - self.rework


def lots(rules: Inspections, stream: int, asset: str, log: Log, output: Output) -> list[Lot]:
    """Return the lots of one asset in order of their inspection."""
    if isinstance(output, Parts):
        return _piece_lots(rules.pieces, stream, asset, log, output)
    return _flow_lots(rules, stream, asset, log, output)


def event(lot: Lot, measured: dict[str, Any] | None = None) -> Event:
    """Return the message that the quality system sends when a lot is inspected.

    What a device measured of it is added to the result.
    """
    at = clock.iso(lot.inspected_us)
    body = {
        "lot": lot.lot,
        "asset": lot.asset,
        "product": lot.product,
        "operation": "final",
        "total": lot.total,
        "passed_first": lot.good,
        "scrap": lot.scrap,
        "rework": lot.rework,
        "inspected_at": at,
    } | (measured or {})
    return Event(lot.inspected_us, "mes/inspection", "inspection", lot.lot, at, body)


def _piece_lots(pieces: int, stream: int, asset: str, log: Log, parts: Parts) -> list[Lot]:
    if not len(parts.block):
        return []
    first = np.flatnonzero(np.diff(parts.block, prepend=-1))
    within = np.arange(len(parts.block)) - np.repeat(
        first, np.diff(np.append(first, len(parts.block)))
    )
    start = np.flatnonzero(within % pieces == 0)
    end = np.append(start[1:], len(parts.block))
    finished = parts.instants_us[end - 1]
    first_done = parts.instants_us[start]
    # The lot before it has ended by then; a set-up before the first piece is no part of the lot.
    began = np.maximum(parts.instants_us[np.maximum(start - 1, 0)], first_done - _FIRST_PIECE_US)
    day = log.day[log.index(finished)]
    wait_s = noise.between(900, 2700, noise.uniform(stream, finished // clock.SECOND_US))
    inspected = (finished // clock.SECOND_US + wait_s.astype(np.int64)) * clock.SECOND_US
    scrap = np.add.reduceat((parts.fate == SCRAP).astype(np.int64), start)
    rework = np.add.reduceat((parts.fate == REWORK).astype(np.int64), start)
    number = within[start] // pieces + 1
    return [
        Lot(
            f"{asset}-{clock.day_of(day[at]):%y%m%d}-{parts.product[start[at]]}-{number[at]:02d}",
            asset,
            int(parts.product[start[at]]),
            int(end[at] - start[at]),
            int(scrap[at]),
            int(rework[at]),
            int(inspected[at]),
            int(began[at]),
            int(finished[at]),
        )
        for at in range(len(start))
    ]


def _flow_lots(rules: Inspections, stream: int, asset: str, log: Log, flow: Flow) -> list[Lot]:
    step = round(rules.hours * 3600) * clock.SECOND_US
    edges = clock.grid(int(log.edges_us[0]), int(log.edges_us[-1]), step)
    total, bad = np.diff(flow.total(edges)), np.diff(flow.reject(edges))
    scrap = np.rint(bad * rules.flow_scrap_share).astype(np.int64)
    wait_s = noise.between(300, 1500, noise.uniform(stream, edges[1:] // step)).astype(np.int64)
    # The lot carries the grade that runs when it is drawn.
    product: Integers = log.product[log.index(edges[1:] - 1)].astype(np.int64)
    return [
        Lot(
            f"{asset}-{clock.to_datetime(int(edges[at])):%y%m%d%H%M}",
            asset,
            int(product[at]),
            int(total[at]),
            int(scrap[at]),
            int(bad[at] - scrap[at]),
            int(edges[at + 1] + wait_s[at] * clock.SECOND_US),
            int(edges[at]),
            int(edges[at + 1]),
        )
        for at in np.flatnonzero(total > 0).tolist()
    ]
