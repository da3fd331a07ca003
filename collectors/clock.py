"""Clocks that are wrong: seen, said once, and written into every row that they touched.

A time is never replaced by another. Rows whose source time cannot be right, or whose source's clock
is far from the gateway's, keep their time and value and become Uncertain; the gateway's own clock
is watched for steps, because values of sources without a clock carry its time.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from collectors import status
from collectors.sample import Refused, to_us

_log = logging.getLogger("collectors.clock")

# A controller that lost its battery starts at 1970, 2000 or the year of its firmware.
_CREDIBLE_FROM_US = to_us(datetime(2015, 1, 1, tzinfo=UTC))
# Ahead of the gateway nothing can be but a wrong clock; behind it, a system that reports now and
# then is as well, so only hours count.
_AHEAD_S, _BEHIND_S = 300.0, 3600.0
AHEAD_US = int(_AHEAD_S * 1_000_000)
_STEP_S = 5.0

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]


def suspect(ts_us: Ints, received_us: int) -> npt.NDArray[np.bool_]:
    """Tell of each source time whether it is impossible: before 2015, or 5 min in the future.

    A time that lies far back is possible: a value that has not changed since carries it.
    """
    return (ts_us < _CREDIBLE_FROM_US) | (ts_us > received_us + AHEAD_US)


def flagged(codes: Codes, is_suspect: npt.NDArray[np.bool_]) -> Codes:
    """Return status codes in which a good one under suspicion has become Uncertain."""
    is_good = (codes.view(np.uint32) & 0xC000_0000) == 0
    return np.where(is_suspect & is_good, np.int32(status.UNCERTAIN), codes).astype(np.int32)


class SourceClock:
    """Judges one source's clock; says once when it goes wrong and once when it is right again."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._offset_s = 0.0
        self._is_wrong = False

    @property
    def is_wrong(self) -> bool:
        """Whether its clock was last seen far from the gateway's."""
        return self._is_wrong

    def observe(self, skew_s: float | None) -> Refused | None:
        """Take gateway time minus source time [s]; return what a person must see, if anything."""
        if skew_s is None:
            return None
        was_wrong, self._is_wrong = self._is_wrong, skew_s > _BEHIND_S or skew_s < -_AHEAD_S
        if self._is_wrong == was_wrong:
            return None
        if not self._is_wrong:
            _log.warning("the clock of source %s is right again", self._source)
            return None
        side = "behind" if skew_s > 0 else "ahead of"
        reason = (
            f"the clock of the source is {_span(skew_s)} {side} the gateway's: "
            "its rows keep their time and are stored as Uncertain"
        )
        _log.error("source %s: %s", self._source, reason)
        return Refused(reason, f"{skew_s:.3f} s")


class GatewayClock:
    """Compares the gateway's wall clock with one that no one can set."""

    def __init__(
        self,
        wall_s: Callable[[], float] = time.time,
        steady_s: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME),
    ) -> None:
        self._wall_s, self._steady_s = wall_s, steady_s
        self._before = (wall_s(), steady_s())
        self.steps = 0

    def look(self) -> Refused | None:
        """Return what a person must see when the clock was set since the last look."""
        wall_s, steady_s = self._wall_s(), self._steady_s()
        before_wall_s, before_steady_s = self._before
        self._before = (wall_s, steady_s)
        step_s = (wall_s - before_wall_s) - (steady_s - before_steady_s)
        if abs(step_s) < _STEP_S:
            return None
        self.steps += 1
        direction = "forward" if step_s > 0 else "back"
        until = datetime.fromtimestamp(wall_s, UTC).isoformat(timespec="seconds")
        reason = f"the gateway's clock was set {direction} by {_span(step_s)}, to {until}"
        _log.error("%s; rows stamped with it before are that far off", reason)
        return Refused(reason, f"{step_s:.3f} s")


def _span(seconds: float) -> str:
    whole = round(abs(seconds))
    days, hours, minutes = whole // 86_400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {whole % 60} s"
