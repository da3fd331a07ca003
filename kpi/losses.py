"""The loss waterfall: where the calendar time of the machines goes, down to good units.

Steps are counted in whole microseconds, so that what is lost and what is left add up exactly.

References
----------
[1] ISO 22400-2:2014, time model of a work unit: POT, PDOT, PBT, APT, ASUT, ADET, ADOT.
[2] S. Nakajima, Introduction to TPM, Productivity Press, 1988: the losses between the levels.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from kpi.errors import NotComputable
from kpi.figures.basis import Evidence

# Each loss with the level that is left below it.
LOSSES = (
    ("off", None),
    ("planned_down", "planned"),
    ("setup", None),
    ("stop", None),
    ("idle", None),
    ("unknown", "run"),
    ("speed", "ideal"),
    ("quality", "good"),
)
_HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Step:
    """A level or a loss; a negative loss is a gain, as speed is beyond the ideal cycle's."""

    name: str
    kind: str
    microseconds: int
    hours: float
    share: float


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Levels and losses from calendar time to good units, over the machines that form OEE.

    `uncounted_hours` are planned hours in which nobody counted: their output is unknown and
    appears among the losses of speed, as unknown hours of state do among those of time.
    `doubtful_run_hours` may not have been run, and `doubtful_other_hours` of setup, stop and idle
    time may have been: a row that was due then was lost, so that the state was held over a gap.
    """

    machines: int
    uncounted_hours: float
    doubtful_run_hours: float
    doubtful_other_hours: float
    steps: tuple[Step, ...]

    def hours(self, name: str) -> float:
        """Return the hours of a level or a loss."""
        return next(step.hours for step in self.steps if step.name == name)


def waterfall(evidence: Evidence, start: date, end: date) -> Waterfall:
    """Return the waterfall of the production days of [start, end), as far as they have come.

    Raises NotComputable where no machine forms OEE, no time has passed or no fact exists.

    References: [1], [2].
    """
    assets = [asset for asset in evidence.plan.assets if asset.in_oee]
    if not assets:
        raise NotComputable("no equipment is registered to form OEE; name it in the plan")
    calendar_s = len(assets) * evidence.production_seconds(start, end)
    if calendar_s <= 0:
        raise NotComputable("no hour of the period has ended yet, or the plan begins later")
    by_asset = evidence.produced(assets, start, end)
    planned = evidence.planned(assets, start, end)
    missing = np.maximum(planned - by_asset["planned_s"], 0.0)
    if not by_asset["known_s"].any():
        raise NotComputable("nothing was heard of the machines in the period; load its data")
    sums = {name: float(each.sum()) for name, each in by_asset.items()}
    sums |= {
        "calendar_s": calendar_s,
        "planned_s": float(planned.sum()),
        "planned_down_s": float(evidence.down(assets, start, end).sum()),
    }
    uncounted_s = sums["uncounted_s"] + float(missing.sum())
    return Waterfall(
        machines=len(assets),
        uncounted_hours=uncounted_s / 3600,
        doubtful_run_hours=sums["run_doubt_s"] / 3600,
        doubtful_other_hours=sums["rest_doubt_s"] / 3600,
        steps=steps(sums),
    )


def steps(sums: Mapping[str, float]) -> tuple[Step, ...]:
    """Return levels and losses from sums [s]; each level is the one above it less its losses.

    Time that is neither off nor filed nor in a known state is unknown, whatever the facts lack.
    """
    level_us = {name: round(sums[f"{name}_s"] * 1e6) for name in ("calendar", "planned", "run")}
    level_us["ideal"] = round(sums["ideal_total_s"] * 1e6)
    level_us["good"] = round(sums["ideal_good_s"] * 1e6)
    lost_us = {
        name: round(sums[f"{name}_s"] * 1e6) for name in ("planned_down", "setup", "stop", "idle")
    }
    # What is not known is what the known leaves of the level.
    lost_us["off"] = level_us["calendar"] - level_us["planned"] - lost_us["planned_down"]
    in_state = level_us["run"] + lost_us["setup"] + lost_us["stop"] + lost_us["idle"]
    lost_us["unknown"] = level_us["planned"] - in_state
    lost_us["speed"] = level_us["run"] - level_us["ideal"]
    lost_us["quality"] = level_us["ideal"] - level_us["good"]
    whole = level_us["calendar"]
    found = [_step("calendar", "level", whole, whole)]
    for loss, below in LOSSES:
        found.append(_step(loss, "loss", lost_us[loss], whole))
        if below is not None:
            found.append(_step(below, "level", level_us[below], whole))
    return tuple(found)


def _step(name: str, kind: str, microseconds: int, whole: int) -> Step:
    return Step(name, kind, microseconds, microseconds / _HOUR_US, microseconds / whole)
