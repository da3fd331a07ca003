"""Colours and type of the pictures; the same tones as in static/style.css.

Every text colour has a contrast of at least 4.5 to white (WCAG 2.2, 1.4.3).
"""

from api.verdicts import Tone

FONT = (
    "-apple-system, Segoe UI, Noto Sans CJK SC, Noto Sans SC, PingFang SC, Microsoft YaHei, "
    "sans-serif"
)

INK = "#1b2330"
SOFT = "#566072"
LINE = "#dfe4eb"
AXIS = "#8a94a6"
FIELD = "#f2f6fb"
BLUE = "#0b57a8"
BLUE_BAND = "#a9c4e6"
PROMISE = "#9a5b00"
PAPER = "#ffffff"

TONES: dict[Tone, str] = {
    "good": "#1a7446",
    "warn": "#9a5b00",
    "bad": "#b3261e",
    "plain": "#566072",
}
