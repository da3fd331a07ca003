"""A passive host: births, data, gaps and deaths of edge nodes."""

from pathlib import Path

import pytest

from collectors import status
from collectors.sample import Sample
from collectors.sparkplug import host as host_module
from collectors.sparkplug.topics import Node
from tests.collectors.sparkplug.edge_node import (
    DOUBLE,
    INT32,
    Raw,
    metric,
    payload,
    raw_int,
    wire_value,
)
from tests.collectors.sparkplug.hosting import (
    RECEIVED_US,
    Feed,
    reasons,
    short,
    source,
    tag,
)

N = Node("G", "N")
GOOD, UNCERTAIN, LOST = status.GOOD, status.UNCERTAIN, status.BAD_NO_COMMUNICATION


SPEED = metric("speed", -12, INT32, alias=1)
LOAD = metric("load", 0.5, DOUBLE, alias=2)


def born(feed: Feed) -> None:
    """Let the node and its device be born."""
    feed.birth(LOAD)
    feed.send("DBIRTH", SPEED, device="D")


def data(feed: Feed, value: int = -13) -> list[tuple[str, float | None, int]]:
    """Send a value of the device by its alias alone."""
    found = feed.send("DDATA", metric(value=raw_int(value & 0xFFFF_FFFF), alias=1), device="D")
    return short(found.samples)


def test_births_give_values_and_data_need_only_an_alias(feed: Feed) -> None:
    assert short(feed.birth(LOAD).samples) == [("load", 0.5, GOOD)]
    assert short(feed.send("DBIRTH", SPEED, device="D").samples) == [("speed", -12.0, GOOD)]
    assert data(feed) == [("speed", -13.0, GOOD)]


def test_complaint_17_a_restart_knows_aliases_and_signs_and_keeps_equal_devices_apart(
    tmp_path: Path,
) -> None:
    """No alias_1 tag, −12 and not 4294967284, and two edge nodes with a device of one name."""
    tags = (tag("a", "m", device="D", node="A"), tag("b", "m", device="D", node="B"))
    first = Feed(tmp_path, source(tags=tags))
    for node, value in (("A", -12), ("B", 5)):
        first.store(first.birth(node=node))
        device = first.send("DBIRTH", metric("m", value, INT32, alias=1), node=node, device="D")
        first.store(device)
    first.close()
    second = Feed(tmp_path, source(tags=tags))
    second.seq = first.seq
    found = [
        short(
            second.send(
                "DDATA", metric(value=raw_int(4_294_967_284), alias=1), node=node, device="D"
            ).samples
        )
        for node in ("A", "B")
    ]
    second.close()
    assert found == [[("a", -12.0, GOOD)], [("b", -12.0, GOOD)]]


def test_a_restart_that_missed_messages_says_so_and_doubts_the_aliases(tmp_path: Path) -> None:
    first = Feed(tmp_path)
    first.store(first.birth(LOAD))
    first.store(first.send("DBIRTH", SPEED, device="D"))
    first.close()
    second = Feed(tmp_path)
    second.seq["N"] = 9
    assert data(second) == []
    found = second.wait(6)
    second.close()
    assert short(found.samples) == [("speed", -13.0, UNCERTAIN)]
    assert reasons(found) == [
        "G/N: 7 messages were lost; what follows is uncertain until the next birth"
    ]


def test_what_was_not_stored_before_a_crash_shows_as_a_gap(tmp_path: Path) -> None:
    """The birth is on disk before its samples are; they never reached the spool."""
    first = Feed(tmp_path)
    first.birth(LOAD)
    first.send("DBIRTH", SPEED, device="D")
    first.close()
    second = Feed(tmp_path)
    second.seq["N"] = 2
    assert data(second) == []
    assert short(second.wait(6).samples) == [("speed", -13.0, UNCERTAIN)]
    second.close()


