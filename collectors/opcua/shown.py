"""OPC UA values as a person reads them while browsing. Pure."""

from datetime import datetime

from asyncua import ua

_LONGEST = 60
_ELEMENTS = 4


def shown(value: object) -> str:
    """Return a short text of a value: never more than a line, a structure by its type's name."""
    text = _text(value).replace("\n", " ")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        more = ", …" if len(value) > _ELEMENTS else ""
        return f"[{', '.join(_text(one) for one in value[:_ELEMENTS])}{more}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, ua.LocalizedText):
        return value.Text or ""
    if isinstance(value, ua.QualifiedName):
        return value.Name or ""
    if isinstance(value, ua.EUInformation):
        return value.DisplayName.Text or ""
    if isinstance(value, ua.Range):
        return f"{value.Low:g} … {value.High:g}"
    if isinstance(value, ua.NodeId):
        return str(value.to_string())
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, int | str):
        return str(value)
    return f"({type(value).__name__})"
