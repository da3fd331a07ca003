"""When what is asked: rates that do not meet, and units that are left alone while silent."""

import time


class Rates:
    """The periods at which tags of a source are read, each at its own moments.

    All begin at once, so that every tag has a value soon; from then on they are staggered within
    the shortest period. A poll that took longer than its period skips polls instead of running
    after them.
    """

    def __init__(self, periods_s: set[float], start_s: float) -> None:
        ordered = sorted(periods_s)
        self._next_s = dict.fromkeys(ordered, start_s)
        self._first_s = {
            period_s: start_s + period_s + ordered[0] * index / len(ordered)
            for index, period_s in enumerate(ordered)
        }

    def next(self) -> tuple[float, float]:
        """Return which period is due next, and when on the monotonic clock, in seconds."""
        period_s = min(self._next_s, key=lambda one: (self._next_s[one], one))
        return period_s, self._next_s[period_s]

    def begin(self, period_s: float, now_s: float) -> None:
        """Note that the poll of a period begins now; its next lies in the future."""
        first_s = self._first_s[period_s]
        missed = max(0.0, (now_s - first_s) // period_s + 1)
        self._next_s[period_s] = first_s + missed * period_s


class Unit:
    """Whether a unit is asked at all: not again in a poll in which it was silent."""

    def __init__(self, silent_cycles: int, rest_s: float) -> None:
        self.is_skipped = False
        self.is_silent = False
        self._most_silent_cycles = silent_cycles
        self._rest_s = rest_s
        self._silent_cycles = 0
        self._rests_until_s = 0.0

    def begin_cycle(self) -> None:
        """Decide whether it is asked in the poll that begins."""
        self.is_skipped = time.monotonic() < self._rests_until_s

    def answered(self) -> None:
        """Note an answer, be it a refusal."""
        self.is_silent = False
        self._silent_cycles = 0

    def was_silent(self) -> None:
        """Note that an answer did not come, and ask no more in this poll."""
        self.is_skipped = self.is_silent = True
        self._silent_cycles += 1
        if self._silent_cycles >= self._most_silent_cycles:
            self._rests_until_s = time.monotonic() + self._rest_s
