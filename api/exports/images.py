"""The pictures of the pages as they stand in documents: the same drawing, as PNG."""

from functools import lru_cache

from api.pictures import render
from api.pictures.data import Fulfilment, MonthRun

_SCALE = 2.0
# More than a document has, at some 40 kB each.
_MOST = 64


# A document's two files show the same pictures, and to draw them is most of what they take.
@lru_cache(_MOST)
def svg(drawn: Fulfilment | MonthRun) -> str:
    """Return the picture as the pages show it."""
    return render.svg(drawn)


def png(drawn: Fulfilment | MonthRun) -> bytes:
    """Return the same picture as an image, for programs that draw no SVG."""
    import vl_convert  # takes a while to import

    return vl_convert.svg_to_png(svg(drawn), scale=_SCALE)
