"""Comparing this machine's clock with the city's: a wrong one is said once, and never hidden."""

import logging
from datetime import datetime

_log = logging.getLogger("collectors.sink")

MOST_OFFSET_S = 120.0


class ClockWatch:
    """Knows how far the clock here is ahead of the city's, and says so when it is too far."""

    def __init__(self) -> None:
        self.offset_s: float | None = None
        self._is_wrong = False

    def see(self, there: datetime, asked_s: float, answered_s: float) -> None:
        """Take the city's time of a request that was asked and answered here at Unix times."""
        self.offset_s = (asked_s + answered_s) / 2 - there.timestamp()
        # Of a slow answer nobody knows when in between it was given.
        surely_s = abs(self.offset_s) - (answered_s - asked_s) / 2
        if surely_s > MOST_OFFSET_S and not self._is_wrong:
            self._is_wrong = True
            which = "ahead of" if self.offset_s > 0 else "behind"
            _log.error(
                "the clock of this machine is %.0f s %s the city's: set it, and let NTP keep it; "
                "times are sent as the sources give them",
                abs(self.offset_s),
                which,
            )
        elif abs(self.offset_s) <= MOST_OFFSET_S and self._is_wrong:
            self._is_wrong = False
            _log.warning("the clock of this machine agrees with the city's again")
