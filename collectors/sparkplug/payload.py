"""Sparkplug B payloads: bytes to metrics. Pure; what is none raises NotDecoded."""

import zlib
from typing import NamedTuple

from google.protobuf.message import DecodeError

from collectors.documents import NotDecoded
from collectors.sparkplug.datatypes import Wire
from collectors.sparkplug.payload_pb2 import Metric as WireMetric
from collectors.sparkplug.payload_pb2 import Payload, PropertySet

# A body with this name holds another payload, packed with zlib or gzip.
_COMPRESSED = "SPBV1.0_COMPRESSED"
_MOST_BYTES = 16_000_000
_ZLIB_OR_GZIP = 32 + zlib.MAX_WBITS

_SEQ_END = 256
_QUALITY = "quality"


class Metric(NamedTuple):
    """One metric as it was sent; ts_ms is ms since 1970 UTC, value None where there is none."""

    name: str | None
    alias: int | None
    ts_ms: int | None
    datatype: int | None
    is_historical: bool
    is_transient: bool
    quality: int | None
    value: Wire | None


class Content(NamedTuple):
    """What one message holds; seq is None where the kind of message has none."""

    ts_ms: int | None
    seq: int | None
    metrics: list[Metric]


def decode(data: bytes) -> Content:
    """Return the content of a message's bytes; raises NotDecoded."""
    payload = _parse(data)
    if payload.uuid == _COMPRESSED:
        payload = _parse(_unpacked(payload.body))
    seq = payload.seq if payload.HasField("seq") else None
    if seq is not None and seq >= _SEQ_END:
        raise NotDecoded(f"seq is {seq}, not a number from 0 to 255")
    ts_ms = payload.timestamp if payload.HasField("timestamp") else None
    return Content(ts_ms, seq, [_metric(metric) for metric in payload.metrics])


def _parse(data: bytes) -> Payload:
    try:
        return Payload.FromString(data)
    except DecodeError as error:
        raise NotDecoded("the payload is no Sparkplug B payload") from error


def _unpacked(body: bytes) -> bytes:
    try:
        unpacking = zlib.decompressobj(_ZLIB_OR_GZIP)
        data = unpacking.decompress(body, _MOST_BYTES)
    except zlib.error as error:
        raise NotDecoded(f"the compressed payload cannot be unpacked: {error}") from error
    if unpacking.unconsumed_tail:
        raise NotDecoded(f"the compressed payload is larger than {_MOST_BYTES} bytes")
    if not unpacking.eof:
        raise NotDecoded("the compressed payload is cut off")
    return data


def _metric(wire: WireMetric) -> Metric:
    kind = wire.WhichOneof("value")
    return Metric(
        wire.name if wire.HasField("name") else None,
        wire.alias if wire.HasField("alias") else None,
        wire.timestamp if wire.HasField("timestamp") else None,
        wire.datatype or None,
        wire.is_historical,
        wire.is_transient,
        _quality(wire.properties) if wire.HasField("properties") else None,
        None if kind is None or wire.is_null else getattr(wire, kind),
    )


def _quality(properties: PropertySet) -> int | None:
    for key, value in zip(properties.keys, properties.values, strict=False):
        if key.casefold() == _QUALITY and not value.is_null:
            kind = value.WhichOneof("value")
            if kind in ("int_value", "long_value"):
                return int(getattr(value, kind))
    return None
