"""Guards that every formula puts before its arithmetic."""

import math

from kpi.errors import NotComputable

# Sums of measured seconds carry rounding; a value may pass a hard limit by this share.
ROUNDING = 1e-9


def number(name: str, value: object) -> float:
    """Return a value as a finite float; a missing, textual or infinite value is refused."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotComputable(f"{name} is missing or not a number ({value!r}); supply it")
    result = float(value)
    if not math.isfinite(result):
        raise NotComputable(f"{name} is not finite ({value!r}); supply a measured value")
    return result


def non_negative(name: str, value: object) -> float:
    """Return a finite value of at least zero."""
    result = number(name, value)
    if result < 0:
        raise NotComputable(f"{name} is negative ({result:g}); correct the source")
    return result


def positive(name: str, value: object) -> float:
    """Return a finite value above zero."""
    result = number(name, value)
    if result <= 0:
        raise NotComputable(f"{name} must be above zero, not {result:g}")
    return result


def at_most(name: str, value: float, limit_name: str, limit: float) -> None:
    """Refuse a value above its physical limit, beyond rounding."""
    if value > limit * (1 + ROUNDING):
        raise NotComputable(f"{name} ({value:g}) exceeds {limit_name} ({limit:g}): contradictory")


def ratio(numerator: float, denominator: float) -> float | None:
    """Divide, or give None where the denominator is zero: neither 0 nor 1 would be true."""
    return numerator / denominator if denominator > 0 else None