def test_doubt_outlives_a_restart_until_the_next_birth(tmp_path: Path) -> None:
    first = Feed(tmp_path)
    born(first)
    first.seq["N"] += 1
    data(first)
    first.store(first.wait(6))
    first.close()
    second = Feed(tmp_path)
    second.seq = first.seq
    assert data(second) == [("speed", -13.0, UNCERTAIN)]
    born(second)
    assert data(second) == [("speed", -13.0, GOOD)]
    second.close()


# --- order ---------------------------------------------------------------------------------------


def test_messages_out_of_order_are_put_into_order(feed: Feed) -> None:
    born(feed)
    third = payload([metric(value=raw_int(3), alias=1)], 3)
    second = payload([metric(value=raw_int(2), alias=1)], 2)
    assert feed.deliver("DDATA", third, device="D").samples == []
    found = feed.deliver("DDATA", second, device="D")
    assert short(found.samples) == [("speed", 2.0, GOOD), ("speed", 3.0, GOOD)]
    assert found.refused == []


def test_a_gap_is_told_once_and_doubted_until_the_next_birth(feed: Feed) -> None:
    born(feed)
    feed.seq["N"] += 2
    assert data(feed) == []
    found = feed.wait(6)
    assert short(found.samples) == [("speed", -13.0, UNCERTAIN)]
    assert reasons(found) == [
        "G/N: 2 messages were lost; what follows is uncertain until the next birth"
    ]
    assert found.wanted == [N]
    assert data(feed) == [("speed", -13.0, UNCERTAIN)]
    feed.send("DBIRTH", SPEED, device="D")
    assert data(feed) == [("speed", -13.0, GOOD)]
    load = metric(value=Raw(wire_value(DOUBLE, 1.5)), alias=2)
    assert short(feed.send("NDATA", load).samples) == [("load", 1.5, UNCERTAIN)]
    assert (feed.host.counts.gaps, feed.host.counts.lost) == (1, 2)


def test_sequence_numbers_go_round(feed: Feed) -> None:
    born(feed)
    found = [data(feed, number) for number in range(600)]
    assert found == [[("speed", float(number), GOOD)] for number in range(600)]
    assert feed.host.counts.gaps == 0


def test_a_message_that_comes_twice_counts_once(feed: Feed) -> None:
    born(feed)
    again = payload([metric(value=raw_int(2), alias=1)], 2)
    assert len(feed.deliver("DDATA", again, device="D").samples) == 1
    found = feed.deliver("DDATA", again, device="D")
    assert found.samples == []
    assert reasons(found) == ["G/N: a message came twice or too late"]


def test_a_birth_ends_the_wait_for_what_was_before_it(feed: Feed) -> None:
    born(feed)
    feed.seq["N"] += 1
    assert data(feed) == []
    found = feed.birth(LOAD)
    assert short(found.samples) == [("speed", -13.0, UNCERTAIN), ("load", 0.5, GOOD)]


def test_after_a_new_connection_births_are_wanted(feed: Feed) -> None:
    born(feed)
    feed.host.harvest()
    feed.host.resume()
    assert feed.host.harvest().wanted == [N]


# --- deaths --------------------------------------------------------------------------------------


def test_a_death_turns_all_tags_of_the_node_bad(feed: Feed) -> None:
    born(feed)
    assert feed.death().samples == [
        Sample("load", RECEIVED_US, None, LOST),
        Sample("speed", RECEIVED_US, None, LOST),
    ]


def test_a_death_of_an_older_session_counts_for_nothing(feed: Feed) -> None:
    born(feed)
    found = feed.death(bd=6)
    assert found.samples == []
    assert reasons(found) == ["G/N: a death of another session (6) counts for nothing"]
    assert data(feed) == [("speed", -13.0, GOOD)]


