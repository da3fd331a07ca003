"""Values of tags as systems and files write them. Pure; what does not fit raises NotDecoded."""

from typing import Any

from collectors import status
from collectors.documents import NotDecoded, kind_of
from collectors.sample import Sample, bad, measured


def tag_sample(tag: str, ts_us: int, value: Any, quality: Any = None) -> Sample:
    """Return a sample; null becomes BadNoData, and a bad quality leaves no value.

    quality is the name of an OPC UA status, such as Good or BadSensorFailure; Good without it.
    """
    code = _code(tag, quality)
    if status.is_bad(code):
        return bad(tag, ts_us, code)
    if value is None:
        return bad(tag, ts_us, status.BAD_NO_DATA)
    if not isinstance(value, int | float):
        raise NotDecoded(f"{tag} is {kind_of(value)}, not a number or boolean")
    try:
        return measured(tag, ts_us, float(value), code)
    except OverflowError as error:
        raise NotDecoded(f"{tag} is too large a number") from error


def _code(tag: str, quality: Any) -> int:
    if quality is None:
        return status.GOOD
    if not isinstance(quality, str) or quality not in status.CODES:
        raise NotDecoded(f'{tag}: there is no status "{quality}"; use Good, Uncertain or Bad')
    return status.CODES[quality]
