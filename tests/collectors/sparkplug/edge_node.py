"""An edge node that shares no code with the host: payloads byte by byte, and a client of its own.

The bytes follow the encoding of Protocol Buffers and the field numbers of the specification.
"""

import socket
import struct
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.publish import single

from tests.support.waiting import wait_for

INT8, INT16, INT32, INT64 = 1, 2, 3, 4
UINT8, UINT16, UINT32, UINT64 = 5, 6, 7, 8
FLOAT, DOUBLE, BOOLEAN, STRING, DATETIME, TEXT = 9, 10, 11, 12, 13, 14
DATASET, BYTES, TEMPLATE, INT32_ARRAY = 16, 17, 19, 24

_INT_FIELD, _LONG_FIELD, _FLOAT_FIELD, _DOUBLE_FIELD = 10, 11, 12, 13
_BOOLEAN_FIELD, _STRING_FIELD, _BYTES_FIELD, _DATASET_FIELD = 14, 15, 16, 17
_PUBLISH_S = 20.0

START_MS = 1_772_323_200_000  # 2026-03-01T00:00:00Z


def metric(
    name: str | None = None,
    value: Any = None,
    datatype: int | None = None,
    *,
    alias: int | None = None,
    ts_ms: int | None = None,
    historical: bool = False,
    transient: bool = False,
    null: bool = False,
    quality: int | None = None,
) -> bytes:
    """Return the bytes of a metric; value is what the machine means, not what the wire has."""
    parts = []
    if name is not None:
        parts.append(_text(1, name))
    if alias is not None:
        parts.append(_number(2, alias))
    if ts_ms is not None:
        parts.append(_number(3, ts_ms))
    if datatype is not None:
        parts.append(_number(4, datatype))
    parts += [_number(5, 1)] * historical + [_number(6, 1)] * transient + [_number(7, 1)] * null
    if quality is not None:
        kind = _number(1, INT32) + _number(3, quality)
        parts.append(_block(9, _text(1, "Quality") + _block(2, kind)))
    if value is not None:
        parts.append(value if isinstance(value, Raw) else wire_value(datatype or 0, value))
    return b"".join(parts)


class Raw(bytes):
    """Bytes of a value field that are sent as they are."""


def raw_int(number: int) -> Raw:
    """Return the field int_value with this unsigned number."""
    return Raw(_number(_INT_FIELD, number))


def raw_long(number: int) -> Raw:
    """Return the field long_value with this unsigned number."""
    return Raw(_number(_LONG_FIELD, number))


def wire_value(datatype: int, value: Any) -> bytes:
    """Return the value field of a datatype, signed integers as two's complement."""
    if datatype in (INT8, INT16, INT32, UINT8, UINT16, UINT32):
        return _number(_INT_FIELD, value & 0xFFFF_FFFF)
    if datatype in (INT64, UINT64, DATETIME):
        return _number(_LONG_FIELD, value & 0xFFFF_FFFF_FFFF_FFFF)
    if datatype == FLOAT:
        return _key(_FLOAT_FIELD, 5) + struct.pack("<f", value)
    if datatype == DOUBLE:
        return _key(_DOUBLE_FIELD, 1) + struct.pack("<d", value)
    if datatype == BOOLEAN:
        return _number(_BOOLEAN_FIELD, int(value))
    if datatype in (STRING, TEXT):
        return _text(_STRING_FIELD, value)
    return _block(_DATASET_FIELD if datatype == DATASET else _BYTES_FIELD, value)


def payload(metrics: Sequence[bytes], seq: int | None = None, ts_ms: int | None = None) -> bytes:
    """Return the bytes of a payload; its time is START_MS unless another is given."""
    parts = [_number(1, START_MS if ts_ms is None else ts_ms)]
    parts += [_block(2, one) for one in metrics]
    if seq is not None:
        parts.append(_number(3, seq))
    return b"".join(parts)


def compressed(body: bytes) -> bytes:
    """Return a payload that holds another one, packed."""
    return _text(4, "SPBV1.0_COMPRESSED") + _block(5, body)


def bd_seq(number: int) -> bytes:
    """Return the metric that ties a death to its birth."""
    return metric("bdSeq", number, INT64)


def _key(field: int, wire_type: int) -> bytes:
    return _varint(field << 3 | wire_type)


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _number(field: int, number: int) -> bytes:
    return _key(field, 0) + _varint(number)


def _block(field: int, data: bytes) -> bytes:
    return _key(field, 2) + _varint(len(data)) + data


def _text(field: int, text: str) -> bytes:
    return _block(field, text.encode())


class EdgeNode:
    """An edge node at a real broker: counts its messages, and dies by its will."""

    def __init__(self, port: int, group: str, node: str, bd: int = 0) -> None:
        self._group, self._node, self._bd = group, node, bd
        self.seq = 0
        self._client = Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
        self._client.will_set(self.topic("NDEATH"), payload([bd_seq(bd)]), qos=1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def __enter__(self) -> "EdgeNode":
        wait_for(self._client.is_connected, "the edge node's connection")
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def topic(self, kind: str, device: str = "") -> str:
        """Return the topic of a kind of message."""
        return "/".join(part for part in ("spBv1.0", self._group, kind, self._node, device) if part)

    def birth(self, *metrics: bytes) -> None:
        """Publish the node's birth, which starts its sequence anew."""
        self.seq = 0
        self.send("NBIRTH", [*metrics, bd_seq(self._bd)])

    def send(self, kind: str, metrics: Sequence[bytes], device: str = "") -> None:
        """Publish a message with the next sequence number."""
        self.publish(self.topic(kind, device), payload(metrics, self.seq, time_ms()))
        self.seq = (self.seq + 1) % 256

    def skip(self, messages: int = 1) -> None:
        """Lose messages on the way."""
        self.seq = (self.seq + messages) % 256

    def drop(self) -> None:
        """Lose the connection without a word, so that the broker publishes the will."""
        connection = self._client.socket()
        assert isinstance(connection, socket.socket)
        connection.shutdown(socket.SHUT_RDWR)

    def die(self, bd: int | None = None) -> None:
        """Publish a death, of this session or of another one."""
        self.publish(self.topic("NDEATH"), payload([bd_seq(self._bd if bd is None else bd)]), qos=1)

    def publish(self, topic: str, data: bytes, qos: int = 0, *, retain: bool = False) -> None:
        """Publish bytes and wait until they are on their way."""
        self._client.publish(topic, data, qos=qos, retain=retain).wait_for_publish(_PUBLISH_S)


def say_nothing(port: int, group: str, device: str = "marker") -> None:
    """Publish what is no payload: who is told of it is known to be listening."""
    topic = f"spBv1.0/{group}/DDATA/N/{device}"
    single(topic, b"\xff", qos=1, hostname="127.0.0.1", port=port)


def time_ms() -> int:
    """Return this moment in ms since 1970 UTC."""
    return time.time_ns() // 1_000_000
