"""The words of the two verdicts as code, shape and tone; their texts stand in messages.toml.

Why one is missing is said by the table of reasons of the kpi package.

Rules, as the kpi package applies them by its dated policy: fulfilment is `over` with both bounds
at 105 % or more, `met` with both at 95 % or more; with both below that it is `worse` below where
the factory began, `partly` from 50 %, else `missed`. Consistency is `same` within the tolerance of
the KPI, `off` within 10 %, else `false`. Bounds on both sides, or data below 90 %, are `unknown`;
before and after that rest on different ground are `not_comparable`.
"""

from dataclasses import dataclass
from typing import Literal

FulfilmentWord = Literal[
    "over", "met", "partly", "missed", "worse", "unknown", "pending", "not_comparable"
]
ConsistencyWord = Literal["same", "off", "false", "unknown"]
Tone = Literal["good", "warn", "bad", "plain"]

_QUESTION = (
    "M-0.66,-0.4A0.66,0.6,0,1,1,0.24,0.16L0.19,0.4H-0.19V-0.04A0.3,0.26,0,1,0,-0.28,-0.4Z"
    "M-0.2,0.58H0.2V0.96H-0.2Z"
)
_DOTS = "".join(
    f"M{x - 0.24:.2f},0A0.24,0.24,0,1,1,{x + 0.24:.2f},0A0.24,0.24,0,1,1,{x - 0.24:.2f},0Z"
    for x in (-0.7, 0.0, 0.7)
)


@dataclass(frozen=True, slots=True)
class Word:
    """One word: its shape is an SVG path in the square from -1 to 1, never colour alone."""

    code: str
    tone: Tone
    shape: str


FULFILMENT: dict[str, Word] = {
    word.code: word
    for word in (
        Word("over", "good", "M0,-0.95L1,0.8H-1Z"),
        Word("met", "good", "M-0.9,0A0.9,0.9,0,1,1,0.9,0A0.9,0.9,0,1,1,-0.9,0Z"),
        Word("partly", "warn", "M0,-1L1,0L0,1L-1,0Z"),
        Word(
            "missed",
            "bad",
            "M-0.85,-0.57L-0.57,-0.85L0,-0.28L0.57,-0.85L0.85,-0.57L0.28,0"
            "L0.85,0.57L0.57,0.85L0,0.28L-0.57,0.85L-0.85,0.57L-0.28,0Z",
        ),
        Word("worse", "bad", "M0,0.95L1,-0.8H-1Z"),
        Word("unknown", "plain", _QUESTION),
        Word("pending", "plain", _DOTS),
        # An equals sign struck through.
        Word(
            "not_comparable",
            "plain",
            "M-0.8,-0.5H0.16L0.4,-0.95L0.7,-0.8L0.53,-0.5H0.8V-0.14H0.34L0.19,0.14H0.8V0.5H0"
            "L-0.24,0.95L-0.54,0.8L-0.37,0.5H-0.8V0.14H-0.18L-0.03,-0.14H-0.8Z",
        ),
    )
}

CONSISTENCY: dict[str, Word] = {
    word.code: word
    for word in (
        Word("same", "good", "M-0.8,-0.5H0.8V-0.14H-0.8ZM-0.8,0.14H0.8V0.5H-0.8Z"),
        Word(
            "off",
            "warn",
            "M-0.9,0.02C-0.6,-0.62,-0.2,-0.5,0.08,-0.22S0.62,0,0.78,-0.42L0.98,-0.2"
            "C0.7,0.55,0.24,0.44,-0.08,0.14S-0.56,-0.05,-0.7,0.24Z",
        ),
        Word(
            "false",
            "bad",
            "M-0.8,-0.5H0.16L0.4,-0.95L0.7,-0.8L0.53,-0.5H0.8V-0.14H0.34L0.19,0.14H0.8V0.5H0"
            "L-0.24,0.95L-0.54,0.8L-0.37,0.5H-0.8V0.14H-0.18L-0.03,-0.14H-0.8Z",
        ),
        Word("unknown", "plain", _QUESTION),
    )
}

# Why a verdict is unknown or two years are not comparable, as their reasons name it; a figure that
# was not verified says so itself.
REASONS = (
    "no_baseline", "no_change", "coverage", "bounds", "method", "coefficients", "devices",
    "ideal_cycles", "calendar", "planned_downtime", "product_mix", "boundary", "meters",
    "direction",
)  # fmt: skip
