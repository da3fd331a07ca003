"""True energy: sums of consumers whose rates are constant over pieces of time.

A rate is meter units per hour (kW, m³/h, MJ/h), so that its integral over hours is what the
meter shows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simulators import noise
from simulators.calendars import WorkCalendar
from simulators.clock import DAY_US, OFFSET_US, QUARTER_US, SECOND_US, Instants
from simulators.errors import ScenarioError
from simulators.logs import Flow, Log, Output
from simulators.model import Meter, Utility
from simulators.noise import Floats

_HOUR_US = 3600 * SECOND_US


@dataclass(frozen=True, slots=True, eq=False)
class Consumer:
    """A rate that is constant between edges, and its integral at the edges."""

    edges_us: Instants
    rate: Floats
    used: Floats

    def total(self, instants_us: Instants) -> Floats:
        """Return what was used from the first edge up to each instant [meter units]."""
        return np.interp(instants_us, self.edges_us, self.used)

    def power(self, instants_us: Instants) -> Floats:
        """Return the rate at each instant [meter units per hour]."""
        return self.rate[np.searchsorted(self.edges_us, instants_us, side="right") - 1]


@dataclass(frozen=True, slots=True, eq=False)
class Feed:
    """What one meter measures: consumers with the share that flows through it."""

    parts: tuple[tuple[float, Consumer], ...]

    def total(self, instants_us: Instants) -> Floats:
        """Return what flowed up to each instant [meter units]."""
        return np.asarray(sum(share * part.total(instants_us) for share, part in self.parts))

    def power(self, instants_us: Instants) -> Floats:
        """Return the rate at each instant [meter units per hour]."""
        return np.asarray(sum(share * part.power(instants_us) for share, part in self.parts))


def consumer(edges_us: Instants, rate: Floats) -> Consumer:
    """Return a consumer from its rates [meter units per hour] between edges."""
    used = np.concatenate([[0.0], np.cumsum(np.diff(edges_us) / _HOUR_US * rate)])
    return Consumer(edges_us, rate, used)


def equipment_consumer(log: Log) -> Consumer:
    """Return the electricity of one asset [kWh]."""
    return consumer(log.edges_us, log.kw)


def utility_consumer(
    utility: Utility,
    stream: int,
    edges_us: Instants,
    renovation_us: int,
    calendar: WorkCalendar,
    flows: Sequence[tuple[Flow, float]],
) -> Consumer:
    """Return a utility by quarter hours; flows come with their design rate [kg/s].

    Output is served at a specific rate that grows as the load falls (droop), because boilers
    and pumps lose a constant part.
    """
    starts = edges_us[:-1]
    local = starts + OFFSET_US
    day, second = local // DAY_US, (local % DAY_US) / SECOND_US
    on = calendar.working(day) & (second >= calendar.starts_s)
    spill = calendar.starts_s + calendar.length_s - 86_400
    on |= calendar.working(day - 1) & (second < spill)
    rate = np.where(on, utility.shift_rate, utility.off_rate)
    rate = rate * (1 + utility.season * np.cos(2 * np.pi * (day % 365.25 - 200) / 365.25))
    rate = rate * (1 + utility.noise * (2 * noise.uniform(stream, starts // QUARTER_US) - 1))
    if utility.per_output:
        made = sum(np.diff(np.interp(edges_us, flow.edges_us, flow.made)) for flow, _ in flows)
        kg_per_s = np.asarray(made) / (QUARTER_US / SECOND_US)
        load = np.minimum(kg_per_s / sum(design for _, design in flows), 1.0)
        rate = rate + utility.per_output * 3600 * kg_per_s * (1 + utility.droop * (1 - load) ** 2)
    return consumer(edges_us, rate * np.where(starts < renovation_us, utility.before, 1.0))


def feed_of(
    meter: Meter, consumers: Mapping[str, Consumer], groups: Mapping[str, list[str]]
) -> Feed:
    """Return what a meter measures; ScenarioError names a consumer that does not exist."""
    parts = []
    for name, share in meter.feeds.items():
        for each in groups.get(name, [name]):
            if each not in consumers:
                raise ScenarioError(f"meter {meter.code}: feeds has no consumer {each!r}")
            parts.append((share, consumers[each]))
    return Feed(tuple(parts))


def flows_of(
    outputs: Mapping[str, Output | None], design: Mapping[str, float]
) -> list[tuple[Flow, float]]:
    """Return the flows among some outputs with their design rates [kg/s]."""
    return [(out, design[code]) for code, out in outputs.items() if isinstance(out, Flow)]
