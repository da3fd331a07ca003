"""What a gateway packs is what the city unpacks, and nothing else is taken for a batch."""

import json
import tracemalloc
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import signing, wire
from store.batches import Batch
from store.canonical import FIRST_PREVIOUS, Record, Rows, canonical_bytes, chain_hash
from store.errors import WireRefused, WireUnknown
from tests.store.samples import START, Gateway, rows_of

_AWARE = st.datetimes(
    START.replace(tzinfo=None, year=1970),
    START.replace(tzinfo=None, year=2199),
    timezones=st.just(timezone(timedelta(hours=8))),
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
_RECORDS = st.builds(Record, st.text(), st.text(), _AWARE, st.dictionaries(st.text(), _JSON))
_NAME = st.text(min_size=1, max_size=200)


@st.composite
def rows(draw: st.DrawFn) -> Rows:
    count = draw(st.integers(0, 40))

    def column(elements: st.SearchStrategy[Any], dtype: Any) -> Any:
        return np.array(draw(st.lists(elements, min_size=count, max_size=count)), dtype)

    return Rows(
        column(st.integers(-(2**31), 2**31 - 1), np.int32),
        column(st.integers(-(2**63), 2**63 - 1), np.int64),
        column(st.floats(), np.float64),
        column(st.integers(-(2**31), 2**31 - 1), np.int32),
    )


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    return Batch(
        gateway=draw(_NAME),
        seq=draw(st.integers(1, 2**63 - 1)),
        config_version=draw(_NAME),
        rows=draw(rows()),
        records=tuple(draw(st.lists(_RECORDS, max_size=4))),
        prev_sha256=draw(st.binary(min_size=32, max_size=32)),
        sha256=draw(st.binary(min_size=32, max_size=32)),
        signature=draw(st.binary(min_size=64, max_size=64)),
        imported=draw(st.booleans()),
        clock_skew_s=draw(st.none() | st.floats(allow_nan=False, allow_infinity=False)),
        collected_from=draw(st.none() | _AWARE),
        collected_to=draw(st.none() | _AWARE),
    )


def same(one: Batch, other: Batch) -> bool:
    """Tell whether two batches are one to the last bit."""
    columns = ("tag_id", "ts_us", "value", "status")
    fields = [name for name in one.__dataclass_fields__ if name != "rows"]
    return all(getattr(one, name) == getattr(other, name) for name in fields) and all(
        getattr(one.rows, name).tobytes() == getattr(other.rows, name).tobytes()
        and getattr(one.rows, name).dtype == getattr(other.rows, name).dtype
        for name in columns
    )


@given(batches())
def test_a_batch_comes_out_as_it_went_in(batch: Batch) -> None:
    assert same(wire.decode(wire.encode(batch)), batch)


@given(batches(), st.integers(0, 10_000), st.integers(1, 255))
def test_a_damaged_byte_never_makes_other_content(batch: Batch, place: int, change: int) -> None:
    data = bytearray(wire.encode(batch))
    data[place % len(data)] ^= change
    try:
        found = wire.decode(bytes(data))
    except WireRefused:
        return
    # A byte of the header was hit; the content that is hashed and signed is the same.
    assert canonical_bytes(found.rows, found.records) == canonical_bytes(batch.rows, batch.records)


@given(st.binary(max_size=200))
def test_anything_else_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(WireRefused):
        wire.decode(data)
    with pytest.raises(WireRefused):
        wire.decode(b"MPB1" + data)


def sample(count: int = 100) -> Batch:
    gateway = Gateway("gw", signing.generate_key(), {})
    record = Record("order_line", "SO1", START, {"数量": 1})
    return gateway.batch(rows_of([1, 2], count), (record,))


def test_the_hash_can_be_made_anew_from_what_arrives() -> None:
    batch = sample()
    found = wire.decode(wire.encode(batch))
    content = canonical_bytes(found.rows, found.records)
    assert chain_hash(FIRST_PREVIOUS, content) == batch.sha256


@pytest.mark.parametrize("cut", [1, 4, 7, 50, 700])
def test_a_body_that_was_cut_off(cut: int) -> None:
    data = wire.encode(sample())
    for part in (data[:cut], data[:-cut], data + bytes(cut)):
        with pytest.raises(WireRefused):
            wire.decode(part)


def test_another_version_says_so() -> None:
    with pytest.raises(WireUnknown, match="another version of Millpond"):
        wire.decode(b"MPB2" + wire.encode(sample())[4:])
    with pytest.raises(WireUnknown, match="later is not known here"):
        wire.decode(changed(lambda head: head["batch"].update(later=1)))


def changed(change: Callable[[dict[str, Any]], object], data: bytes | None = None) -> bytes:
    """Return a body whose header was changed."""
    data = data or wire.encode(sample())
    end = 8 + int.from_bytes(data[4:8], "big")
    header = json.loads(data[8:end])
    change(header)
    head = json.dumps(header).encode()
    return b"MPB1" + len(head).to_bytes(4, "big") + head + data[end:]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda head: head.update(rows=199), "announced"),
        (lambda head: head.update(rows=10**9), "rows must be"),
        (lambda head: head.update(rows=-1), "rows must be"),
        (lambda head: head.update(rows=True), "rows must be"),
        (lambda head: head.update(records=2), "the records are not the 2"),
        (lambda head: head.update(records_bytes=10**9), "records_bytes must be"),
        (lambda head: head.update(parts=[1, 2, 3]), "cut off"),
        (lambda head: head["parts"].reverse(), "announced|damaged"),
        (lambda head: head.update(batch=[]), "lacks the fields"),
        (lambda head: head["batch"].pop("sha256"), "sha256 is missing"),
        (lambda head: head["batch"].update(later=1), "later is not known here"),
        (lambda head: head["batch"].update(seq=0), "above 0"),
        (lambda head: head["batch"].update(seq=2**63), "above 0"),
        (lambda head: head["batch"].update(seq="1"), "seq holds something else"),
        (lambda head: head["batch"].update(seq=None), "seq holds something else"),
        (lambda head: head["batch"].update(seq=True), "seq holds something else"),
        (lambda head: head["batch"].update(imported=0), "imported holds something else"),
        (lambda head: head["batch"].update(gateway=""), "gateway holds something else"),
        (lambda head: head["batch"].update(gateway="x" * 201), "gateway holds something else"),
        (lambda head: head["batch"].update(sha256="zz"), "sha256 is not hexadecimal"),
        (lambda head: head["batch"].update(signature="00"), "signature must have 64"),
        (lambda head: head["batch"].update(clock_skew_s="1"), "clock_skew_s holds something"),
        (lambda head: head["batch"].update(collected_to="soon"), "collected_to is no time"),
        (lambda head: head["batch"].update(collected_to="2026-01-01T00:00"), "no offset"),
    ],
)
def test_a_header_that_lies(change: Callable[[dict[str, Any]], object], words: str) -> None:
    with pytest.raises(WireRefused, match=words):
        wire.decode(changed(change))


