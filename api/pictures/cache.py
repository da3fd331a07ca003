"""Pictures that were drawn already, by what they show."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from api.pictures.data import Fulfilment, MonthRun

_MOST = 256  # some 40 kB each

Picture = Fulfilment | MonthRun


class PictureCache:
    """Keeps the pictures used last; one is drawn at a time, for drawing takes a whole core."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._drawn: OrderedDict[Picture, str] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, picture: Picture, draw: Callable[[Picture], str]) -> str:
        """Return a picture as SVG text, drawn now if it is not kept."""
        with self._lock:
            text = self._drawn.get(picture)
            if text is None:
                text = draw(picture)
                self._drawn[picture] = text
            self._drawn.move_to_end(picture)
            while len(self._drawn) > self._most:
                self._drawn.popitem(last=False)
            return text

    def __len__(self) -> int:
        return len(self._drawn)
