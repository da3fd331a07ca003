"""Shapes and texts at places in pixels, as layers of an Altair chart.

Vega-Lite fixes alignment, size and weight per layer, so things alike share one; the order in
which layers are given is the order in which they cover each other.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Literal

import altair as alt

from api.pictures.theme import FONT, PAPER

Align = Literal["left", "center", "right"]
Weight = Literal[400, 600, 700]


@dataclass(frozen=True, slots=True)
class Text:
    """A text whose middle height is at y."""

    x: float
    y: float
    text: str
    colour: str
    size: int = 14
    weight: Weight = 400
    align: Align = "left"
    # A rim in the colour of the paper keeps lines out of the text.
    rim: int = 0


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle."""

    x: float
    y: float
    x2: float
    y2: float
    colour: str
    opacity: float = 1.0


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line."""

    x: float
    y: float
    x2: float
    y2: float
    colour: str
    width: float = 1.0


@dataclass(frozen=True, slots=True)
class Mark:
    """A shape, an SVG path in the square from -1 to 1, of so many pixels across."""

    x: float
    y: float
    shape: str
    fill: str
    outline: str | None = None
    across: float = 12.0


Item = Text | Box | Line | Mark


def picture(width: int, height: int, items: Sequence[Item], description: str) -> alt.LayerChart:
    """Return a chart of exactly this size that shows the items, later ones on top."""
    layers = [_layer(list(alike), width, height) for _, alike in groupby(items, key=_style)]
    drawn: alt.LayerChart = (
        alt.layer(*layers)
        .properties(width=width, height=height, description=description, padding=0)
        .configure(font=FONT, background=PAPER)
        .configure_view(stroke=None)
    )
    return drawn


def _style(item: Item) -> tuple[Any, ...]:
    if isinstance(item, Text):
        return (Text, item.align, item.size, item.weight, item.rim)
    if isinstance(item, Line):
        return (Line, item.width)
    if isinstance(item, Mark):
        return (Mark, item.outline is None)
    return (type(item),)


def _layer(items: list[Item], width: int, height: int) -> alt.Chart:
    chart = alt.Chart(alt.InlineData([asdict(item) for item in items]))
    encoding: dict[str, Any] = {
        "x": alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, width], range=[0, width])),
        "y": alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[0, height], range=[0, height])),
    }
    first = items[0]
    if isinstance(first, Text):
        return _texts(chart, first, encoding)
    if isinstance(first, Mark):
        return _marks(chart, first, encoding)
    ends = {"x2": alt.X2("x2:Q"), "y2": alt.Y2("y2:Q")}
    colour = alt.Color("colour:N", scale=None, legend=None)
    if isinstance(first, Box):
        shade = alt.Opacity("opacity:Q", scale=None, legend=None)
        boxes: alt.Chart = chart.mark_rect().encode(**encoding, **ends, color=colour, opacity=shade)
        return boxes
    lines: alt.Chart = chart.mark_rule(strokeWidth=first.width).encode(
        **encoding, **ends, color=colour
    )
    return lines


def _texts(chart: alt.Chart, first: Text, encoding: dict[str, Any]) -> alt.Chart:
    rim: dict[str, Any] = {"stroke": PAPER, "strokeWidth": first.rim} if first.rim else {}
    mark = chart.mark_text(
        align=first.align,
        baseline="middle",
        fontSize=first.size,
        fontWeight=first.weight,
        **rim,
    )
    texts: alt.Chart = mark.encode(
        **encoding, text=alt.Text("text:N"), color=alt.Color("colour:N", scale=None, legend=None)
    )
    return texts


def _marks(chart: alt.Chart, first: Mark, encoding: dict[str, Any]) -> alt.Chart:
    encoding |= {
        # Vega takes the area of the square around the shape.
        "size": alt.Size("area:Q", scale=None, legend=None),
        "shape": alt.Shape("shape:N", scale=None, legend=None),
        "fill": alt.Fill("fill:N", scale=None, legend=None),
    }
    if first.outline is not None:
        encoding["stroke"] = alt.Stroke("outline:N", scale=None, legend=None)
    marks: alt.Chart = (
        chart.transform_calculate(area="datum.across * datum.across")
        .mark_point(filled=True, opacity=1, strokeWidth=0 if first.outline is None else 2)
        .encode(**encoding)
    )
    return marks
