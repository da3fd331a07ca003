"""A plant: one scenario placed in time, with its logs, meters, business events and tags."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np

from simulators import (
    clock,
    energy,
    finance,
    gateway,
    history,
    logs,
    monthly,
    noise,
    orders,
    outages,
    planning,
    products,
    program,
    quality,
    records,
    signals,
    states,
    tags,
    troubles,
    truth,
)
from simulators.calendars import WorkCalendar
from simulators.events import Event
from simulators.model import Equipment, Meter, Scenario
from simulators.signals import Signal
from simulators.tags import TagSpec

# A machine's power is never quite still: by this share of its full power.
_FLUTTER = 0.02
MONTHS_BEFORE = 12
MONTHS_AFTER = 12


@dataclass(frozen=True, slots=True)
class Windows:
    """The two years that are compared, as local dates, half-open."""

    baseline: tuple[date, date]
    after: tuple[date, date]


def build(scenario: Scenario, as_of: datetime, horizon_days: int = 40) -> "Plant":
    """Return the plant as it is known at an aware time, able to go on for some days."""
    return Plant(scenario, as_of, horizon_days)


class Plant:
    """All that happens in one factory, as pure functions of its scenario and the time."""

    def __init__(self, scenario: Scenario, as_of: datetime, horizon_days: int) -> None:
        self.scenario = scenario
        self.as_of_us = clock.to_us(as_of)
        month = as_of.astimezone(clock.LOCAL).date().replace(day=1)
        self.renovation = clock.add_months(month, -MONTHS_AFTER)
        self.windows = Windows(
            (clock.add_months(self.renovation, -MONTHS_BEFORE), self.renovation),
            (self.renovation, month),
        )
        self.renovation_day = clock.day_number(self.renovation)
        self.renovation_us = clock.midnight_us(self.renovation_day)
        self.origin_day = clock.day_number(self.windows.baseline[0])
        self.origin_us = clock.midnight_us(self.origin_day)
        # The log day of the origin's first hours has begun on the day before.
        last_day = clock.local_day(self.as_of_us) + horizon_days
        self.days = np.arange(self.origin_day - 1, last_day, dtype=np.int64)
        codes = tuple(each.code for each in scenario.equipment)
        self.calendar = WorkCalendar(scenario.calendar, self.renovation, codes)
        self.logs = {each.code: self._log(each) for each in scenario.equipment}
        self.outputs = {each.code: self._output(each) for each in scenario.equipment}
        self.tags = tags.tags_of(scenario)
        months = range(-MONTHS_BEFORE, MONTHS_AFTER + 1)
        self.outages = outages.outages(
            scenario.links, self.stream("outages"), self.renovation, months
        )

    @property
    def as_of(self) -> datetime:
        """Return the time up to which history is written."""
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.as_of_us)

    @property
    def horizon_us(self) -> int:
        """Return the instant up to which the live plant is known [µs]."""
        return int(min(log.edges_us[-1] for log in self.logs.values()))

    def equipment(self, code: str) -> Equipment:
        """Return a machine or robot by its code."""
        return next(each for each in self.scenario.equipment if each.code == code)

    def networked_from_us(self, asset: str) -> int:
        """Return the instant from which an asset's data reach the city [µs]."""
        late = any(each.code == asset and each.networked_after for each in self.scenario.equipment)
        return self.renovation_us if late else self.origin_us

    def heard_from_us(self, tag: TagSpec) -> int:
        """Return the instant from which a tag's rows reach the city [µs]."""
        return self.renovation_us if tag.is_new else self.networked_from_us(tag.asset)

    @property
    def systems_from_us(self) -> int:
        """Return the instant from which the newer business systems send their records [µs]."""
        first = clock.add_months(self.renovation, self.scenario.systems.from_month)
        return clock.midnight_us(clock.day_number(first))

    @cached_property
    def feeds(self) -> dict[str, energy.Feed]:
        """What each meter measures."""
        edges = clock.grid(int(self.origin_us), self.horizon_us)
        flows = energy.flows_of(self.outputs, self._design_rates())
        consumers = {code: energy.equipment_consumer(log) for code, log in self.logs.items()} | {
            each.name: energy.utility_consumer(
                each, self.stream(each.name), edges, self.renovation_us, self.calendar, flows
            )
            for each in self.scenario.utility
        }
        groups = {"equipment": list(self.logs)}
        return {each.code: energy.feed_of(each, consumers, groups) for each in self.scenario.meter}

    @cached_property
    def signals(self) -> tuple[Signal, ...]:
        """The signal of each tag, in the order of the tags."""
        given = self.scenario.trouble
        return tuple(
            troubles.troubled(tag, self._signal(tag), given, self.renovation) for tag in self.tags
        )

    @cached_property
    def order_lines(self) -> list[orders.OrderLine]:
        """Every order line that matters from the origin on."""
        first = self.origin_day - orders.LONGEST_LEAD_DAYS
        return orders.order_lines(
            self.scenario.orders,
            self.stream("orders"),
            first,
            int(self.days[-1]),
            self.renovation_day,
        )

    @cached_property
    def lots(self) -> list[quality.Lot]:
        """Every lot of final inspection: what the machines that form the OEE have made."""
        found = []
        for each in self.scenario.equipment:
            output = self.outputs[each.code]
            if each.in_oee and output is not None:
                stream, log = self.stream("inspection", each.code), self.logs[each.code]
                found += quality.lots(self.scenario.inspections, stream, each.code, log, output)
        return sorted(found, key=lambda lot: (lot.inspected_us, lot.lot))

    @cached_property
    def months(self) -> list[finance.Month]:
        """The books by month, from the one that closes just before the baseline."""
        count = (clock.day_of(int(self.days[-1])) - self.windows.baseline[0]).days // 28 + 2
        firsts = [clock.add_months(self.windows.baseline[0], at) for at in range(-1, count)]
        stream = self.stream("finance")
        return [
            finance.month(self.scenario.finance, stream, first, self.renovation) for first in firsts
        ]

    @cached_property
    def projects(self) -> list[monthly.Project]:
        """Every development project released from the origin on."""
        first, last = self.windows.baseline[0], clock.day_of(int(self.days[-1]))
        stream = self.stream("projects")
        return monthly.projects(self.scenario.books, stream, first, last, self.renovation)

    @cached_property
    def employees(self) -> dict[date, int]:
        """The people employed at the end of each month, by its first day."""
        people, stream = self.scenario.books.people, self.stream("people")
        return {
            each.first: monthly.employees(people, stream, each.first, self.renovation)
            for each in self.months
        }

    @cached_property
    def events(self) -> list[Event]:
        """Every business event in the order in which the systems send them."""
        return sorted(records.events(self), key=lambda event: event.sent_us)

    def history(self, chunk_days: int = 10) -> Iterator[history.Chunk]:
        """Yield rows and records from the origin up to as_of, chunk after chunk in time."""
        return history.chunks(self, chunk_days)

    def plan(self) -> dict[str, Any]:
        """Return the monitoring plan, promises and self-reports as plan.json has them."""
        return planning.plan(self)

    @cached_property
    def _truth(self) -> truth.Truth:
        return truth.truth(self)

    def truth(self) -> truth.Truth:
        """Return the true KPIs of both windows and of every month, from the event log.

        With them come the findings that the plant's troubles must lead to.
        """
        return self._truth

    def gateway_toml(
        self, opcua_port: int, modbus_port: int, mqtt_port: int, **settings: Any
    ) -> str:
        """Return the gateway file that reads every live tag; see gateway.gateway_toml."""
        return gateway.gateway_toml(self, opcua_port, modbus_port, mqtt_port, **settings)

    def stream(self, *names: str) -> int:
        """Return the key of a named stream of noise."""
        return noise.key(self.scenario.seed, self.scenario.name, *names)

    def _log(self, equipment: Equipment) -> logs.Log:
        conduct = self.scenario.conduct[equipment.conduct]
        stream = self.stream("log", equipment.code)
        numbers = np.array([int(each) for each in equipment.ideal_cycles] or [0], np.int64)
        plan = products.plan(conduct, stream, numbers, self.days, self.calendar.working)
        days = program.Days(
            self.days,
            self.days >= self.renovation_day,
            self.calendar.windows(equipment.code, self.days),
            self.calendar.starts_s,
        )
        return program.log_of(equipment, conduct, days, plan, stream)

    def _output(self, equipment: Equipment) -> logs.Output | None:
        conduct, log = self.scenario.conduct[equipment.conduct], self.logs[equipment.code]
        if conduct.output == "none":
            return None
        if conduct.output == "flow":
            return logs.flow_of(log)
        after = log.day >= self.renovation_day
        scrap = np.where(after, conduct.after.scrap, conduct.before.scrap)
        rework = np.where(after, conduct.after.rework, conduct.before.rework)
        return logs.parts_of(log, self.stream("parts", equipment.code), scrap, rework)

    def _design_rates(self) -> dict[str, float]:
        return {
            each.code: 1 / min(each.ideal_cycles.values())
            for each in self.scenario.equipment
            if each.ideal_cycles
        }

    def _signal(self, tag: TagSpec) -> Signal:
        if tag.role == "link":
            return signals.Alive()
        if tag.source == "modbus":
            return self._meter_signal(tag)
        equipment, log = self.equipment(tag.asset), self.logs[tag.asset]
        if tag.role == "state":
            raw_of = {name: int(raw) for raw, name in self._states(equipment).items()}
            return signals.state_signal(log, np.array([raw_of[n] for n in states.NAMES], float))
        if tag.role == "power":
            return signals.Load(
                *(log, self.stream("power", tag.asset)),
                full_kw=1.0,
                at_rest=0.0,
                at_full=1.0,
                noise=_FLUTTER * equipment.run_kw,
                digits=2,
            )
        if tag.role == "process":
            return self._sensor_signal(tag, equipment)
        product = signals.product_signal(log)
        if tag.role == "product":
            return product
        output = self.outputs[tag.asset]
        assert output is not None
        rejects = tag.role == "reject_count"
        start = equipment.reject_start if rejects else equipment.total_start
        return signals.Count(output, product.edges_us, start, rejects)

    def _sensor_signal(self, tag: TagSpec, equipment: Equipment) -> Signal:
        sensor = next(
            each for each in self.scenario.sensor if f"{each.asset}.{each.name}" == tag.name
        )
        return signals.Analogue(
            *(self.logs[tag.asset], self.stream(tag.name), equipment.run_kw),
            *(sensor.at_rest, sensor.at_full, sensor.noise),
        )

    def _meter_signal(self, tag: TagSpec) -> Signal:
        meter: Meter = next(each for each in self.scenario.meter if each.code == tag.asset)
        feed = self.feeds[meter.code]
        if tag.role == "energy":
            return signals.Energy(feed, meter.energy)
        return signals.Power(feed)

    def _states(self, equipment: Equipment) -> dict[str, str]:
        return self.scenario.states[equipment.states]
