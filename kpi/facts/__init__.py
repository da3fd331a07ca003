"""Hour facts: additive sums of one asset and hour, from its rows and its calendar.

Planned busy time is split by state; counts become ideal seconds (count x ideal cycle of the
product made), so that unlike products add up; energy is the increase of the register. What is not
known widens low and high and is never filled in.
"""

import numpy as np

from kpi.calendar import Calendar
from kpi.facts.basis import HOUR_US, AssetPlan, Columns, Readings, Window
from kpi.facts.counts import count_facts
from kpi.facts.energy import energy_facts
from kpi.facts.rows import row_facts
from kpi.facts.times import time_facts
from store.canonical import Rows

__all__ = ["AssetPlan", "Window", "asset_facts"]

# About a millionth, and a power of two: sums of such numbers are exact in any order, so that the
# same facts give the same figure to the last digit however the database adds them up.
_GRID = 2.0**-20


def asset_facts(plan: AssetPlan, rows: Rows, calendar: Calendar, window: Window) -> Columns:
    """Return the hour facts of an asset as columns, one element an hour.

    `rows` are those of the window and, per tag, the neighbours before and after it. Quantities in
    pieces or the carrier's unit, times in seconds; quantities that the asset does not have are NaN.
    """
    readings = Readings.of(plan, rows)
    facts: Columns = {"hour_us": window.start_us + HOUR_US * np.arange(window.hours)}
    flags = np.zeros(window.hours, np.int64)
    facts |= time_facts(readings, calendar, window)
    facts |= count_facts(readings, calendar, window, flags)
    facts |= energy_facts(readings, window, flags)
    facts |= {
        name: np.round(column / _GRID) * _GRID
        for name, column in facts.items()
        if column.dtype.kind == "f"
    }
    facts |= row_facts(plan, rows, window)
    facts["flags"] = flags
    return facts
