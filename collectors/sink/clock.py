"""Comparing this machine's clock with the city's: a wrong one is said once, and never hidden."""

import json
import logging
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from collectors.config.file import GatewayConfig

_log = logging.getLogger("collectors.sink")

MOST_OFFSET_S = 120.0
_KEEP_EVERY_S = 60.0


def clock_path(config: GatewayConfig) -> Path:
    """Return where a gateway keeps what it last saw of the two clocks, for its status."""
    return config.context().state / "sink_clock.json"


def kept_offset_s(path: Path) -> float | None:
    """Return how far the clock here was ahead of the city's when last seen; None before that."""
    try:
        return float(json.loads(path.read_bytes())["ahead_s"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


class ClockWatch:
    """Knows how far the clock here is ahead of the city's, and says so when it is too far."""

    def __init__(self, path: Path | None = None) -> None:
        self.offset_s: float | None = None
        self._path = path
        self._kept_s: float | None = None
        self._is_wrong = False

    def see(self, there: datetime, asked_s: float, answered_s: float) -> None:
        """Take the city's time of a request that was asked and answered here at Unix times."""
        self.offset_s = (asked_s + answered_s) / 2 - there.timestamp()
        # Of a slow answer nobody knows when in between it was given.
        surely_s = abs(self.offset_s) - (answered_s - asked_s) / 2
        was_wrong = self._is_wrong
        if surely_s > MOST_OFFSET_S and not was_wrong:
            self._is_wrong = True
            which = "ahead of" if self.offset_s > 0 else "behind"
            _log.error(
                "the clock of this machine is %.0f s %s the city's: set it, and let NTP keep it; "
                "times are sent as the sources give them",
                abs(self.offset_s),
                which,
            )
        elif abs(self.offset_s) <= MOST_OFFSET_S and was_wrong:
            self._is_wrong = False
            _log.warning("the clock of this machine agrees with the city's again")
        self._keep(self.offset_s, is_news=was_wrong != self._is_wrong)

    def _keep(self, offset_s: float, *, is_news: bool) -> None:
        now_s = time.monotonic()
        is_due = self._kept_s is None or now_s - self._kept_s >= _KEEP_EVERY_S
        if self._path is None or not (is_due or is_news):
            return
        self._kept_s = now_s
        # A full disk stops the spool, and is said there; this is only for show.
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft = self._path.with_suffix(".draft")
            draft.write_text(json.dumps({"ahead_s": round(offset_s, 3)}), encoding="utf-8")
            draft.replace(self._path)
