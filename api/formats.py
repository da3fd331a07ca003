"""Numbers, times and periods as a person reads them."""

from datetime import UTC, date, datetime, timedelta
from math import floor, log10
from zoneinfo import ZoneInfo

from api.kpis import Kpi

NOTHING = "—"
# Where the bureau is: its days, terms and clock.
CITY = "Asia/Shanghai"
_MINUS = "−"


def number(value: float | None, decimals: int) -> str:
    """Return a number with thousands separators; a dash for none."""
    if value is None:
        return NOTHING
    text = f"{value:,.{decimals}f}"
    if text.startswith("-"):
        # A rounded zero has no sign.
        return _MINUS + text[1:] if any(digit in text for digit in "123456789") else text[1:]
    return text


def percent(ratio: float | None, decimals: int = 0) -> str:
    """Return a ratio in percent; a dash for none."""
    return NOTHING if ratio is None else f"{number(ratio * 100, decimals)} %"


def signed_percent(ratio: float | None, decimals: int = 1) -> str:
    """Return a ratio in percent with its sign; a dash for none."""
    text = percent(ratio, decimals)
    positive = ratio is not None and ratio > 0 and any(digit in text for digit in "123456789")
    return f"+{text}" if positive else text


def kpi_value(kpi: Kpi, value: float | None) -> str:
    """Return a stored value of a KPI as shown, without its unit."""
    return number(kpi.shown(value), kpi.decimals)


def months(start: date, end: date) -> str:
    """Return a half-open window of whole months by its first and last month."""
    last = end - timedelta(days=1)
    first_text, last_text = f"{start:%Y-%m}", f"{last:%Y-%m}"
    return first_text if first_text == last_text else f"{first_text} – {last_text}"


def local_time(moment: datetime | None, timezone: str = CITY) -> str:
    """Return a moment on the city's clock or a factory's; a dash for none."""
    if moment is None:
        return NOTHING
    return f"{moment.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M:%S}"


def local_minute(moment: datetime | None, timezone: str = CITY) -> str:
    """Return a moment on the city's clock or a factory's, without seconds; a dash for none."""
    return local_time(moment, timezone).rpartition(":")[0] or NOTHING


def age_s(moment: datetime, now: datetime | None = None) -> float:
    """Return how many seconds ago a moment was; one in the future is 0 s ago."""
    return max(0.0, ((now or datetime.now(UTC)) - moment).total_seconds())


def tag_value(value: float | None) -> str:
    """Return a raw value with six significant figures; whole numbers in full."""
    if value is None:
        return NOTHING
    if value == 0 or not 1e-4 <= abs(value) < 1e15:
        return f"{value:.6g}".replace("-", _MINUS)
    decimals = max(0, 5 - floor(log10(abs(value))))
    text = number(value, decimals)
    return text.rstrip("0").rstrip(".") if decimals else text
