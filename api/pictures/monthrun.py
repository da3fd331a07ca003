"""One KPI month by month, before and after renovation; a month without a figure breaks the line."""

from typing import Any

import altair as alt

from api.formats import number
from api.pictures.data import MonthPoint, MonthRun
from api.pictures.theme import (
    AXIS,
    BLUE,
    BLUE_BAND,
    FIELD,
    FONT,
    INK,
    LINE,
    PAPER,
    PROMISE,
    SOFT,
)

_HEIGHT = 230
_WIDE, _NARROW = 1150, 330
_MOST_TICKS_WIDE, _MOST_TICKS_NARROW = 10, 4
_ABOVE = -10
_NO_FIGURE = "#e9ecf1"


def chart(data: MonthRun) -> alt.LayerChart:
    """Draw the months with their bounds, the windows and the lines of before and expected."""
    first, last = _span(data)
    x = alt.X(
        "x:Q",
        scale=alt.Scale(domain=[first, last], nice=False),
        axis=_month_axis(data, first, last),
    )
    y = alt.Y(
        "y:Q",
        scale=alt.Scale(domain=_y_domain(data), nice=True, zero=False),
        axis=alt.Axis(title=None, grid=True, tickCount=5, domain=False, ticks=False),
    )
    layers = [
        *_windows(data, x),
        *_gaps(data, x),
        *_renovation(data, x),
        *_levels(data, x, y, (first, last)),
        *_bounds(data, x, y),
        *_line(data, x, y),
    ]
    width = _NARROW if data.narrow else _WIDE
    drawn: alt.LayerChart = (
        alt.layer(*layers)
        .properties(width=width, height=_HEIGHT, description=data.description)
        .configure(
            font=FONT, background=PAPER, padding={"left": 4, "right": 6, "top": 6, "bottom": 4}
        )
        .configure_view(stroke=None)
        .configure_axis(labelColor=SOFT, labelFontSize=12, gridColor=LINE, domainColor=AXIS)
    )
    return drawn


def _span(data: MonthRun) -> tuple[int, int]:
    seen = [month.month for month in data.months]
    ends = [data.baseline[0], data.baseline[1], data.renovated, *seen, *(m + 1 for m in seen)]
    return min(ends), max(ends)


def _month_axis(data: MonthRun, first: int, last: int) -> alt.Axis:
    most = _MOST_TICKS_NARROW if data.narrow else _MOST_TICKS_WIDE
    step = next((n for n in (1, 3, 6, 12, 24) if (last - first) / n <= most), 60)
    ticks = list(range(first, last, step))
    # Months are counted since year 0: 24312 is the first month of 2026.
    year, month = "floor(datum.value / 12)", "pad(datum.value % 12 + 1, 2, '0', 'left')"
    return alt.Axis(
        title=None, values=ticks, grid=False, labelExpr=f"{year} + '-' + {month}", labelAlign="left"
    )


def _y_domain(data: MonthRun) -> list[float]:
    values = [data.before, data.expected]
    for month in data.months:
        values += [month.point, month.low, month.high]
    known = [value for value in values if value is not None]
    if not known:
        return [0.0, 1.0]
    low, high = min(known), max(known)
    margin = 0.12 * (high - low) or abs(high) * 0.1 or 1.0
    return [low - margin, high + margin]


