"""Payloads: what is read of them, what is refused, and the module that reads them."""

import gzip
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.documents import NotDecoded
from collectors.sparkplug.payload import decode
from tests.collectors.sparkplug.edge_node import (
    INT32,
    START_MS,
    STRING,
    Raw,
    compressed,
    metric,
    payload,
    wire_value,
)
from tests.collectors.sparkplug.generated import MADE, ROOT, SOURCE, generate

LARGE = 20_000_000


def test_the_module_is_what_the_definition_says(tmp_path: Path) -> None:
    made = generate(tmp_path)
    assert set(made) == set(MADE)
    for name, text in made.items():
        assert (ROOT / SOURCE).with_name(name).read_text(encoding="utf-8") == text


def test_all_of_a_metric_is_read() -> None:
    content = decode(
        payload(
            [
                metric("Temp/内", -12, INT32, alias=2**64 - 1, ts_ms=5, quality=500),
                metric(alias=0, historical=True, transient=True, null=True),
            ],
            seq=255,
        )
    )
    assert (content.ts_ms, content.seq) == (START_MS, 255)
    first, second = content.metrics
    assert first[:4] == ("Temp/内", 2**64 - 1, 5, INT32)
    assert (first.quality, first.value, first.is_historical) == (500, 4294967284, False)
    assert second == (None, 0, None, None, True, True, None, None)


def test_a_null_has_no_value_even_if_it_is_sent_with_one() -> None:
    (found,) = decode(payload([metric("m", 3, INT32, null=True)])).metrics
    assert found.value is None


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(NotDecoded):
        assert decode(data).metrics is not None


@pytest.mark.parametrize("pack", [zlib.compress, gzip.compress])
def test_a_compressed_payload_is_unpacked(pack: type[bytes]) -> None:
    inner = payload([metric("m", 7, INT32)], seq=3)
    assert decode(compressed(pack(inner))) == decode(inner)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\xff", "no Sparkplug B payload"),
        (payload([b"\x0a\x02\xff\xfe"]), "no Sparkplug B payload"),
        (payload([], seq=256), "seq is 256"),
        (compressed(b"plain"), "cannot be unpacked"),
        (compressed(zlib.compress(payload([]))[:-4]), "cut off"),
        (compressed(zlib.compress(bytes(LARGE))), "larger than"),
    ],
)
def test_what_is_no_payload_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(NotDecoded, match=reason):
        decode(data)


def test_only_a_number_is_a_quality() -> None:
    odd = Raw(wire_value(STRING, "x") + b"\x4a\x0e\x0a\x07Quality\x12\x03\x42\x01x")
    (found,) = decode(payload([metric("m", odd, STRING)])).metrics
    assert found.quality is None
