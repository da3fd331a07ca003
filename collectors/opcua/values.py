"""OPC UA data values to samples. Pure."""

import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from asyncua import ua

from collectors import states, status
from collectors.opcua.settings import OpcuaTag
from collectors.opcua.structures import member_of
from collectors.sample import Sample, bad, measured, time_is_plausible, to_us

_NUMBERS = (float, int)
# InfoType DataValue with the Overflow bit.
_OVERFLOW = 0x480
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
# So many different texts are told of a tag; a text that counts up must not fill the quarantine.
_MOST_NOTES = 20


class Trouble(NamedTuple):
    """A value that is none: the status that is stored instead, and the reason for a person."""

    code: int
    reason: str


class Note(NamedTuple):
    """Why a value was not understood, and the value."""

    reason: str
    value: str


class Reading(NamedTuple):
    """A data value of one of a tag's nodes, at its time in µs since 1970 UTC."""

    part: int
    data: ua.DataValue
    ts_us: int


class Decoder:
    """Turns the values of one tag into samples; namespaces and enumerations are the session's.

    What cannot be understood is added to notes, each reason once.
    """

    def __init__(self, tag: OpcuaTag, notes: list[Note]) -> None:
        self._tag = tag
        self._notes = notes
        self._codes = None if tag.states is None else states.codes(tag.states)
        self._is_plain = all(one is None for one in (self._codes, tag.index, tag.member, tag.parse))
        self._told: set[str] = set()
        self.namespaces: list[str] = []
        self.enumerations: dict[int, Mapping[int, str]] = {}

    def value(self, data: ua.DataValue) -> tuple[float, int]:
        """Return a data value as a number with its status; NaN where there is none."""
        code = _status(data)
        if code < 0:
            return math.nan, code
        value: Any = data.Value.Value if data.Value is not None else None
        if not self._is_plain or type(value) not in _NUMBERS:
            found = self._decoded(value)
            if isinstance(found, Trouble):
                self._note(found, value)
                return math.nan, found.code
            value = found
        if not math.isfinite(value):
            return math.nan, status.BAD_OUT_OF_RANGE
        return float(value), code

    def text(self, value: Any, part: int = 0) -> str | None:
        """Return the name of a state as a server may send it, or None when there is none."""
        if isinstance(value, str):
            return readable(value)
        if isinstance(value, ua.LocalizedText):
            return None if value.Text is None else readable(value.Text)
        if isinstance(value, ua.QualifiedName):
            return value.Name
        if isinstance(value, ua.NodeId):
            return self._node_text(value)
        if isinstance(value, bool):
            return str(value)
        if isinstance(value, int):
            return self.enumerations.get(part, {}).get(int(value), str(int(value)))
        return None

    def _decoded(self, value: Any) -> float | Trouble:
        if value is None:
            return Trouble(status.BAD_NO_DATA, "")
        if self._tag.index is not None:
            value = self._element(value, self._tag.index)
            if isinstance(value, Trouble):
                return value
        if self._tag.member is not None:
            value = member_of(value, self._tag.member, self.namespaces)
            if value is None:
                reason = f"{self._tag.node} has no {self._tag.member} that is known here"
                return Trouble(status.BAD_TYPE_MISMATCH, reason)
        if self._codes is not None:
            return self._state(self.text(value))
        if self._tag.parse is not None and isinstance(value, str):
            return self._parsed(value)
        if isinstance(value, datetime):
            return to_us(value) / 1e6 if value.tzinfo else self._no_number()
        return float(value) if isinstance(value, int | float) else self._no_number()

    def _state(self, name: str | None) -> float | Trouble:
        if name is None:
            return self._no_number()
        code = (self._codes or {}).get(states.folded(name))
        if code is None:
            reason = f'"{name}" is no state of the tag\'s states'
            return Trouble(status.BAD_OUT_OF_RANGE, reason)
        return float(code)

    def _element(self, value: Any, index: int) -> Any:
        if not isinstance(value, list):
            return Trouble(status.BAD_TYPE_MISMATCH, f"{self._tag.node} is not an array")
        if index >= len(value):
            reason = f"{self._tag.node} has only {len(value)} elements"
            return Trouble(status.BAD_OUT_OF_RANGE, reason)
        return value[index]

    def _parsed(self, text: str) -> float | Trouble:
        if _NUMBER.fullmatch(text) is None:
            return Trouble(status.BAD_TYPE_MISMATCH, f"{self._tag.node} is a text without a number")
        return float(text)

    def _no_number(self) -> Trouble:
        return Trouble(status.BAD_TYPE_MISMATCH, f"{self._tag.node} is not a number or boolean")

    def _node_text(self, node: ua.NodeId) -> str:
        index = int(node.NamespaceIndex)
        identifier = node.to_string().rpartition(f"ns={index};")[2]
        if index == 0 or index >= len(self.namespaces):
            return identifier
        return f"nsu={self.namespaces[index]};{identifier}"

    def _note(self, trouble: Trouble, value: Any) -> None:
        new = trouble.reason and trouble.reason not in self._told
        if new and len(self._told) < _MOST_NOTES:
            self._told.add(trouble.reason)
            note = Note(f"{self._tag.tag}: {trouble.reason}", readable(str(value)))
            self._notes.append(note)


