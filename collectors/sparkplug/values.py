"""Metrics to samples. Pure."""

from collectors import status
from collectors.sample import Sample, bad
from collectors.sparkplug import datatypes
from collectors.sparkplug.datatypes import NotAValue
from collectors.sparkplug.payload import Content, Metric
from collectors.sparkplug.rules import Route

_US_PER_MS = 1000

# Values of the property "Quality": Sparkplug 3.0, section 6.4.14; the others are those of OPC.
_STALE = 500
_CLASS = 0xC0
_GOOD = 0xC0
_UNCERTAIN = 0x40
_END = 0x100

_LAST_USABLE = status.CODES["UncertainLastUsableValue"]
_BAD = status.CODES["Bad"]


def status_of(quality: int | None, *, is_certain: bool) -> int:
    """Return the status of a value; quality is the metric's property of that name, if any."""
    if quality == _STALE:
        return _LAST_USABLE
    if quality is not None and 0 <= quality < _END and quality & _CLASS != _GOOD:
        return status.UNCERTAIN if quality & _CLASS == _UNCERTAIN else _BAD
    is_known = quality is None or 0 <= quality < _END
    return status.GOOD if is_certain and is_known else status.UNCERTAIN


def time_us(metric: Metric, content: Content, received_us: int) -> int:
    """Return the metric's time, else the message's, else that of reception, in µs since 1970."""
    for ts_ms in (metric.ts_ms, content.ts_ms):
        if ts_ms is not None:
            return ts_ms * _US_PER_MS
    return received_us


def sample(route: Route, metric: Metric, datatype: int | None, ts_us: int, code: int) -> Sample:
    """Return the sample of a metric; without a value it is BadNoData. Raises NotAValue."""
    if status.is_bad(code):
        return bad(route.tag, ts_us, code)
    if metric.value is None:
        return bad(route.tag, ts_us, status.BAD_NO_DATA)
    if datatype is None:
        raise NotAValue("neither its birth nor the message tells its datatype")
    if not datatypes.is_storable(datatype):
        raise NotAValue(f"{datatypes.name(datatype)} values cannot be stored")
    return route.sample(ts_us, datatypes.meaning(datatype, metric.value), code)
