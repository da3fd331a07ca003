"""What a source hands over: values, records, and what could not be understood."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from collectors import status
from store.canonical import Record

if TYPE_CHECKING:
    from collectors.columns import Columns

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# The span in which a time stamp is believed to be one: 1970 to 2200. A controller whose clock
# fell back to its own epoch stays inside; an empty OPC UA time (1601) does not.
FIRST_US = 0
END_US = 7_258_118_400_000_000


class Sample(NamedTuple):
    """One value of one tag; ts_us is source time in µs since 1970 UTC, a bad one has no value."""

    tag: str
    ts_us: int
    value: float | None
    status: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that arrived and could not be understood, kept for a person to see."""

    reason: str
    payload: str


@dataclass(frozen=True, slots=True)
class Message:
    """Tells a message that is delivered again from one that says the same once more."""

    digest: bytes
    repeated: bool


@dataclass(slots=True)
class Delivery:
    """What a source hands over at once; an empty one says that the source is alive.

    Values come as samples or, from a source that has many at once, as columns (see
    collectors.columns); where a delivery has both, its samples came first. stored is called once
    the spool holds all of it: a source that can acknowledge does it there. skew_s is the gateway's
    clock minus the source's, in seconds, where it could be seen. arrived_us, in µs since 1970 UTC,
    is when the gateway received it; the writer sets it where the source did not.
    """

    samples: list[Sample] = field(default_factory=list)
    columns: "list[Columns]" = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    skew_s: float | None = None
    message: Message | None = None
    stored: Callable[[], None] | None = None
    arrived_us: int | None = None

    def all_samples(self) -> list[Sample]:
        """Return every value as a sample, for a person or a test to look at."""
        return [*self.samples, *(one for block in self.columns for one in block.samples())]


def now_us() -> int:
    """Return the gateway's time in µs since 1970 UTC."""
    return time.time_ns() // 1000


def to_us(moment: datetime) -> int:
    """Return an aware time in µs since 1970 UTC."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def from_us(ts_us: int) -> datetime:
    """Return µs since 1970 UTC as an aware time."""
    return EPOCH + timedelta(microseconds=ts_us)


def measured(tag: str, ts_us: int, value: float, code: int = status.GOOD) -> Sample:
    """Return a sample with a value; one that is no finite number becomes BadOutOfRange."""
    if not math.isfinite(value):
        return Sample(tag, ts_us, None, status.BAD_OUT_OF_RANGE)
    return Sample(tag, ts_us, value, code)


def bad(tag: str, ts_us: int, code: int) -> Sample:
    """Return a sample without a value."""
    return Sample(tag, ts_us, None, code)


def time_is_plausible(ts_us: int) -> bool:
    """Tell whether a time stamp lies between 1970 and 2200."""
    return FIRST_US <= ts_us < END_US
