"""Guards that every formula puts before its arithmetic."""

import sys

from kpi.errors import NotComputable
from kpi.reasons import because

# Sums of measured seconds carry rounding; a value may pass a hard limit by this share.
ROUNDING = 1e-9
_LONGEST_SHOWN = 40


def number(name: str, value: object) -> float:
    """Return a value as a finite float; a missing, textual or infinite value is refused."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotComputable(because("not_a_number", name=name, value=repr(value)))
    # A whole number may be larger than any float.
    if not abs(value) <= sys.float_info.max:
        raise NotComputable(because("not_finite", name=name, value=str(value)[:_LONGEST_SHOWN]))
    return float(value)


def non_negative(name: str, value: object) -> float:
    """Return a finite value of at least zero."""
    result = number(name, value)
    if result < 0:
        raise NotComputable(because("negative", name=name, value=result))
    return result


def positive(name: str, value: object) -> float:
    """Return a finite value above zero."""
    result = number(name, value)
    if result <= 0:
        raise NotComputable(because("not_above_zero", name=name, value=result))
    return result


def at_most(name: str, value: float, limit_name: str, limit: float) -> None:
    """Refuse a value above its physical limit, beyond rounding."""
    if value > limit * (1 + ROUNDING):
        raise NotComputable(
            because("exceeds", name=name, value=value, limit_name=limit_name, limit=limit)
        )


def ratio(numerator: float, denominator: float) -> float | None:
    """Divide, or give None where the denominator is zero: neither 0 nor 1 would be true."""
    return numerator / denominator if denominator > 0 else None
