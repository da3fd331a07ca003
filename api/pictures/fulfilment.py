"""What of each promise happened, every KPI on one axis: 0 % is before, 100 % is as promised."""

from dataclasses import dataclass

import altair as alt

from api.formats import NOTHING, percent
from api.pictures.data import Fulfilment, FulfilmentRow, Judgement
from api.pictures.layers import Align, Box, Item, Line, Mark, Text, picture
from api.pictures.theme import (
    AXIS,
    BLUE,
    BLUE_BAND,
    FIELD,
    INK,
    LINE,
    PAPER,
    PROMISE,
    SOFT,
    TONES,
)
from api.verdicts import FULFILMENT

_LOW, _HIGH = -0.5, 1.5
_CIRCLE = FULFILMENT["met"].shape
_DIAMOND = FULFILMENT["partly"].shape
_TO_LEFT = "M-0.9,0L0.7,-0.9V0.9Z"
_TO_RIGHT = "M0.9,0L-0.7,-0.9V0.9Z"


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where things stand, in pixels; `axis_down` is from the top of a row to its axis."""

    width: int
    left: int
    right: int
    head: int
    row: int
    axis_down: int
    foot: int

    def x(self, fulfilment: float) -> float:
        """Return the place of a fulfilment on the axis, the ends for what lies beyond."""
        share = (min(max(fulfilment, _LOW), _HIGH) - _LOW) / (_HIGH - _LOW)
        return self.left + share * (self.right - self.left)


_WIDE = _Layout(width=1204, left=246, right=590, head=44, row=58, axis_down=34, foot=44)
_NARROW = _Layout(width=380, left=14, right=366, head=38, row=102, axis_down=78, foot=88)

# Right edges of the columns of numbers, then left edges of grade and verdicts.
_NUMBERS = (668, 748, 830, 914)
_GRADE, _VERDICT, _TRUTH = 936, 974, 1094
_NARROW_VERDICT = 262


def chart(data: Fulfilment) -> alt.LayerChart:
    """Draw the picture in its wide form, with all numbers, or its narrow one for a telephone."""
    layout = _NARROW if data.narrow else _WIDE
    rows = [(layout.head + layout.row * place, row) for place, row in enumerate(data.rows)]
    bottom = layout.head + layout.row * len(rows)
    items = _frame(layout, bottom, data.narrow)
    for top, row in rows:
        items += _track(layout, top + layout.axis_down, row)
        items += _narrow_texts(top, row) if data.narrow else _wide_texts(top, row)
    items += _heads(layout, data)
    if data.has_legend:
        items += _legend(layout, bottom, data)
    foot = layout.foot if data.has_legend else 0
    return picture(layout.width, bottom + foot, _stacked(items), data.description)


def _stacked(items: list[Item]) -> list[Item]:
    """Put areas under lines under marks under texts, and things of one style together."""
    return sorted(items, key=_height)


def _height(item: Item) -> tuple[int, str, int, int]:
    if isinstance(item, Text):
        return (3 if item.rim else 4, item.align, item.size, item.weight)
    if isinstance(item, Mark):
        return (2, "", item.outline is None, 0)
    return (isinstance(item, Line), "", 0, 0)


def _frame(layout: _Layout, bottom: int, narrow: bool) -> list[Item]:
    items: list[Item] = []
    spans = [(layout.head - 10.0, float(bottom))]
    if narrow:
        # Texts stand above each axis there, where a line through all rows would cross them.
        axes = range(layout.head + layout.axis_down, bottom, layout.row)
        spans = [(y - 13.0, y + 13.0) for y in axes]
    for top, end in spans:
        items.append(Box(layout.x(0), top, layout.x(1), end, FIELD))
        for place in (-0.5, 0.5, 1.5):
            items.append(Line(layout.x(place), top, layout.x(place), end, LINE))
        for place, colour in ((0.0, AXIS), (1.0, PROMISE)):
            items.append(Line(layout.x(place), top, layout.x(place), end, colour, 1.5))
    for y in range(layout.head + layout.row, bottom + 1, layout.row):
        items.append(Line(0, y, layout.width, y, LINE))
    return items


def _track(layout: _Layout, y: float, row: FulfilmentRow) -> list[Item]:
    items: list[Item] = [
        Mark(layout.x(0), y, _CIRCLE, PAPER, AXIS, 11),
        Mark(layout.x(1), y, _DIAMOND, PAPER, PROMISE, 13),
    ]
    if row.point is None:
        return [*items, Text(layout.x(0.5), y, row.note, SOFT, 12, 400, "center")]
    ends = sorted((layout.x(0), layout.x(row.point)))
    items.append(Box(ends[0], y - 2.5, ends[1], y + 2.5, TONES[row.fulfilment.tone], 0.55))
    if row.low is not None and row.high is not None:
        items.append(Box(layout.x(row.low), y - 6, layout.x(row.high), y + 6, BLUE_BAND, 0.9))
    return items + _dot(layout, y, row.point)


def _dot(layout: _Layout, y: float, point: float) -> list[Item]:
    x, text = layout.x(point), percent(point)
    align: Align
    if point < _LOW:
        shape, align = _TO_LEFT, "left"
    elif point > _HIGH:
        shape, align = _TO_RIGHT, "right"
    else:
        shape, align = _CIRCLE, "center"
    return [
        Mark(x, y, shape, BLUE, None, 15),
        Text(x, y - 19, text, BLUE, 13, 700, align, rim=4),
        Text(x, y - 19, text, BLUE, 13, 700, align),
    ]


def _heads(layout: _Layout, data: Fulfilment) -> list[Item]:
    words = data.words
    y = layout.head - 24
    items: list[Item] = [
        Text(layout.x(0), y, words.before, SOFT, 13, 600, "center"),
        Text(layout.x(1), y, words.expected, PROMISE, 13, 600, "center"),
    ]
    if data.narrow:
        return items
    for place in (-0.5, 0.5, 1.5):
        items.append(Text(layout.x(place), y, percent(place), SOFT, 12, 400, "center"))
    names = (words.before, words.expected, words.reported, words.verified)
    for right, name in zip(_NUMBERS, names, strict=True):
        items.append(Text(right, y, name, SOFT, 12, 400, "right"))
    for left, name in (
        (_GRADE, words.grade),
        (_VERDICT, words.fulfilment),
        (_TRUTH, words.consistency),
    ):
        items.append(Text(left, y, name, SOFT, 12, 400, "left"))
    return items


def _wide_texts(top: int, row: FulfilmentRow) -> list[Item]:
    y = top + _WIDE.axis_down - 4
    items: list[Item] = [
        Text(0, y - 10, row.label, INK, 15, 600),
        Text(0, y + 10, row.unit, SOFT, 12),
    ]
    shown = (row.before, row.expected, row.reported)
    for right, value in zip(_NUMBERS, shown, strict=False):
        items.append(Text(right, y, value, INK, 14, 400, "right"))
    items.append(Text(_NUMBERS[-1], y, row.verified, BLUE, 14, 700, "right"))
    items.append(Text(_GRADE + 4, y, row.grade, SOFT, 14))
    items += _verdict(_VERDICT, y, row.fulfilment)
    if row.consistency is not None:
        items += _verdict(_TRUTH, y, row.consistency)
    else:
        items.append(Text(_TRUTH, y, NOTHING, SOFT, 14))
    return items


def _narrow_texts(top: int, row: FulfilmentRow) -> list[Item]:
    line = f"{row.before} → {row.verified} / {row.expected}"
    return [
        Text(0, top + 18, row.label, INK, 14, 600),
        *_verdict(_NARROW_VERDICT, top + 18, row.fulfilment),
        Text(0, top + 38, f"{line}   {row.unit}", SOFT, 12),
    ]


def _verdict(x: float, y: float, verdict: Judgement) -> list[Item]:
    colour = TONES[verdict.tone]
    return [
        Mark(x + 7, y, verdict.shape, colour, None, 14),
        Text(x + 21, y, verdict.word, colour, 14, 600),
    ]


def _legend(layout: _Layout, bottom: int, data: Fulfilment) -> list[Item]:
    y, words = bottom + 24, data.words
    left = 0 if data.narrow else layout.left
    items: list[Item] = [
        Mark(left + 7, y, _CIRCLE, BLUE, None, 14),
        Text(left + 20, y, words.legend_verified, SOFT, 12),
    ]
    if data.narrow:
        return [
            *items,
            Text(0, y + 22, words.legend_scale, SOFT, 12),
            Text(0, y + 44, words.legend_short, SOFT, 12),
        ]
    return [*items, Text(layout.width, y, words.legend_scale, SOFT, 12, 400, "right")]
