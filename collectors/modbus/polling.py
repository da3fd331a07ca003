"""When what is asked: rates that do not meet, and units that are left alone while silent."""

import math
import time


class Rates:
    """The periods at which tags of a source are read, each at its own moments.

    All begin at once, so that every tag has a value soon; from then on no two are due together.
    A poll that took longer than its period skips polls instead of running after them.
    """

    def __init__(self, periods_s: set[float], start_s: float) -> None:
        ordered = sorted(periods_s)
        self._next_s = dict.fromkeys(ordered, start_s)
        # Moments a common divisor apart can only meet where they are shifted by all of it.
        common_s = math.gcd(*(round(period_s * 1000) for period_s in ordered)) / 1000
        self._shift_s = {
            period_s: common_s * index / len(ordered) for index, period_s in enumerate(ordered)
        }

    def next(self) -> tuple[float, float]:
        """Return which period is due next, and when on the monotonic clock, in seconds."""
        period_s = min(self._next_s, key=lambda one: (self._next_s[one], one))
        return period_s, self._next_s[period_s]

    def begin(self, period_s: float, now_s: float) -> None:
        """Note that the poll of a period begins now; its next lies in the future."""
        due_s = self._next_s[period_s]
        missed = max(0.0, (now_s - due_s) // period_s)
        self._next_s[period_s] = due_s + (missed + 1) * period_s + self._shift_s.pop(period_s, 0.0)


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
