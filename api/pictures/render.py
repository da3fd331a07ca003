"""Turning pictures into SVG text."""

import threading
from functools import cache

from api.pictures.data import Fulfilment, MonthRun

_JOIN_WITHIN_S = 30.0
_WARMING = threading.Lock()


def svg(data: Fulfilment | MonthRun) -> str:
    """Draw a picture; the same data give the same text."""
    # Importing Altair takes about a second, which no start of a command should pay for.
    import vl_convert

    from api.pictures import fulfilment, monthrun

    drawn = fulfilment.chart(data) if isinstance(data, Fulfilment) else monthrun.chart(data)
    return vl_convert.vegalite_to_svg(drawn.to_dict())


@cache
def _draw_once() -> None:
    import vl_convert

    from api.pictures.layers import Text, picture

    vl_convert.vegalite_to_svg(picture(10, 10, [Text(0, 5, "0", "#000000")], "").to_dict())


class WarmUp(threading.Thread):
    """Imports and starts the drawing once, so that the first visitor need not wait for it."""

    def __init__(self) -> None:
        super().__init__(name="picture-warm-up", daemon=True)

    def run(self) -> None:
        """Draw a picture that nobody sees, unless this process has drawn one."""
        with _WARMING:
            _draw_once()

    def finish(self) -> None:
        """Wait for the thread to end, within a limit."""
        self.join(_JOIN_WITHIN_S)
