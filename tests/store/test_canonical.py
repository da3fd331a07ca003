"""The canonical bytes against struct and json, byte by byte, and the chain over them."""

import hashlib
import struct
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from store.canonical import (
    FIRST_PREVIOUS,
    Record,
    Rows,
    canonical_bytes,
    chain_hash,
    unique_sorted,
)
from store.signing import generate_key, public_key, sign, verify
from tests.store.samples import BAD, START

_QUIET_NAN = bytes.fromhex("7ff8000000000000")


def rows(*given_rows: tuple[int, int, float, int]) -> Rows:
    """Return rows given as (tag, ts, value, status)."""
    tag_id, ts_us, value, status = zip(*given_rows, strict=True) if given_rows else ([],) * 4
    return Rows(
        np.array(tag_id, np.int32),
        np.array(ts_us, np.int64),
        np.array(value, np.float64),
        np.array(status, np.int32),
    )


def listed(some: Rows) -> list[tuple[int, int, float, int]]:
    columns = (some.tag_id, some.ts_us, some.value, some.status)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_a_row_is_24_bytes_big_endian() -> None:
    ts_us = 1_772_323_200_000_001
    expected = struct.pack(">iqdi", 7, ts_us, -12.5, BAD)
    assert canonical_bytes(rows((7, ts_us, -12.5, BAD))) == expected
    assert len(expected) == 24
    # Written out, so that neither side's idea of the order can be wrong.
    assert expected.hex() == "00000007" + "00064beb26c36001" + "c029000000000000" + "80000000"


def test_no_value_is_the_quiet_nan_whatever_nan_it_was() -> None:
    signalling = np.frombuffer(bytes.fromhex("fff4000000000001"), ">f8").astype(np.float64)[0]
    for value in (float("nan"), -float("nan"), signalling):
        assert canonical_bytes(rows((1, 0, value, BAD)))[12:20] == _QUIET_NAN


@given(
    st.lists(
        st.tuples(
            st.integers(-(2**31), 2**31 - 1),
            st.integers(-(2**63), 2**63 - 1),
            st.floats(allow_nan=False),
            st.integers(-(2**31), 2**31 - 1),
        ),
        max_size=20,
    )
)
def test_rows_are_packed_as_struct_packs_them(some: list[tuple[int, int, float, int]]) -> None:
    assert canonical_bytes(rows(*some)) == b"".join(struct.pack(">iqdi", *row) for row in some)


def test_a_record_is_its_length_and_its_json() -> None:
    record = Record("order_line", "SO1-1", START, {"b": [1, 2.5], "a": "轴套"})
    text = '["order_line","SO1-1","2026-03-01T00:00:00+00:00",{"a":"轴套","b":[1,2.5]}]'
    data = text.encode()
    assert canonical_bytes(Rows.empty(), [record]) == struct.pack(">I", len(data)) + data


def test_records_follow_the_rows_in_the_order_of_kind_and_key() -> None:
    wanted = [("cogs", "b"), ("cogs", "c"), ("inspection", "a")]
    records = [Record(kind, key, START, {}) for kind, key in wanted]
    row = rows((1, 2, 3.0, 4))
    expected = canonical_bytes(row) + b"".join(
        canonical_bytes(Rows.empty(), [record]) for record in records
    )
    assert canonical_bytes(row, records) == expected
    assert canonical_bytes(row, records[::-1]) == expected


def test_versions_of_one_record_keep_their_order() -> None:
    first, second = (Record("cogs", "a", START, {"amount_yuan": n}) for n in (2, 1))
    forwards = canonical_bytes(Rows.empty(), [first, second])
    assert forwards != canonical_bytes(Rows.empty(), [second, first])
    assert forwards.index(b'"amount_yuan":2') < forwards.index(b'"amount_yuan":1')


def test_a_moment_has_one_form_whatever_its_offset() -> None:
    there = START.astimezone(timezone(timedelta(hours=8)))
    forms = {canonical_bytes(Rows.empty(), [Record("cogs", "a", at, {})]) for at in (START, there)}
    assert len(forms) == 1


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="cogs a must be aware"):
        Record("cogs", "a", START.replace(tzinfo=None), {})


