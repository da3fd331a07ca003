"""How far the gateway's clock is from those of its sources."""

import statistics
import threading
from collections import deque

_REMEMBERED = 1000
_MOST_ORIGINS = 1000
_HEARD_LATELY_S = 600.0


class Skews:
    """Gateway time minus that of each origin of one source, such as a topic or an edge node.

    One wrong clock among many is no wrong clock of the source: that one is as far off as the
    nearest of those that were heard lately.
    """

    def __init__(self) -> None:
        self._of: dict[str, tuple[float, float]] = {}

    def note(self, origin: str, skew_s: float, now_s: float) -> None:
        """Take what an origin showed at a time, in seconds of any one clock."""
        if len(self._of) >= _MOST_ORIGINS and origin not in self._of:
            self._forget(now_s)
        if len(self._of) < _MOST_ORIGINS or origin in self._of:
            self._of[origin] = skew_s, now_s

    def nearest(self, now_s: float) -> float | None:
        """Return the least skew, either way, of those heard within 10 min; None without any."""
        self._forget(now_s)
        return min((skew_s for skew_s, _ in self._of.values()), key=abs, default=None)

    def _forget(self, now_s: float) -> None:
        self._of = {
            origin: one for origin, one in self._of.items() if now_s - one[1] <= _HEARD_LATELY_S
        }


class SkewMeter:
    """Collects gateway time minus source time, in seconds, from the event loop and the sink."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen_s: deque[float] = deque(maxlen=_REMEMBERED)

    def add(self, skew_s: float) -> None:
        """Take one observation."""
        with self._lock:
            self._seen_s.append(skew_s)

    def take(self) -> float | None:
        """Return the median of what was seen since the last call, or None."""
        with self._lock:
            seen_s = list(self._seen_s)
            self._seen_s.clear()
        return statistics.median(seen_s) if seen_s else None
