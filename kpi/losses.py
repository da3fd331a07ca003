"""The loss waterfall: where the calendar time of the machines goes, down to good units.

Steps are counted in whole microseconds, so that what is lost and what is left add up exactly.

References
----------
[1] ISO 22400-2:2014, time model of a work unit: POT, PDOT, PBT, APT, ASUT, ADET, ADOT.
[2] S. Nakajima, Introduction to TPM, Productivity Press, 1988: the losses between the levels.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from kpi.errors import NotComputable
from kpi.figures.basis import Evidence, counts_good_only

# Each loss with the level that is left below it.
LOSSES = (
    ("off", None),
    ("planned_down", "planned"),
    ("setup", None),
    ("stop", None),
    ("idle", None),
    ("unknown", "run"),
    ("speed", None),
    ("speed_or_quality", "ideal"),
    ("quality", "good"),
)
_HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Step:
    """A level or a loss; a negative loss is a gain, as speed is beyond the ideal cycle's.

    A loss that nobody measured has no hours and no share: nought among the microseconds, which add
    up, says nothing of it.
    """

    name: str
    kind: str
    microseconds: int
    hours: float | None
    share: float | None


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Levels and losses from calendar time to good units, over the machines that form OEE.

    `uncounted_hours` are planned hours in which nobody counted: their output is unknown and
    appears among the losses of speed, as unknown hours of state do among those of time.
    `doubtful_run_hours` may not have been run, and `doubtful_other_hours` of setup, stop and idle
    time may have been: a row that was due then was lost, so that the state was held over a gap.
    Machines of `good_only` count good units alone: what they lose of their run time to speed and
    what to rejects is one loss, `speed_or_quality`. Where all machines do, speed and quality are
    not known.
    """

    machines: int
    uncounted_hours: float
    doubtful_run_hours: float
    doubtful_other_hours: float
    good_only: tuple[str, ...]
    steps: tuple[Step, ...]

    def hours(self, name: str) -> float | None:
        """Return the hours of a level or a loss, None of one that is not known."""
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
    alone = [counts_good_only(evidence.plan, asset) for asset in assets]
    sums["undivided_s"] = float((by_asset["run_s"] - by_asset["ideal_total_s"])[alone].sum())
    return Waterfall(
        machines=len(assets),
        uncounted_hours=uncounted_s / 3600,
        doubtful_run_hours=sums["run_doubt_s"] / 3600,
        doubtful_other_hours=sums["rest_doubt_s"] / 3600,
        good_only=tuple(asset.code for asset, only in zip(assets, alone, strict=True) if only),
        steps=steps(sums, alone),
    )


def steps(sums: Mapping[str, float], good_only: Sequence[bool] = ()) -> tuple[Step, ...]:
    """Return levels and losses from sums [s]; each level is the one above it less its losses.

    Time that is neither off nor filed nor in a known state is unknown, whatever the facts lack.
    `good_only` tells of each machine whether it counts good units alone; `undivided_s` is what
    those lose of their run time.
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
    return tuple(_shown(level_us, lost_us | _below_run(sums, level_us, good_only)))


def _below_run(
    sums: Mapping[str, float], level_us: Mapping[str, int], good_only: Sequence[bool]
) -> dict[str, int | None]:
    """Return what run time loses, None of a loss that nobody knows."""
    if good_only and all(good_only):
        undivided = level_us["run"] - level_us["good"]
        return {"speed": None, "quality": None, "speed_or_quality": undivided}
    quality = level_us["ideal"] - level_us["good"]
    if not any(good_only):
        return {"speed": level_us["run"] - level_us["ideal"], "quality": quality}
    undivided = round(sums["undivided_s"] * 1e6)
    speed = level_us["run"] - level_us["ideal"] - undivided
    return {"speed": speed, "quality": quality, "speed_or_quality": undivided}


def _shown(level_us: Mapping[str, int], lost_us: Mapping[str, int | None]) -> Iterator[Step]:
    """Yield levels and losses in order; where the rejects are not known, nor are all units."""
    whole = level_us["calendar"]
    yield _step("calendar", "level", whole, whole)
    for loss, below in LOSSES:
        if loss in lost_us:
            yield _step(loss, "loss", lost_us[loss], whole)
        if below is not None and (below != "ideal" or lost_us["quality"] is not None):
            yield _step(below, "level", level_us[below], whole)


def _step(name: str, kind: str, microseconds: int | None, whole: int) -> Step:
    if microseconds is None:
        return Step(name, kind, 0, None, None)
    return Step(name, kind, microseconds, microseconds / _HOUR_US, microseconds / whole)
