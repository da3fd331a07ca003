"""What a tag shows at any instant: the same function serves history and the live servers."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from simulators.clock import QUARTER_US, Instants
from simulators.energy import Feed
from simulators.logs import Log, Output, Parts
from simulators.model import Register
from simulators.noise import Floats, uniform

COUNTER_MODULUS = 2**32


class Signal(Protocol):
    """A value over time that also knows when something happened to it."""

    def at(self, instants_us: Instants) -> Floats:
        """Return the value at each instant."""

    def changes(self, start_us: int, end_us: int) -> Instants:
        """Return the instants in [start, end) at which a row is due besides the heartbeat."""

    def since(self, instant_us: int) -> int:
        """Return the source time [µs] of the value that holds at an instant."""


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """A value that changes by event: a state or a product number."""

    edges_us: Instants
    value: Floats

    def at(self, instants_us: Instants) -> Floats:
        """Return the value at each instant."""
        return self.value[np.searchsorted(self.edges_us, instants_us, side="right") - 1]

    def changes(self, start_us: int, end_us: int) -> Instants:
        """Return the instants of change."""
        return _between(self.edges_us, start_us, end_us)

    def since(self, instant_us: int) -> int:
        """Return the last change."""
        return int(self.edges_us[np.searchsorted(self.edges_us, instant_us, side="right") - 1])


@dataclass(frozen=True, slots=True, eq=False)
class Count:
    """A 32-bit register of pieces or kg; snapshots are the changes of product."""

    output: Output
    snapshots_us: Instants
    start: int
    rejects: bool

    def at(self, instants_us: Instants) -> Floats:
        """Return the register at each instant."""
        made = (self.output.reject if self.rejects else self.output.total)(instants_us)
        return np.asarray((self.start + made) % COUNTER_MODULUS, np.float64)

    def changes(self, start_us: int, end_us: int) -> Instants:
        """Return the instants of product change, where a controller stores its counters."""
        return _between(self.snapshots_us, start_us, end_us)

    def since(self, instant_us: int) -> int:
        """Return the completion of the last piece; a flow has none and is of this instant."""
        if not isinstance(self.output, Parts):
            return instant_us
        done = int(np.searchsorted(self.output.instants_us, instant_us, side="right"))
        return int(self.output.instants_us[done - 1]) if done else instant_us


@dataclass(frozen=True, slots=True, eq=False)
class Energy:
    """A meter's register, quantised and with its modulus, in register units."""

    feed: Feed
    register: Register

    def raw(self, instants_us: Instants) -> Instants:
        """Return the register's own integer."""
        step = self.register.ratio * self.register.scale
        counted = np.floor(self.feed.total(instants_us) / step).astype(np.int64)
        return (self.register.start + counted) % self.register.modulus

    def at(self, instants_us: Instants) -> Floats:
        """Return the register after its scale."""
        return np.asarray(self.raw(instants_us) * self.register.scale)

    def changes(self, start_us: int, end_us: int) -> Instants:
        """Return no instants: meters are read on the quarter hour."""
        return np.empty(0, np.int64)

    def since(self, instant_us: int) -> int:
        """Return the instant itself."""
        return instant_us


@dataclass(frozen=True, slots=True, eq=False)
class Power:
    """A meter's power as the float32 that it sends."""

    feed: Feed

    def at(self, instants_us: Instants) -> Floats:
        """Return the rate [meter units per hour]."""
        return self.feed.power(instants_us).astype(np.float32).astype(np.float64)

    def changes(self, start_us: int, end_us: int) -> Instants:
        """Return no instants: meters are read on the quarter hour."""
        return np.empty(0, np.int64)

    def since(self, instant_us: int) -> int:
        """Return the instant itself."""
        return instant_us


@dataclass(frozen=True, slots=True, eq=False)
class Analogue:
    """A value that follows the power of a machine and is never still: its power, a temperature.

    It moves from at_rest to at_full as the machine goes from nothing to full_kw; from one quarter
    of an hour to the next it changes by up to noise, either way.
    """

    log: Log
    stream: int
    full_kw: float
    at_rest: float
    at_full: float
    noise: float
    digits: int = 1

    def at(self, instants_us: Instants) -> Floats:
        """Return the value at each instant."""
        load = self.log.kw[self.log.index(instants_us)] / self.full_kw
        moving = 2 * uniform(self.stream, instants_us // QUARTER_US) - 1
        value = self.at_rest + (self.at_full - self.at_rest) * load + self.noise * moving
        return np.asarray(np.round(np.maximum(value, 0.0), self.digits))

    def changes(self, start_us: int, end_us: int) -> Instants:
        """Return no instants: it is stored at its heartbeat."""
        return np.empty(0, np.int64)

    def since(self, instant_us: int) -> int:
        """Return the last change of the machine's power or the last quarter hour."""
        edge = int(self.log.edges_us[self.log.index(np.array([instant_us], np.int64))[0]])
        return max(edge, instant_us // QUARTER_US * QUARTER_US)


@dataclass(frozen=True, slots=True, eq=False)
class Load(Analogue):
    """The power that one machine draws, as its controller shows it [kW]."""

    def changes(self, start_us: int, end_us: int) -> Instants:
        """Return the instants at which the power changes."""
        return _between(self.log.edges_us, start_us, end_us)


@dataclass(frozen=True, slots=True)
class Alive:
    """The link of a business system that never goes down."""

    def at(self, instants_us: Instants) -> Floats:
        """Return 1 for each instant."""
        return np.ones(len(instants_us))

    def changes(self, start_us: int, end_us: int) -> Instants:
        """Return no instants."""
        return np.empty(0, np.int64)

    def since(self, instant_us: int) -> int:
        """Return the instant itself."""
        return instant_us


def state_signal(log: Log, raw: Floats) -> Steps:
    """Return the controller's state number; raw holds it by state code."""
    return _steps(log.edges_us, raw[log.state])


def product_signal(log: Log) -> Steps:
    """Return the product number."""
    return _steps(log.edges_us, log.product.astype(np.float64))


def _steps(edges_us: Instants, value: Floats) -> Steps:
    changed = np.flatnonzero(np.diff(value, prepend=np.nan) != 0)
    return Steps(edges_us[changed], value[changed])


def _between(instants_us: Instants, start_us: int, end_us: int) -> Instants:
    low, high = np.searchsorted(instants_us, (start_us, end_us), side="left")
    return instants_us[low:high]
