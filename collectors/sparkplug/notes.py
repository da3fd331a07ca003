"""What a person is told of, once each: a metric that cannot be read comes again every second."""

from collectors.sample import Refused

_MOST = 1000


class Notes:
    """Collects what could not be understood; the same is told once until forget is called."""

    def __init__(self) -> None:
        self._told: set[tuple[object, ...]] = set()
        self._waiting: list[Refused] = []

    def tell(self, reason: str, payload: object = "") -> None:
        """Note something that happens anew each time."""
        # A database takes no zero character in a text.
        self._waiting.append(
            Refused(*(str(text).replace("\0", "\\0") for text in (reason, payload)))
        )

    def once(self, key: tuple[object, ...], reason: str, payload: object = "") -> None:
        """Note something that stays as it is; a thousand of such are told, no more."""
        if key in self._told or len(self._told) > _MOST:
            return
        self._told.add(key)
        if len(self._told) > _MOST:
            reason = "over a thousand things could not be read; the rest is not listed"
        self.tell(reason, payload)

    def take(self) -> list[Refused]:
        """Return what was noted since the last call."""
        taken, self._waiting = self._waiting, []
        return taken

    def forget(self) -> None:
        """Tell all anew from now on."""
        self._told.clear()
