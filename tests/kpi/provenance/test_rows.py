"""A row that was changed is worked out from the fingerprint of its hour and the signed hash."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi.facts.basis import HOUR_US
from kpi.facts.rows import fingerprint
from kpi.provenance.facts import Hours
from kpi.provenance.ledger import Content
from kpi.provenance.rows import named
from store.canonical import FIRST_PREVIOUS, Rows, canonical_bytes, chain_hash
from store.provenance import LedgerRow
from tests.kpi.builders import START_US, asset, monitoring_plan, tag

PLAN = monitoring_plan(assets=[asset(1)], tags=[tag(number) for number in (1, 3, 5)])

floats = st.floats(allow_infinity=False, allow_nan=True, width=64)


def rows(*given_rows: tuple[int, int, float, int]) -> Rows:
    """Rows of (tag, second of the hour, value, status), in the order of a batch."""
    found = Rows(
        np.array([row[0] for row in given_rows], np.int32),
        np.array([START_US + row[1] * 1_000_000 for row in given_rows], np.int64),
        np.array([row[2] for row in given_rows], np.float64),
        np.array([row[3] for row in given_rows], np.int32),
    )
    return found.take(np.lexsort((found.ts_us, found.tag_id)))


def content(signed: Rows, stored: Rows) -> Content:
    """A batch that was signed with some rows and is stored with others."""
    at = datetime(2026, 3, 2, tzinfo=UTC)
    batch = LedgerRow(
        batch_id=1, gateway="gw", seq=1, config_version="1", imported=False,
        row_count=len(signed), record_count=0, first_ts=at, last_ts=at,
        sha256=chain_hash(FIRST_PREVIOUS, canonical_bytes(signed)), prev_sha256=FIRST_PREVIOUS,
        signature=bytes(64), received_at=at, collected_from=None, collected_to=None, absorbed=0,
        before=None,
    )  # fmt: skip
    return Content(batch, stored, b"")


def hours(signed: Rows, stored: Rows) -> Hours:
    """The hour whose fingerprint is no longer that of its rows."""
    sums = [fingerprint(each).sum(dtype=np.uint64, keepdims=True) for each in (signed, stored)]
    return Hours(PLAN.assets[0], np.array([START_US]), sums[0] - sums[1])


def said(signed: Rows, stored: Rows) -> str:
    """What is said of the change."""
    found = named(PLAN, content(signed, stored), [hours(signed, stored)])
    assert found is not None
    return found.said


BASE = [(1, 0, 1.0, 0), (1, 900, 0.0, 0), (3, 0, 10.0, 0), (3, 60, 11.0, 0), (5, 0, 2.5, 0)]


@settings(max_examples=60)
@given(place=st.integers(0, len(BASE) - 1), value=floats)
def test_any_value_is_recovered(place: int, value: float) -> None:
    changed: list[Any] = list(BASE)
    tag_id, second, before, status = BASE[place]
    changed[place] = (tag_id, second, value, status)
    if canonical_bytes(rows(*changed)) == canonical_bytes(rows(*BASE)):
        return
    shown = "none" if np.isnan(value) else repr(value)
    assert f"value {shown} is stored, {before!r} was signed" in said(rows(*BASE), rows(*changed))
    back = said(rows(*changed), rows(*BASE))
    assert f"value {before!r} is stored, {shown} was signed" in back


@settings(max_examples=30)
@given(status=st.integers(-(2**31), 2**31 - 1).filter(lambda number: number != 0))
def test_any_status_is_recovered(status: int) -> None:
    changed = [*BASE[:3], (3, 60, 11.0, status), BASE[4]]
    assert f"status {status} is stored, 0 was signed" in said(rows(*BASE), rows(*changed))


@settings(max_examples=30)
@given(second=st.integers(61, 3599))
def test_any_time_within_the_hour_is_recovered(second: int) -> None:
    changed = [*BASE[:3], (3, second, 11.0, 0), BASE[4]]
    assert "it was signed with the time 2026-03-02 08:01" in said(rows(*BASE), rows(*changed))


def test_a_row_of_another_tag_is_recovered() -> None:
    changed = [*BASE[:3], (5, 60, 11.0, 0), BASE[4]]
    assert "it was signed as a row of T3" in said(rows(*BASE), rows(*changed))


def test_two_rows_of_one_hour_are_told_apart_from_none() -> None:
    changed = [*BASE[:2], (3, 0, 12.0, 0), (3, 60, 13.0, 0), BASE[4]]
    assert "A01 in the hour 2026-03-02 08:00 (T1, T3, T5)" in said(rows(*BASE), rows(*changed))


def test_without_an_hour_that_knows_other_rows_no_row_is_named() -> None:
    changed = rows(*BASE[:4], (5, 0, 3.0, 0))
    assert named(PLAN, content(rows(*BASE), changed), []) is None
    elsewhere = replace(hours(rows(*BASE), changed), hour_us=np.array([START_US + HOUR_US]))
    assert named(PLAN, content(rows(*BASE), changed), [elsewhere]) is None


@pytest.mark.parametrize("count", [1, 2])
def test_rows_that_are_gone_are_narrowed_to_their_hour(count: int) -> None:
    left = rows(*BASE[count:])
    assert "rows were changed or are gone: A01 in the hour" in said(rows(*BASE), left)