def test_a_death_of_a_device_leaves_the_node_alive(feed: Feed) -> None:
    born(feed)
    assert short(feed.send("DDEATH", device="D").samples) == [("speed", None, LOST)]
    load = metric(value=Raw(wire_value(DOUBLE, 1.5)), alias=2)
    assert short(feed.send("NDATA", load).samples) == [("load", 1.5, GOOD)]
    found = feed.send("DDATA", metric(value=raw_int(1), alias=1), device="D")
    assert found.samples == []
    assert reasons(found) == ["G/N/D: data came before its birth"]


def test_aliases_die_with_their_session(feed: Feed) -> None:
    born(feed)
    feed.death()
    feed.birth(metric("other", 1, INT32, alias=1), bd=8)
    found = feed.send("NDATA", metric(value=raw_int(5), alias=2))
    assert found.samples == []
    assert feed.host.counts.unknown_metrics == 1


# --- what is not known ---------------------------------------------------------------------------


def test_an_unknown_alias_is_told_once_and_never_becomes_a_tag(feed: Feed) -> None:
    born(feed)
    unknown = metric(value=raw_int(1), alias=99)
    first = feed.send("DDATA", unknown, device="D")
    again = feed.send("DDATA", unknown, device="D")
    assert first.samples == again.samples == []
    assert reasons(first) == ["G/N/D: no birth tells what alias 99 is; its values are not stored"]
    assert first.wanted == [N]
    assert again.refused == []
    assert feed.host.rules.tags == ["speed", "load"]


def test_data_before_any_birth_are_told_once(feed: Feed) -> None:
    by_alias = metric(value=raw_int(1), alias=1)
    first = feed.send("DDATA", by_alias, device="D")
    assert (first.samples, reasons(first)) == ([], ["G/N/D: data came before its birth"])
    assert feed.send("DDATA", by_alias, device="D").refused == []


def test_data_that_tell_name_and_datatype_need_no_birth_but_are_uncertain(feed: Feed) -> None:
    found = feed.send("DDATA", SPEED, device="D")
    assert short(found.samples) == [("speed", -12.0, UNCERTAIN)]


def test_an_alias_given_twice_counts_for_neither(feed: Feed) -> None:
    found = feed.birth(LOAD, metric("other", 1.0, DOUBLE, alias=2))
    assert "alias 2 to several metrics" in reasons(found)[0]
    by_alias = metric(value=Raw(wire_value(DOUBLE, 1.5)), alias=2)
    assert feed.send("NDATA", by_alias).samples == []
    assert short(feed.send("NDATA", metric("load", 1.5, DOUBLE)).samples) == [("load", 1.5, GOOD)]


def test_a_tag_that_a_birth_does_not_tell_is_bad(feed: Feed) -> None:
    found = feed.birth(metric("Load", 0.5, DOUBLE))
    assert short(found.samples) == [("load", None, status.BAD_NODE_UNKNOWN)]
    assert reasons(found) == ["G/N/load: the birth tells no such metric"]


def test_another_datatype_than_at_birth_is_not_guessed(feed: Feed) -> None:
    born(feed)
    found = feed.send("DDATA", metric(value=1.5, datatype=DOUBLE, alias=1), device="D")
    assert found.samples == []
    assert "datatype differs" in reasons(found)[0]


def test_nodes_that_nobody_asks_for_leave_no_trace(feed: Feed) -> None:
    found = feed.birth(LOAD, node="other")
    assert (found.samples, found.refused, found.progress) == ([], [], [])


def test_the_number_of_edge_nodes_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_module, "_MOST_NODES", 2)
    tags = tuple(tag(name, "load", node=name) for name in "ABC")
    feed = Feed(tmp_path, source(tags=tags))
    found = [feed.birth(LOAD, node=name) for name in "ABC"]
    feed.close()
    assert [len(one.samples) for one in found] == [1, 1, 0]
    assert reasons(found[2]) == ["there are more than 2 edge nodes"]


def test_a_birth_that_is_too_large_is_refused(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_module, "_MOST_METRICS", 2)
    found = feed.birth(LOAD, SPEED)
    assert (found.samples, len(found.refused)) == ([], 1)
