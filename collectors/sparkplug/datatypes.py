"""Sparkplug B datatypes: what a wire value means. Pure.

Numbers of the datatypes: Sparkplug 3.0, section 6.4.16. On the wire every integer is unsigned, so
−12 as Int32 arrives as 4294967284, and only the datatype, which as a rule stands in the birth
alone, tells the two apart.
"""

from collectors import status

Wire = int | float | bool | str | bytes

_BITS_32 = 32
_BITS_64 = 64

_SIGNED = {1: 8, 2: 16, 3: 32, 4: 64}
_UNSIGNED = {5: 8, 6: 16, 7: 32, 8: 64}
FLOAT, DOUBLE, BOOLEAN, STRING, DATETIME, TEXT, UUID = 9, 10, 11, 12, 13, 14, 15

_NAMES = (
    "Unknown", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float",
    "Double", "Boolean", "String", "DateTime", "Text", "UUID", "DataSet", "Bytes", "File",
    "Template", "PropertySet", "PropertySetList", "Int8Array", "Int16Array", "Int32Array",
    "Int64Array", "UInt8Array", "UInt16Array", "UInt32Array", "UInt64Array", "FloatArray",
    "DoubleArray", "BooleanArray", "StringArray", "DateTimeArray",
)  # fmt: skip

_TEXTS = {STRING, TEXT, UUID}


class NotAValue(Exception):
    """A metric does not hold a value that can be stored; status is what is stored instead."""

    def __init__(self, reason: str, code: int = status.BAD_TYPE_MISMATCH) -> None:
        super().__init__(reason)
        self.status = code


def name(datatype: int) -> str:
    """Return what the specification calls a datatype."""
    return _NAMES[datatype] if 0 <= datatype < len(_NAMES) else f"datatype {datatype}"


def is_number(datatype: int) -> bool:
    """Tell whether values of a datatype are stored without a table of states."""
    return (
        datatype in _SIGNED
        or datatype in _UNSIGNED
        or FLOAT <= datatype <= BOOLEAN
        or (datatype == DATETIME)
    )


def is_storable(datatype: int) -> bool:
    """Tell whether values of a datatype are numbers or texts; sets, arrays and files are not."""
    return is_number(datatype) or datatype in _TEXTS


def meaning(datatype: int, wire: Wire) -> float | str:
    """Return the number or text of a wire value; a DateTime in seconds since 1970 UTC.

    Raises NotAValue when the value does not fit its datatype.
    """
    if datatype in _SIGNED:
        return float(_signed(datatype, _integer(datatype, wire)))
    if datatype in _UNSIGNED:
        return float(_unsigned(datatype, _integer(datatype, wire)))
    if datatype in (FLOAT, DOUBLE) and isinstance(wire, float):
        return wire
    if datatype == BOOLEAN and isinstance(wire, bool):
        return float(wire)
    if datatype == DATETIME:
        return _integer(datatype, wire) / 1000
    if datatype in _TEXTS and isinstance(wire, str):
        return wire
    raise _unfit(datatype, wire)


def _integer(datatype: int, wire: Wire) -> int:
    if isinstance(wire, bool) or not isinstance(wire, int):
        raise _unfit(datatype, wire)
    return wire


def _signed(datatype: int, wire: int) -> int:
    """Return a signed integer, sent either in its own width or as 32 or 64 bits."""
    width = _SIGNED[datatype]
    if wire < 1 << width:
        return _two_s_complement(wire, width)
    number = _two_s_complement(wire, _BITS_32 if wire < 1 << _BITS_32 else _BITS_64)
    if -(1 << width - 1) <= number < 0:
        return number
    raise _too_wide(datatype)


def _unsigned(datatype: int, wire: int) -> int:
    if wire < 1 << _UNSIGNED[datatype]:
        return wire
    raise _too_wide(datatype)


def _two_s_complement(wire: int, width: int) -> int:
    return wire - (1 << width) if wire >> width - 1 else wire


def _unfit(datatype: int, wire: Wire) -> NotAValue:
    return NotAValue(f"its datatype is {name(datatype)}, and it was sent as {type(wire).__name__}")


def _too_wide(datatype: int) -> NotAValue:
    return NotAValue(f"it does not fit {name(datatype)}", status.BAD_OUT_OF_RANGE)