def test_the_chain_is_sha256_over_the_previous_hash_and_the_bytes() -> None:
    data = canonical_bytes(rows((1, 2, 3.0, 0)))
    first = chain_hash(FIRST_PREVIOUS, data)
    assert first == hashlib.sha256(b"\x00" * 32 + data).digest()
    assert chain_hash(first, data) == hashlib.sha256(first + data).digest()
    assert first != chain_hash(first, data)


def test_a_signature_belongs_to_one_key_and_one_hash() -> None:
    seed, other = generate_key(), generate_key()
    sha256 = hashlib.sha256(b"batch").digest()
    signature = sign(seed, sha256)
    assert (len(seed), len(public_key(seed)), len(signature)) == (32, 32, 64)
    assert verify(public_key(seed), sha256, signature)
    assert not verify(public_key(other), sha256, signature)
    assert not verify(public_key(seed), hashlib.sha256(b"other").digest(), signature)
    assert not verify(public_key(seed), sha256, signature[:-1])
    assert not verify(public_key(seed), sha256, bytes(64))


def test_a_signature_is_that_of_rfc_8032() -> None:
    # RFC 8032, section 7.1, test 2.
    seed = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    signature = (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert public_key(seed).hex() == public
    assert sign(seed, b"\x72").hex() == signature


def test_unique_sorted_keeps_the_first_and_hands_back_what_differs() -> None:
    given_rows = rows(
        (2, 10, 1.0, 0), (1, 20, 2.0, 0), (1, 10, 3.0, 0), (1, 20, 2.0, 0), (1, 20, 9.0, 0),
        (1, 20, 2.0, BAD), (2, 10, 1.0, 0),
    )  # fmt: skip
    kept, left_over = unique_sorted(given_rows)
    assert listed(kept) == [(1, 10, 3.0, 0), (1, 20, 2.0, 0), (2, 10, 1.0, 0)]
    assert listed(left_over) == [(1, 20, 9.0, 0), (1, 20, 2.0, BAD)]


def test_unique_sorted_takes_no_value_for_equal_to_no_value() -> None:
    nan = float("nan")
    kept, left_over = unique_sorted(rows((1, 1, nan, BAD), (1, 1, nan, BAD), (1, 1, 0.0, BAD)))
    assert (len(kept), len(left_over)) == (1, 1)
    assert np.isnan(kept.value[0])
    assert left_over.value[0] == 0


def test_unique_sorted_of_nothing() -> None:
    assert [len(part) for part in unique_sorted(Rows.empty())] == [0, 0]


@given(
    hnp.arrays(np.int32, st.shared(st.integers(0, 30), key="n"), elements=st.integers(0, 3)),
    hnp.arrays(np.int64, st.shared(st.integers(0, 30), key="n"), elements=st.integers(0, 3)),
    hnp.arrays(
        np.float64,
        st.shared(st.integers(0, 30), key="n"),
        elements=st.sampled_from([0.0, 1.0, np.nan]),
    ),
)
def test_unique_sorted_loses_nothing_but_equals(
    tag_id: npt.NDArray[np.int32], ts_us: npt.NDArray[np.int64], value: npt.NDArray[np.float64]
) -> None:
    given_rows = Rows(tag_id, ts_us, value, np.zeros(len(tag_id), np.int32))
    kept, left_over = unique_sorted(given_rows)
    keys = [row[:2] for row in listed(kept)]
    assert keys == sorted({row[:2] for row in listed(given_rows)})
    texts = {repr(row) for row in listed(kept) + listed(left_over)}
    assert texts == {repr(row) for row in listed(given_rows)}


def test_the_epoch_is_1970() -> None:
    at = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    row = rows((1, int(at.timestamp()) * 1_000_000, 0.0, 0))
    assert struct.unpack(">q", canonical_bytes(row)[4:12]) == (1_000_000,)
