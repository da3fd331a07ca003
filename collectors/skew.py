"""How far the gateway's clock is from those of its sources."""

import statistics
import threading
from collections import deque

_REMEMBERED = 1000


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