class CombinedDecoder(Decoder):
    """A state that is made of several nodes, known once all are: here of a state and its mode."""

    def __init__(self, tag: OpcuaTag, notes: list[Note]) -> None:
        super().__init__(tag, notes)
        self._parts: dict[int, ua.DataValue] = {}
        self._last = Sample(tag.tag, 0, None, status.GOOD)

    def samples(self, readings: Iterable[Reading]) -> list[Sample]:
        """Return one sample for each instant at which one of the nodes changed."""
        found: list[Sample] = []
        ordered = sorted(readings, key=lambda reading: reading.ts_us)
        for place, reading in enumerate(ordered):
            self._parts[reading.part] = reading.data
            is_last = place + 1 == len(ordered)
            is_whole = len(self._parts) == len(self._tag.nodes)
            if is_whole and (is_last or ordered[place + 1].ts_us > reading.ts_us):
                found += self._joined(reading.ts_us)
        return found

    def _joined(self, ts_us: int) -> Iterable[Sample]:
        sample = self._joint_state(ts_us)
        unchanged = sample.value == self._last.value and sample.status == self._last.status
        if ts_us <= self._last.ts_us:
            if unchanged:
                return ()
            # The second node's change came with the first one's time or before it; two values of
            # one tag cannot share an instant.
            sample = sample._replace(ts_us=self._last.ts_us + 1)
        self._last = sample
        return (sample,)

    def _joint_state(self, ts_us: int) -> Sample:
        worst = status.GOOD
        names = []
        for part in (0, 1):
            code = _status(self._parts[part])
            if code < 0:
                return bad(self._tag.tag, ts_us, code)
            worst = max(worst, code)
            variant = self._parts[part].Value
            names.append(self.text(variant.Value if variant is not None else None, part))
        if names[0] is None or names[1] is None:
            return bad(self._tag.tag, ts_us, status.BAD_NO_DATA)
        found = self._state(states.combined(names[0], names[1]))
        if isinstance(found, Trouble):
            return self._noted(found, states.combined(names[0], names[1]), ts_us)
        return measured(self._tag.tag, ts_us, found, worst)

    def _noted(self, trouble: Trouble, value: Any, ts_us: int) -> Sample:
        self._note(trouble, value)
        return bad(self._tag.tag, ts_us, trouble.code)


class NestedDecoder(CombinedDecoder):
    """The state of state machines inside state machines, such as those of OPC 30050.

    An outer state that is none of the scheme's, such as Running, means: look inside.
    """

    def _joint_state(self, ts_us: int) -> Sample:
        worst, name = status.GOOD, None
        trouble = Trouble(status.BAD_NO_DATA, "")
        for part in sorted(self._parts, reverse=True):
            code = _status(self._parts[part])
            if code < 0:
                return bad(self._tag.tag, ts_us, code)
            worst = max(worst, code)
            variant = self._parts[part].Value
            name = self.text(variant.Value if variant is not None else None, part)
            found = self._state(name)
            if not isinstance(found, Trouble):
                return measured(self._tag.tag, ts_us, found, worst)
            trouble = found
        return self._noted(trouble, name, ts_us)


def decoder_of(tag: OpcuaTag, notes: list[Note]) -> Decoder:
    """Return what turns the values of a tag's nodes into its samples."""
    if tag.mode_node is not None:
        return CombinedDecoder(tag, notes)
    return NestedDecoder(tag, notes) if tag.outer_nodes else Decoder(tag, notes)


def readable(text: str) -> str:
    """Return a text that can be stored, also where a controller sent it in GB 18030.

    The library keeps bytes that are no UTF-8 as surrogates, which no file or database takes.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raw = text.encode("utf-8", "surrogateescape")
        try:
            return raw.decode("gb18030")
        except UnicodeDecodeError:
            return raw.decode("utf-8", "backslashreplace")
    return text


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


def clock_us(clock: ua.DataValue, received_us: int) -> int:
    """Return the time that a server's clock shows, or that of reception when it shows none."""
    value = clock.Value.Value if clock.Value is not None else None
    return to_us(value) if isinstance(value, datetime) and value.tzinfo else received_us


def has_overflowed(data: ua.DataValue) -> bool:
    """Tell whether the server dropped older values of the node (OPC 10000-4, 7.39.1, Overflow)."""
    code = data.StatusCode
    return code is not None and code.value & _OVERFLOW == _OVERFLOW


def _status(data: ua.DataValue) -> int:
    code = data.StatusCode
    return status.GOOD if code is None else status.signed(code.value)
