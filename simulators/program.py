"""What a piece of equipment does all day, laid out for many days at once.

A log day is a row of slots: run, interruption, and the steps of the start-up after it. The
slots are laid end to end into the day's time for work and cut where that ends.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulators import noise, states
from simulators.calendars import Windows
from simulators.clock import DAY_S, OFFSET_US, SECOND_US
from simulators.logs import Log
from simulators.model import Conduct, Equipment, Phase
from simulators.noise import Floats, Integers
from simulators.products import ProductPlan

_MS_US = 1000


@dataclass(frozen=True, slots=True)
class Days:
    """The log days to lay out: numbers, which lie after the renovation, and time for work."""

    number: Integers
    after: npt.NDArray[np.bool_]
    windows: Windows
    starts_s: int


@dataclass(slots=True)
class _Slots:
    """Columns of [day, slot, part]: length [s], state, product, speed and reject shares."""

    length: Floats
    state: npt.NDArray[np.int8]
    product: Integers
    speed: Floats
    reject: Floats


def log_of(
    equipment: Equipment, conduct: Conduct, days: Days, plan: ProductPlan, stream: int
) -> Log:
    """Return the event log of one asset over consecutive log days."""
    if conduct.recipe:
        slots = _recipe_slots(conduct, days, plan, stream)
    else:
        slots = _slots(conduct, days, plan, stream)
    return _lay(equipment, days, plan, slots)


def _slots(conduct: Conduct, days: Days, plan: ProductPlan, stream: int) -> _Slots:
    phases = (conduct.before, conduct.after)
    count = max(_slot_count(phase) for phase in phases)
    steps = max(len(phase.ramp) for phase in phases)
    slots = _Slots(
        np.zeros((len(days.number), count, 2 + steps)),
        np.full((len(days.number), count, 2 + steps), states.RUN, np.int8),
        np.repeat(plan.first, count * (2 + steps)).reshape(-1, count, 2 + steps),
        np.zeros((len(days.number), count, 2 + steps)),
        np.zeros((len(days.number), count, 2 + steps)),
    )
    for phase, chosen in zip(phases, (~days.after, days.after), strict=True):
        _fill(slots, phase, chosen, days.number[chosen], stream)
    for number, (at, product) in enumerate(
        ((plan.second_at, plan.second), (plan.third_at, plan.third))
    ):
        setup_s = _setup_s(days, noise.uniform(stream, days.number, 20, number), phases)
        _change(slots, days, at, product, setup_s)
    return slots


def _slot_count(phase: Phase) -> int:
    mean = sum(kind.share * (kind.from_s + kind.to_s) / 2 for kind in phase.interruption)
    return int(1.5 * DAY_S / (phase.run_mean_s + mean)) + 12


def _fill(
    slots: _Slots, phase: Phase, chosen: npt.NDArray[np.bool_], number: Integers, stream: int
) -> None:
    day, slot = number[:, None], np.arange(slots.length.shape[1])[None, :]
    run = -phase.run_mean_s * np.log(noise.uniform(stream, day, slot, 10))
    slots.length[chosen, :, 0] = np.clip(run, 30.0, 5 * phase.run_mean_s)
    kind = np.searchsorted(
        np.cumsum([each.share for each in phase.interruption])[:-1],
        noise.uniform(stream, day, slot, 11),
    )
    low = np.array([each.from_s for each in phase.interruption])[kind]
    high = np.array([each.to_s for each in phase.interruption])[kind]
    stop_s = noise.between(low, high, noise.uniform(stream, day, slot, 12))
    slots.length[chosen, :, 1] = stop_s
    codes = np.array([states.CODES[each.state] for each in phase.interruption], np.int8)
    slots.state[chosen, :, 1] = codes[kind]
    load = 1 + phase.load_spread * (2 * noise.uniform(stream, number // 7, 13)[:, None] - 1)
    spread = 1 + phase.speed_spread * (2 * noise.uniform(stream, day, slot, 14) - 1)
    speed = phase.speed * load * spread
    slots.speed[chosen, :, 0] = speed
    bad = (phase.scrap + phase.rework) * (0.5 + noise.uniform(stream, day, slot, 15))
    slots.reject[chosen, :, 0] = bad
    for at, step in enumerate(phase.ramp, start=2):
        slots.length[chosen, :, at] = np.where(stop_s >= phase.ramp_after_s, step.seconds, 0.0)
        slots.speed[chosen, :, at] = speed * step.speed
        slots.reject[chosen, :, at] = step.reject


def _setup_s(days: Days, share: Floats, phases: tuple[Phase, Phase]) -> Floats:
    before, after = phases
    return np.where(
        days.after,
        noise.between(after.setup_from_s, after.setup_to_s, share),
        noise.between(before.setup_from_s, before.setup_to_s, share),
    )


def _change(slots: _Slots, days: Days, at: Floats, product: Integers, setup_s: Floats) -> None:
    changing = np.flatnonzero(~np.isnan(at) & (days.windows.close_s > days.windows.open_s))
    if not len(changing):
        return
    target = at[changing] * (days.windows.close_s - days.windows.open_s)[changing]
    whole = slots.length[changing].sum(axis=2)
    ends = np.cumsum(whole, axis=1)
    slot = np.argmax(ends >= target[:, None], axis=1)
    row = np.arange(len(changing))
    # A run that would go on beyond the change is cut there.
    left_s = target - (ends - whole)[row, slot]
    slots.length[changing, slot, 0] = np.minimum(slots.length[changing, slot, 0], left_s)
    slots.length[changing, slot, 1] = setup_s[changing]
    slots.state[changing, slot, 1] = states.SETUP
    # The new product counts from the start of the set-up, so only the slot's run is old.
    later = np.arange(slots.length.shape[1])[None, :] > slot[:, None]
    new = np.repeat(later[:, :, None], slots.length.shape[2], axis=2)
    new[row, slot, 1:] = True
    slots.product[changing] = np.where(
        new, product[changing][:, None, None], slots.product[changing]
    )


def _recipe_slots(conduct: Conduct, days: Days, plan: ProductPlan, stream: int) -> _Slots:
    recipe = conduct.recipe * conduct.batches_a_day
    hours = np.array([step.hours for step in recipe])
    shape = (len(days.number), len(recipe), 1)
    share = noise.uniform(stream, days.number[:, None], np.arange(len(hours))[None, :], 16)
    length = hours * noise.between(0.9, 1.1, share)
    length *= DAY_S / length.sum(axis=1, keepdims=True)
    state = np.array([states.CODES[step.state] for step in recipe], np.int8)
    speed = np.array([step.speed for step in recipe])
    return _Slots(
        length[:, :, None],
        np.broadcast_to(state[None, :, None], shape).copy(),
        np.repeat(plan.first, len(recipe)).reshape(shape),
        np.broadcast_to(speed[None, :, None], shape).copy(),
        np.zeros(shape),
    )


def _lay(equipment: Equipment, days: Days, plan: ProductPlan, slots: _Slots) -> Log:
    """Lay the slots of each day into its window and join the days."""
    open_s, close_s = days.windows.open_s[:, None], days.windows.close_s[:, None]
    count = len(days.number)
    ends = np.minimum(open_s + np.cumsum(slots.length.reshape(count, -1), axis=1), close_s)
    ends[:, -1] = close_s[:, 0]
    day_end = np.full((count, 1), float(days.starts_s + DAY_S))
    ends = np.concatenate([open_s, ends, day_end], axis=1)
    last = np.where(np.isnan(plan.third_at), plan.second, plan.third)[:, None]
    before = np.where(days.windows.stopped, states.PLANNED_DOWN, states.IDLE)[:, None]
    off = np.full((count, 1), states.IDLE)
    nothing = np.zeros((count, 1))
    state = np.concatenate([before, slots.state.reshape(count, -1), off], axis=1)
    product = np.concatenate([plan.first[:, None], slots.product.reshape(count, -1), last], axis=1)
    speed = np.concatenate([nothing, slots.speed.reshape(count, -1), nothing], axis=1)
    reject = np.concatenate([nothing, slots.reject.reshape(count, -1), nothing], axis=1)
    shift = np.concatenate([nothing, np.ones((count, state.shape[1] - 2)), nothing], axis=1)
    # Whole milliseconds: state rows carry the instant of the event as controllers print it.
    offset_us = days.number[:, None] * (DAY_S * SECOND_US) - OFFSET_US
    ends_us = offset_us + np.rint(ends * 1000).astype(np.int64) * _MS_US
    starts_us = np.concatenate([offset_us + days.starts_s * SECOND_US, ends_us[:, :-1]], axis=1)
    kept = ends_us > starts_us
    state, product, speed = state[kept].astype(np.int8), product[kept], speed[kept]
    speed = np.where(state == states.RUN, speed, 0.0)
    return Log(
        np.append(starts_us[kept], ends_us[-1, -1]),
        state,
        product.astype(np.int16),
        np.broadcast_to(days.number[:, None], kept.shape)[kept],
        speed / _ideal_cycles(equipment, product),
        reject[kept],
        _power_kw(equipment, state, speed, shift[kept] > 0),
    )


def _ideal_cycles(equipment: Equipment, product: Integers) -> Floats:
    cycles = {int(number): cycle for number, cycle in equipment.ideal_cycles.items()}
    if not cycles:
        return np.full(len(product), equipment.cycle_s or np.inf)
    table = np.full(max(cycles) + 1, np.inf)
    table[list(cycles)] = list(cycles.values())
    return np.asarray(table[product])


def _power_kw(
    equipment: Equipment, state: npt.NDArray[np.int8], speed: Floats, shift: npt.NDArray[np.bool_]
) -> Floats:
    # A running machine has a fixed part of its power; the rest follows its speed.
    running = equipment.run_kw * (0.4 + 0.6 * speed)
    awake = np.where(state == states.RUN, running, equipment.idle_kw)
    awake = np.where(state == states.SETUP, equipment.idle_kw * 1.2, awake)
    return np.where(shift & (state != states.PLANNED_DOWN), awake, equipment.standby_kw)