def with_records(text: bytes, count: int = 1) -> bytes:
    """Return a body without rows whose records are some text."""
    empty = wire.encode(Gateway("gw", signing.generate_key(), {}).batch())
    part = zlib.compress(text)
    end = 8 + int.from_bytes(empty[4:8], "big")
    header = json.loads(empty[8:end])
    columns = empty[end : end + sum(header["parts"][:-1])]

    def change(head: dict[str, Any]) -> None:
        head["parts"][-1] = len(part)
        head.update(records=count, records_bytes=len(text))

    return changed(change, empty[:end] + columns + part)


@pytest.mark.parametrize(
    "text",
    [
        b"[",
        b"{}",
        b"[[1, 2, 3, 4]]",
        b'[["k", "x", "2026-01-01T00:00:00Z"]]',
        b'[["k", "x", "2026-01-01T00:00:00", {}]]',
        b'[["k", "x", "2026-01-01T00:00:00Z", []]]',
        b'[["k", "x", "2026-01-01T00:00:00Z", {"a": NaN}]]',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_records_that_are_none(text: bytes) -> None:
    with pytest.raises(WireRefused):
        wire.decode(with_records(text))
    good = b'[["k", "x", "2026-01-01T00:00:00Z", {}]]'
    assert wire.decode(with_records(good)).records == (
        Record("k", "x", datetime(2026, 1, 1, tzinfo=UTC), {}),
    )


def test_a_small_body_that_unpacks_without_end_takes_no_memory() -> None:
    bomb = with_records(bytes(200_000_000))
    announced = changed(lambda head: head.update(records_bytes=1000), bomb)
    assert len(announced) < 1_000_000
    tracemalloc.start()
    try:
        with pytest.raises(WireRefused, match="1000 bytes that were announced"):
            wire.decode(announced)
        with pytest.raises(WireRefused, match="records_bytes must be"):
            wire.decode(bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000


def test_a_minute_of_a_plant_takes_a_fraction_of_its_rows() -> None:
    generator = np.random.default_rng(7)
    tags, each = 100, 60
    count = tags * each
    jitter = generator.integers(0, 4000, count)
    counters = np.tile(np.arange(each) // 3, tags // 2)
    analogs = np.round(generator.normal(50, 2, count // 2), 1)
    plant = Rows(
        np.repeat(np.arange(tags, dtype=np.int32), each),
        np.tile(np.arange(each, dtype=np.int64) * 1_000_000, tags) + jitter,
        np.concatenate((counters.astype(np.float64), analogs)),
        np.zeros(count, np.int32),
    )
    batch = Gateway("gw", signing.generate_key(), {}).batch(plant)
    size = len(wire.encode(batch))
    assert size < 0.25 * len(canonical_bytes(plant))
    # Better than zlib alone does on the rows as they are.
    assert size < 0.75 * len(zlib.compress(canonical_bytes(plant)))
