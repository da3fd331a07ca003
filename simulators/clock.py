"""Local days and instants: days count from 1970-01-01, instants are microseconds UTC."""

from datetime import UTC, date, datetime, time, timedelta, timezone

import numpy as np
import numpy.typing as npt

# Asia/Shanghai has had no daylight saving since 1991, so a fixed offset is exact here.
LOCAL = timezone(timedelta(hours=8))
TIMEZONE = "Asia/Shanghai"

SECOND_US = 1_000_000
DAY_S = 86_400
DAY_US = DAY_S * SECOND_US
OFFSET_US = 8 * 3600 * SECOND_US
QUARTER_US = 900 * SECOND_US

Instants = npt.NDArray[np.int64]

_EPOCH = date(1970, 1, 1)


def day_number(day: date) -> int:
    """Return the number of a local day, 0 for 1970-01-01."""
    return (day - _EPOCH).days


def day_of(number: int) -> date:
    """Return the local day with this number."""
    return _EPOCH + timedelta(days=int(number))


def midnight_us(day: int) -> int:
    """Return the instant at which a local day starts [µs]."""
    return day * DAY_US - OFFSET_US


def local_day(instant_us: int) -> int:
    """Return the number of the local day that holds an instant [µs]."""
    return (instant_us + OFFSET_US) // DAY_US


def to_us(moment: datetime) -> int:
    """Return an aware time as microseconds since 1970 UTC."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def to_datetime(instant_us: int) -> datetime:
    """Return an instant [µs] as local aware time."""
    return datetime(1970, 1, 1, tzinfo=UTC).astimezone(LOCAL) + timedelta(microseconds=instant_us)


def iso(instant_us: int) -> str:
    """Return an instant [µs] as local ISO text, whole seconds."""
    return to_datetime(instant_us // SECOND_US * SECOND_US).isoformat()


def seconds_of_day(text: str) -> int:
    """Return "08:30" as seconds after midnight."""
    moment = time.fromisoformat(text)
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def add_months(first: date, months: int) -> date:
    """Return the first day of the month that lies some months after a first of month."""
    moved = np.datetime64(first, "M") + np.timedelta64(months, "M")
    found: date = moved.astype("datetime64[D]").item()
    return found


def grid(start_us: int, end_us: int, step_us: int = QUARTER_US) -> Instants:
    """Return the multiples of a step in [start, end); quarter hours when no step is given."""
    return np.arange(-(-start_us // step_us) * step_us, end_us, step_us, dtype=np.int64)
