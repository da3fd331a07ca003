"""The event log of one piece of equipment: segments that tile the time, and what it made."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulators import noise, states
from simulators.clock import SECOND_US, Instants
from simulators.errors import BeyondHorizon
from simulators.noise import Floats, Integers

GOOD, SCRAP, REWORK = range(3)


@dataclass(frozen=True, slots=True, eq=False)
class Log:
    """Segments: segment i lasts from edges_us[i] to edges_us[i + 1] without a gap."""

    edges_us: Instants
    state: npt.NDArray[np.int8]
    product: npt.NDArray[np.int16]
    day: npt.NDArray[np.int64]
    # Pieces or kg per second, the share of it that is rejected, and the power drawn.
    rate: Floats
    reject: Floats
    kw: Floats

    def index(self, instants_us: Instants) -> Integers:
        """Return the segment that holds each instant; BeyondHorizon outside the log."""
        if len(instants_us) and not (
            self.edges_us[0] <= instants_us.min() and instants_us.max() < self.edges_us[-1]
        ):
            raise BeyondHorizon("the instant lies outside the simulated time; build a longer plant")
        return np.searchsorted(self.edges_us, instants_us, side="right") - 1

    def duration_s(self) -> Floats:
        """Return the length of each segment [s]."""
        return np.asarray(np.diff(self.edges_us) / SECOND_US)


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Finished pieces in order of their completion; fate is GOOD, SCRAP or REWORK."""

    instants_us: Instants
    product: npt.NDArray[np.int16]
    fate: npt.NDArray[np.int8]
    # A block is a run of one product within one log day.
    block: Integers
    rejects: Integers

    def total(self, instants_us: Instants) -> Integers:
        """Return how many pieces were complete at each instant."""
        return np.searchsorted(self.instants_us, instants_us, side="right").astype(np.int64)

    def reject(self, instants_us: Instants) -> Integers:
        """Return how many of the complete pieces were scrap or rework."""
        return self.rejects[self.total(instants_us)]


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """Output without pieces [kg], cumulative at the edges of the log."""

    edges_us: Instants
    made: Floats
    rejected: Floats

    def total(self, instants_us: Instants) -> Integers:
        """Return the whole kg made up to each instant."""
        return np.floor(np.interp(instants_us, self.edges_us, self.made)).astype(np.int64)

    def reject(self, instants_us: Instants) -> Integers:
        """Return the whole off-grade kg up to each instant."""
        return np.floor(np.interp(instants_us, self.edges_us, self.rejected)).astype(np.int64)


Output = Parts | Flow


def flow_of(log: Log) -> Flow:
    """Return the output of a log whose rates are kg/s."""
    made = log.duration_s() * log.rate
    return Flow(log.edges_us, _cumulative(made), _cumulative(made * log.reject))


def parts_of(log: Log, stream: int, scrap: Floats, rework: Floats) -> Parts:
    """Return the pieces of a log; scrap and rework are the shares in each segment.

    A piece that is unfinished when its block ends is lost: it was the first piece of the next
    set-up.
    """
    progress = _cumulative(log.duration_s() * log.rate)
    starts = _block_starts(log)
    ends = np.append(starts[1:], len(log.state))
    counts = np.floor(progress[ends] - progress[starts]).astype(np.int64)
    block = np.repeat(np.arange(len(starts)), counts)
    number = np.arange(len(block)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    at = np.interp(progress[starts][block] + number, progress, log.edges_us)
    instants = np.maximum.accumulate(at.astype(np.int64))
    segment = starts[block]
    share = noise.uniform(stream, log.day[segment], log.product[segment], number)
    bad = scrap[segment] + rework[segment]
    fate = np.where(share < scrap[segment], SCRAP, np.where(share < bad, REWORK, GOOD))
    rejects = np.concatenate([[0], np.cumsum(fate != GOOD)])
    return Parts(instants, log.product[segment], fate.astype(np.int8), block, rejects)


def runs(log: Log) -> npt.NDArray[np.bool_]:
    """Return which segments are production."""
    return np.asarray(log.state == states.RUN)


def _block_starts(log: Log) -> Integers:
    change = (np.diff(log.day) != 0) | (np.diff(log.product) != 0)
    return np.concatenate([[0], np.flatnonzero(change) + 1]).astype(np.int64)


def _cumulative(amounts: Floats) -> Floats:
    return np.concatenate([[0.0], np.cumsum(amounts)])
