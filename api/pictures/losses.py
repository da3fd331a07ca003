"""The loss waterfall: levels as full bars from the left, each loss hanging where it takes away."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from api.formats import number, percent
from api.pictures.layers import Box, Item, Line, Text, picture
from api.pictures.theme import AXIS, BLUE, INK, SOFT, TONES

_WIDTH, _LEFT, _RIGHT, _TOP, _ROW, _BAR = 1000, 290, 150, 40, 30, 20


@dataclass(frozen=True, slots=True)
class Bar:
    """A level or a loss: its name, hours, and share of calendar time; a negative loss is a gain.

    One that is not known has neither.
    """

    name: str
    kind: str
    hours: float | None
    share: float | None

    @property
    def said(self) -> str:
        """The hours in words."""
        return "—" if self.hours is None else f"{number(self.hours, 1)} h"


def chart(bars: Sequence[Bar], title: str) -> alt.LayerChart:
    """Draw the bars from top to bottom; hours and shares are written, never colour alone."""
    items: list[Item] = [Text(_LEFT, _TOP / 2, title, INK, size=16, weight=600)]
    height = _TOP + len(bars) * _ROW + 10
    items.append(Line(_LEFT, _TOP, _LEFT, height - 10, AXIS))
    left = 1.0
    for place, bar in enumerate(bars):
        middle = _TOP + place * _ROW + _ROW / 2
        level, share = bar.kind == "level", bar.share or 0.0
        first, last = (0.0, share) if level else (left - share, left)
        left = last if level else first
        x, x2 = sorted((_x(first), _x(last)))
        colour = BLUE if level else TONES["good" if share < 0 else "warn"]
        name = bar.name if level else f"− {bar.name}"
        items += [
            Box(x, middle - _BAR / 2, x2, middle + _BAR / 2, colour),
            Text(_LEFT - 8, middle, name, INK if level else SOFT, align="right"),
            Text(x2 + 8, middle, f"{bar.said}  {_percent(bar)}".rstrip(), INK, rim=3),
        ]
    said = "; ".join(f"{bar.name} {bar.said}" for bar in bars)
    return picture(_WIDTH, height, items, f"{title}: {said}")


def _percent(bar: Bar) -> str:
    return "" if bar.share is None else percent(bar.share, 1)


def _x(share: float) -> float:
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def svg(bars: Sequence[Bar], title: str) -> str:
    """Return the picture as SVG text; the same data give the same text."""
    import vl_convert

    return vl_convert.vegalite_to_svg(chart(bars, title).to_dict())
