"""What a passive host makes of the values in births and data."""

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors import status
from collectors.sample import Sample
from collectors.sparkplug.topics import Node
from tests.collectors.sparkplug.edge_node import (
    BOOLEAN,
    DATASET,
    DOUBLE,
    INT32,
    INT32_ARRAY,
    START_MS,
    STRING,
    metric,
    payload,
    raw_long,
)
from tests.collectors.sparkplug.hosting import (
    RECEIVED_US,
    START_US,
    Feed,
    reasons,
    short,
    source,
    tag,
)

N = Node("G", "N")
GOOD, UNCERTAIN, NO_DATA = status.GOOD, status.UNCERTAIN, status.BAD_NO_DATA
LOAD = metric("load", 0.5, DOUBLE, alias=2)


def test_the_metric_s_time_comes_first_then_the_message_s(feed: Feed) -> None:
    found = feed.birth(metric("load", 1.0, DOUBLE, ts_ms=START_MS - 5))
    assert found.samples[0].ts_us == START_US - 5000
    assert feed.birth(LOAD).samples[0].ts_us == START_US
    timeless = b"".join([b"\x12", bytes([len(LOAD)]), LOAD, b"\x18\x00"])
    assert feed.deliver("NBIRTH", timeless).samples[0].ts_us == RECEIVED_US


def test_history_keeps_its_own_time_and_says_nothing_of_the_clock(feed: Feed) -> None:
    feed.birth(LOAD)
    old = metric("load", 0.25, DOUBLE, ts_ms=START_MS - 3_600_000, historical=True)
    found = feed.send("NDATA", old)
    assert found.samples == [Sample("load", START_US - 3_600_000_000, 0.25, GOOD)]
    assert found.skew_s is None
    assert feed.send("NDATA", LOAD).skew_s == pytest.approx(0.25)


def test_the_wrong_clock_of_one_edge_node_is_not_that_of_the_source(tmp_path: Path) -> None:
    """Else each message would make the others' values uncertain, or certain again, in turn."""
    tags = (tag("load", "load"), tag("other", "load", node="M"))
    with closing(Feed(tmp_path, source(tags=tags))) as feed:
        skews = [
            feed.send(kind, LOAD, node=node, ts_ms=START_MS - behind_ms).skew_s
            for kind in ("NBIRTH", "NDATA")
            for node, behind_ms in (("N", 0), ("M", 10_800_000))
        ]
    assert skews == pytest.approx([0.25] * 4)


def test_a_null_is_no_data_and_no_zero(feed: Feed) -> None:
    feed.birth(LOAD)
    found = feed.send("NDATA", metric("load", datatype=DOUBLE, null=True))
    assert short(found.samples) == [("load", None, NO_DATA)]


def test_what_is_marked_transient_is_not_stored(feed: Feed) -> None:
    feed.birth(LOAD)
    found = feed.send("NDATA", metric("load", 1.0, DOUBLE, transient=True))
    assert found.samples == []
    assert reasons(found) == ["G/N/load: it is marked as not to be stored"]


@pytest.mark.parametrize(
    ("quality", "value", "code"),
    [
        (192, 1.0, GOOD),
        (0, None, status.CODES["Bad"]),
        (500, 1.0, status.CODES["UncertainLastUsableValue"]),
        (64, 1.0, UNCERTAIN),
        (12345, 1.0, UNCERTAIN),
    ],
)
def test_the_quality_of_a_metric_becomes_its_status(
    feed: Feed, quality: int, value: float | None, code: int
) -> None:
    found = feed.birth(metric("load", 1.0, DOUBLE, quality=quality))
    assert short(found.samples) == [("load", value, code)]


def test_scale_offset_and_states(tmp_path: Path) -> None:
    tags = (
        tag("scaled", "raw", scale=0.5, offset=10.0),
        tag("state", "mode", states={"RUN": 1, "STOP": 2}),
        tag("packml", "mode", states="packml"),
        tag("text", "mode"),
        tag("on", "on"),
    )
    feed = Feed(tmp_path, source(tags=tags))
    mode = metric("mode", "stop", STRING)
    found = feed.birth(metric("raw", 8, INT32), mode, metric("on", True, BOOLEAN))
    feed.close()
    assert short(found.samples) == [
        ("scaled", 14.0, GOOD),
        ("state", 2.0, GOOD),
        ("packml", None, status.BAD_OUT_OF_RANGE),
        ("text", None, status.BAD_TYPE_MISMATCH),
        ("on", 1.0, GOOD),
    ]
    assert sorted(reasons(found)) == [
        'G/N/mode: "stop" is none of its states',
        "G/N/mode: it is a text: give the tag states",
    ]


@pytest.mark.parametrize("datatype", [DATASET, INT32_ARRAY])
def test_sets_and_arrays_are_refused_once(feed: Feed, datatype: int) -> None:
    found = feed.birth(metric("load", b"\x01", datatype))
    assert short(found.samples) == [("load", None, status.BAD_TYPE_MISMATCH)]
    assert len(found.refused) == 1
    assert feed.send("NDATA", metric("load", b"\x01", datatype)).refused == []


def test_a_number_too_large_for_its_datatype_is_no_value(feed: Feed) -> None:
    found = feed.birth(metric("load", raw_long(2**40), INT32))
    assert short(found.samples) == [("load", None, status.BAD_OUT_OF_RANGE)]


def test_a_time_far_outside_is_told(feed: Feed) -> None:
    found = feed.birth(metric("load", 1.0, DOUBLE, ts_ms=2**64 - 1))
    assert found.samples == []
    assert reasons(found) == ["G/N/load: its time lies outside the years 1970 to 2200"]


def test_the_time_of_reception_is_that_of_the_first_message_that_counts(feed: Feed) -> None:
    assert feed.birth(LOAD).arrived_us == RECEIVED_US
    assert feed.wait(1).arrived_us is None


_KINDS = st.sampled_from(["NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH"])
_METRICS = st.builds(
    metric,
    st.none() | st.sampled_from(["speed", "load", "bdSeq", "", "\0"]),
    st.none() | st.builds(raw_long, st.integers(0, 2**64 - 1)),
    st.none() | st.integers(0, 40),
    alias=st.none() | st.integers(0, 3),
    ts_ms=st.none() | st.integers(0, 2**64 - 1),
    historical=st.booleans(),
    null=st.booleans(),
    quality=st.none() | st.integers(0, 2**32 - 1),
)
_MESSAGES = st.tuples(_KINDS, st.lists(_METRICS, max_size=4), st.none() | st.integers(0, 255))


@settings(max_examples=50, deadline=None)  # each has a file of its own
@given(st.lists(_MESSAGES, max_size=12))
def test_no_order_of_messages_breaks_the_host(
    messages: list[tuple[str, list[bytes], int | None]],
) -> None:
    with TemporaryDirectory() as folder, closing(Feed(Path(folder))) as feed:
        for kind, metrics, seq in messages:
            device = "D" if kind.startswith("D") else ""
            found = feed.deliver(kind, payload(metrics, seq), device=device)
            feed.store(found)
            found.samples += feed.wait(6).samples
            assert {one.tag for one in found.samples} <= {"speed", "load"}
            assert all((one.value is None) == status.is_bad(one.status) for one in found.samples)
