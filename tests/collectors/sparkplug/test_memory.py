"""What a host remembers over a restart, and what becomes of it when the file is damaged."""

import sqlite3
from pathlib import Path

import pytest

from collectors.sparkplug import memory as memory_module
from collectors.sparkplug.memory import Memory, ProbeMemory, Progress, memory_path
from collectors.sparkplug.tables import Born, Table
from collectors.sparkplug.topics import Node
from tests.collectors.surroundings import context

N = Node("G", "N")
BORN = Born("speed", 2**64 - 1, 3)
OTHER = Born("load", None, None)


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    """A file with a node of two births, stored up to sequence number 4."""
    memory = Memory(tmp_path / "state" / "memory.db")
    memory.node_born(N, 100, 2**64 - 1, 0, Table([OTHER]))
    memory.born(N, "D", Table([BORN, OTHER]))
    memory.progress([Progress(N, 100, 5, False, False)])
    return memory


def test_all_of_a_birth_comes_back(memory: Memory) -> None:
    known = memory.load()[N]
    assert (known.birth_us, known.bd_seq, known.due) == (100, 2**64 - 1, 5)
    assert known.tables["D"].by_alias == {2**64 - 1: BORN}
    assert list(known.tables["D"].by_name.values()) == [BORN, OTHER]
    assert list(known.tables[""].by_name.values()) == [OTHER]
    assert known.tables["D"].is_certain


def test_a_birth_takes_the_place_of_all_that_was_known(memory: Memory) -> None:
    memory.node_born(N, 200, None, 0, Table([BORN]))
    known = memory.load()[N]
    assert (known.bd_seq, known.due, list(known.tables)) == (None, 0, [""])


def test_a_gap_and_a_death_are_remembered(memory: Memory) -> None:
    memory.progress([Progress(N, 100, 9, True, False)])
    assert not memory.load()[N].tables["D"].is_certain
    memory.device_dead(N, "D")
    assert list(memory.load()[N].tables) == [""]
    memory.progress([Progress(N, 100, 9, False, True)])
    assert memory.load() == {}


def test_a_late_confirmation_does_not_touch_a_later_birth(memory: Memory) -> None:
    memory.node_born(N, 200, 8, 0, Table([BORN]))
    memory.progress([Progress(N, 100, 77, True, False), Progress(N, 100, 78, False, True)])
    known = memory.load()[N]
    assert (known.bd_seq, known.due, known.tables[""].is_certain) == (8, 0, True)


def test_a_confirmation_may_come_after_the_file_was_closed(memory: Memory) -> None:
    memory.hold()
    memory.close()
    memory.progress([Progress(N, 100, 6, False, False)])
    assert memory.load()[N].due == 6


def test_what_the_broker_was_asked_for_is_remembered(memory: Memory) -> None:
    assert memory.subscribed(["a", "b"]) == set()
    assert memory.subscribed(["b"]) == {"a", "b"}


def test_a_damaged_file_is_moved_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "memory.db"
    path.write_bytes(b"this is no database at all, whatever it was before" * 100)
    memory = Memory(path)
    assert memory.load() == {}
    assert "is damaged" in caplog.text
    assert path.with_suffix(".damaged").exists()
    memory.node_born(N, 1, 1, 0, Table([BORN]))
    assert list(memory.load()) == [N]


def test_a_file_of_which_a_page_is_damaged_is_moved_aside(memory: Memory, tmp_path: Path) -> None:
    path = tmp_path / "state" / "memory.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    data = bytearray(path.read_bytes())
    page = 4096
    data[page:] = b"\xa5" * (len(data) - page)
    path.write_bytes(data)
    assert memory.load() == {}
    assert path.with_suffix(".damaged").exists()


def test_a_file_that_cannot_be_written_leaves_the_number_behind(
    memory: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the next start sees a gap, which is the truth."""
    monkeypatch.setattr(memory_module, "_BUSY_S", 0.0)
    other = sqlite3.connect(tmp_path / "state" / "memory.db")
    other.execute("BEGIN IMMEDIATE")
    memory.progress([Progress(N, 100, 99, False, False)])
    other.close()
    assert memory.load()[N].due == 5


def test_a_probe_leaves_no_trace(memory: Memory, tmp_path: Path) -> None:
    path = tmp_path / "state" / "memory.db"
    before = {one.name: one.read_bytes() for one in path.parent.iterdir()}
    probe = ProbeMemory(path)
    probe.hold()
    assert probe.load()[N].due == 5
    probe.node_born(N, 300, 1, 0, Table([]))
    probe.progress([Progress(N, 300, 3, False, False)])
    probe.close()
    assert {one.name: one.read_bytes() for one in path.parent.iterdir()} == before


def test_a_probe_before_the_first_start_knows_nothing(tmp_path: Path) -> None:
    probe = ProbeMemory(tmp_path / "state" / "memory.db")
    assert probe.load() == {}
    probe.close()
    assert list(tmp_path.iterdir()) == []


def test_each_source_has_a_file_whatever_its_name(tmp_path: Path) -> None:
    surroundings = context(tmp_path)
    paths = {memory_path(surroundings, name) for name in ("a/b", "../x", "边缘" * 100)}
    assert len(paths) == 3
    assert {path.parent for path in paths} == {surroundings.state}
