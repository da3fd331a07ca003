"""What systems send as the quality of a value, as an OPC UA status code.

Classic OPC counts quality from 0 to 255: its two upper bits (mask 0xC0) say good 192, uncertain
64, bad 0 (OPC Data Access 3.00, section 6.8). Sparkplug's 500 means stale. OPC UA has 32 bits and
0 is good there, so the file says which numbers are meant.
"""

from typing import Any

from collectors import status
from collectors.documents import NotDecoded, kind_of

_CLASSIC_MASK = 0xC0
_CLASSIC_END = 0x100
_CLASSIC = {0xC0: status.GOOD, 0x40: status.UNCERTAIN, 0x00: status.CODES["Bad"]}
_STALE = 500
_NUMBERS = range(-(1 << 31), 1 << 32)
_WORDS = {name.casefold(): code for name, code in status.CODES.items()} | {
    "ok": status.GOOD,
    "true": status.GOOD,
    "false": status.CODES["Bad"],
    "stale": status.BAD_NO_COMMUNICATION,
}


def status_of(raw: Any, codes: str) -> int:
    """Return the stored status of a quality; codes is "opc" or "opcua", for numbers.

    Texts are the names of status codes, good, uncertain or bad among them. Raises NotDecoded.
    """
    if isinstance(raw, bool):
        return status.GOOD if raw else status.CODES["Bad"]
    if isinstance(raw, str) and raw.casefold() in _WORDS:
        return _WORDS[raw.casefold()]
    if isinstance(raw, int) and raw in _NUMBERS:
        if codes == "opcua":
            return status.signed(raw & 0xFFFFFFFF)
        if raw == _STALE:
            return status.BAD_NO_COMMUNICATION
        if 0 <= raw < _CLASSIC_END and (raw & _CLASSIC_MASK) in _CLASSIC:
            return _CLASSIC[raw & _CLASSIC_MASK]
    shown = repr(raw)[:40] if isinstance(raw, str | int | float) else kind_of(raw)
    raise NotDecoded(f"the quality {shown} is not known")
