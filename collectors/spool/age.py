"""From when on what waits is too old, by a clock that nobody can set.

What waits bears the wall clock's time of its arrival. A wall clock that leaps ahead, by a wrong
battery or a wrong hand, would make all of it old in an instant, and one that is put right after
the start what came before that. So time goes by the steady clock, and an arrival counts by the
wall clock of its own time, for as long as something from then may wait.
"""

import time
from collections import deque
from collections.abc import Callable

from collectors.sample import now_us

_STEP_US = 5_000_000
_MOST_STEPS = 1000


def _steady_us() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000


class AgeClock:
    """Tells which arrivals are older than max_age_s, whatever the wall clock did meanwhile."""

    def __init__(
        self,
        max_age_s: float,
        wall_us: Callable[[], int] = now_us,
        steady_us: Callable[[], int] = _steady_us,
    ) -> None:
        self._max_age_us = int(max_age_s * 1e6)
        self._wall_us, self._steady_us = wall_us, steady_us
        self._ahead_us = wall_us() - steady_us()
        # How far the wall clock was ahead of the steady one until when, the least first.
        self._before: deque[tuple[int, int]] = deque(maxlen=_MOST_STEPS)

    def too_old_us(self) -> int:
        """Return before which arrival, in µs since 1970 UTC, everything is too old."""
        steady_us = self._steady_us()
        ahead_us = self._wall_us() - steady_us
        if abs(ahead_us - self._ahead_us) > _STEP_US:
            while self._before and self._before[-1][1] >= self._ahead_us:
                self._before.pop()
            self._before.append((steady_us, self._ahead_us))
            self._ahead_us = ahead_us
        while self._before and self._before[0][0] < steady_us - self._max_age_us:
            self._before.popleft()
        least_us = min(self._ahead_us, *(one for _, one in self._before), ahead_us)
        return steady_us + least_us - self._max_age_us
