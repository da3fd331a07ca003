"""Waiting longer after each failure, with jitter so that gateways do not come back in step."""

import random


class Backoff:
    """Delays that double from first_s to most_s; each is drawn from its upper half."""

    def __init__(self, first_s: float = 1.0, most_s: float = 30.0) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._next_s = first_s

    def next_s(self) -> float:
        """Return the next delay in seconds, never above most_s."""
        delay_s = self._next_s
        self._next_s = min(delay_s * 2, self._most_s)
        return delay_s * random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Start again from the shortest delay."""
        self._next_s = self._first_s
