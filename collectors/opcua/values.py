"""OPC UA data values to samples. Pure."""

from asyncua import ua

from collectors import status
from collectors.sample import Sample, bad, measured, time_is_plausible, to_us


def to_sample(tag: str, data: ua.DataValue, ts_us: int) -> Sample:
    """Return the sample of a data value; a bad status has no value, and no text is a number."""
    code = status.signed(data.StatusCode.value) if data.StatusCode is not None else status.GOOD
    if status.is_bad(code):
        return bad(tag, ts_us, code)
    value = data.Value.Value if data.Value is not None else None
    if value is None:
        return bad(tag, ts_us, status.BAD_NO_DATA)
    if not isinstance(value, int | float):
        return bad(tag, ts_us, status.BAD_TYPE_MISMATCH)
    return measured(tag, ts_us, float(value), code)


def source_us(data: ua.DataValue, received_us: int) -> int:
    """Return the source's time, else the server's, else that of reception, in µs since 1970 UTC.

    A server that does not know a time sends none or 1601; neither is taken.
    """
    for moment in (data.SourceTimestamp, data.ServerTimestamp):
        if moment is not None and moment.tzinfo is not None:
            ts_us = to_us(moment)
            if time_is_plausible(ts_us):
                return ts_us
    return received_us