def _layer(values: list[dict[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values))


def _windows(data: MonthRun, x: alt.X) -> list[alt.Chart]:
    shades = [(data.baseline, data.words.baseline)]
    if data.verification is not None:
        shades.append((data.verification, data.words.verification))
    base = _layer(
        [{"x": start, "x2": end, "text": text, "middle": (start + end) / 2}
         for (start, end), text in shades]
    )  # fmt: skip
    return [
        base.mark_rect(color=FIELD).encode(x=x, x2="x2:Q"),
        base.mark_text(color=SOFT, fontSize=12, y=_ABOVE).encode(
            x=alt.X("middle:Q"), text="text:N"
        ),
    ]


def _gaps(data: MonthRun, x: alt.X) -> list[alt.Chart]:
    missing = [month.month for month in data.months if month.point is None]
    if not missing:
        return []
    base = _layer(
        [{"x": month, "x2": month + 1, "middle": month + 0.5, "text": data.words.unverifiable}
         for month in missing]
    )  # fmt: skip
    return [
        base.mark_rect(color=_NO_FIGURE).encode(x=x, x2="x2:Q"),
        base.mark_text(
            color=SOFT, fontSize=11, angle=270, align="left", baseline="middle", y=_HEIGHT - 6
        ).encode(x=alt.X("middle:Q"), text="text:N"),
    ]


def _renovation(data: MonthRun, x: alt.X) -> list[alt.Chart]:
    base = _layer([{"x": data.renovated, "text": data.words.renovated}])
    return [
        base.mark_rule(color=AXIS, strokeWidth=1.5).encode(x=x),
        base.mark_text(color=INK, fontSize=12, fontWeight=600, y=_ABOVE).encode(x=x, text="text:N"),
    ]


def _levels(data: MonthRun, x: alt.X, y: alt.Y, span: tuple[int, int]) -> list[alt.Chart]:
    """Draw each level with its name where the months are likely to be far from it."""
    words = data.words
    layers: list[alt.Chart] = []
    for value, word, stroke, ink, end in (
        (data.before, words.before, AXIS, SOFT, 1),
        (data.expected, words.expected, PROMISE, PROMISE, 0),
    ):
        if value is None:
            continue
        text = f"{word} {number(value, data.decimals)}"
        base = _layer([{"x": span[0], "x2": span[1], "y": value, "at": span[end], "text": text}])
        line = base.mark_rule(color=stroke, strokeDash=[5, 4], strokeWidth=1.5)
        name = base.mark_text(
            color=ink,
            fontSize=12,
            fontWeight=600,
            align=("left", "right")[end],
            baseline="bottom",
            dx=(4, -4)[end],
            dy=-3,
        )
        layers.append(line.encode(x=x, x2="x2:Q", y=y))
        layers.append(name.encode(x=alt.X("at:Q"), y=y, text="text:N"))
    return layers


def _bounds(data: MonthRun, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    values = [
        {"x": month.month + 0.18, "x2": month.month + 0.82, "y": month.low, "y2": month.high}
        for month in data.months
        if month.point is not None and month.low is not None and month.high is not None
    ]
    return [
        _layer(values)
        .mark_rect(color=BLUE_BAND, opacity=0.75)
        .encode(x=x, x2="x2:Q", y=y, y2="y2:Q")
    ]


def _line(data: MonthRun, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    values = _points(data.months)
    if not values:
        return []
    base = _layer(values)
    newest = _layer([values[-1] | {"text": number(values[-1]["y"], data.decimals)}])
    label: dict[str, Any] = {"fontSize": 13, "fontWeight": 700, "dy": -13}
    return [
        base.mark_line(color=BLUE, strokeWidth=2).encode(x=x, y=y, detail="run:N"),
        base.mark_point(filled=True, opacity=1, size=42, strokeWidth=2, stroke=BLUE).encode(
            x=x, y=y, fill=alt.Fill("fill:N", scale=None, legend=None)
        ),
        # The same text in white below keeps the line out of the number.
        newest.mark_text(stroke=PAPER, strokeWidth=4, **label).encode(x=x, y=y, text="text:N"),
        newest.mark_text(color=INK, **label).encode(x=x, y=y, text="text:N"),
    ]


def _points(months: tuple[MonthPoint, ...]) -> list[dict[str, Any]]:
    """Return the months that have a figure; each stretch without a gap is one run."""
    values: list[dict[str, Any]] = []
    run, before = 0, None
    for month in months:
        if month.point is None:
            continue
        if before is not None and month.month != before + 1:
            run += 1
        before = month.month
        fill = PAPER if month.is_open else BLUE
        values.append({"x": month.month + 0.5, "y": month.point, "run": run, "fill": fill})
    return values
