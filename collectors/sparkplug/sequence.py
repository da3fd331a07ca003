"""The sequence numbers of one edge node: order restored, loss noticed. Pure.

seq counts from 0 to 255 and round again over all messages of a node but its death. A message that
came too early waits, bounded in number and time, for those before it; then they count as lost.
"""

from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

ROUND = 256
# This far behind what is due, a message came twice or too late; further, others were lost.
_BEHIND = 64
_MOST_WAITING = 64


class Step(NamedTuple, Generic[T]):
    """A message whose turn it is, and how many before it were lost."""

    lost: int
    item: T


class Sequence(Generic[T]):
    """Puts messages into order; times are in seconds of any steady clock.

    due is the number that comes next, None while none was seen.
    """

    def __init__(self, due: int | None, wait_s: float) -> None:
        self.due = due
        self._wait_s = wait_s
        self._waiting: dict[int, tuple[float, T]] = {}
        self._behind: int | None = None
        # Over a break of the connection any number of messages may be missing.
        self._is_after_a_break = True

    def after_a_break(self) -> None:
        """Take the next number that is not due as loss, and not as one that came twice."""
        self._is_after_a_break = True

    def start(self, seq: int) -> None:
        """Begin anew with a birth that has this number."""
        self.due = (seq + 1) % ROUND
        self._waiting.clear()
        self._behind = None
        self._is_after_a_break = False

    def take(self, seq: int, item: T, now_s: float) -> list[Step[T]] | None:
        """Return the messages whose turn it is now; None when this one came twice or too late."""
        if self.due is None:
            self.due = seq
        distance = (seq - self.due) % ROUND
        if distance and self._is_behind(seq, distance):
            return None
        self._behind = None
        if seq in self._waiting:
            return None
        self._waiting[seq] = (now_s, item)
        if len(self._waiting) > _MOST_WAITING:
            return self._give_up()
        return self._in_order()

    def overdue(self, now_s: float) -> list[Step[T]]:
        """Return what waited too long for those before it."""
        if self._waiting and now_s - min(at for at, _ in self._waiting.values()) > self._wait_s:
            return self._give_up()
        return []

    def flush(self) -> list[Step[T]]:
        """Return all that waits, since nothing before it will come any more."""
        steps = []
        while self._waiting:
            steps += self._give_up()
        return steps

    def _is_behind(self, seq: int, distance: int) -> bool:
        """Tell whether a message came twice or too late.

        Two in a row that are behind by as much are no repetition: so many were lost.
        """
        if self._is_after_a_break or distance < ROUND - _BEHIND:
            return False
        follows = self._behind is not None and seq == (self._behind + 1) % ROUND
        self._behind = seq
        self._is_after_a_break = follows
        return not follows

    def _in_order(self, lost: int = 0) -> list[Step[T]]:
        steps = []
        while self.due in self._waiting:
            _, item = self._waiting.pop(self.due)
            self.due = (self.due + 1) % ROUND
            self._is_after_a_break = False
            steps.append(Step(lost, item))
            lost = 0
        return steps

    def _give_up(self) -> list[Step[T]]:
        due = self.due or 0
        nearest = min(self._waiting, key=lambda seq: (seq - due) % ROUND)
        self.due = nearest
        return self._in_order((nearest - due) % ROUND)
