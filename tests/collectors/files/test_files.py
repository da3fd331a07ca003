"""A folder of exports: what is read once, what is awaited, and how a refused line is named."""

import asyncio
import json
import os
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import collectors.files.adapter
import collectors.files.decode
from collectors.errors import SourceUnreachable
from collectors.files.adapter import FilesAdapter
from collectors.files.lines import Survey, look_through
from collectors.files.settings import FileRecord, FilesSource, FileTag, FileValues
from collectors.sample import Delivery, Refused, to_us
from collectors.spool.bounds import Bounds
from collectors.spool.spool import Spool
from collectors.status import CODES, GOOD
from tests.collectors.receiving import opened, receive_until
from tests.collectors.surroundings import context

LINES = FileRecord(
    pattern="orders-*.csv",
    kind="order_line",
    columns={"line": "订单行号", "quantity": "数量", "due": "交期", "shipments": "发货"},
    date_format="%Y/%m/%d",
)
ORDERS = """\
订单行号,数量,交期,发货
00123,"1,200",2026/3/10,"[[""2026-03-09"", 1200]]"
SO2,5,2026/03/11,
"""


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    folder = tmp_path / "exports"
    folder.mkdir()
    return folder


def source(**changed: Any) -> FilesSource:
    defaults: dict[str, Any] = {"records": (LINES,), "poll_s": 0.1}
    return FilesSource(name="出口 1/a", kind="files", folder="exports", **(defaults | changed))


def read(
    folder: Path,
    settings: FilesSource,
    seen: Callable[[list[Delivery]], bool] | None = None,
    *,
    is_stored: bool = True,
) -> list[Delivery]:
    """Return what a source delivers until files were read to the end, as the gateway stores it."""

    async def run() -> list[Delivery]:
        adapter = FilesAdapter(settings, context(folder))
        async with opened(adapter):
            found = await receive_until(adapter, seen or ended(1), "the files")
            for delivery in found:
                if delivery.stored is not None and is_stored:
                    delivery.stored()
            return found

    return [one for one in asyncio.run(run()) if one.message or one.refused or one.stored]


def ended(files: int) -> Callable[[list[Delivery]], bool]:
    return lambda found: sum(one.stored is not None for one in found) == files


def bodies(found: list[Delivery]) -> list[dict[str, Any]]:
    return [record.body for one in found for record in one.records]


def refused(found: list[Delivery]) -> list[Refused]:
    return [each for one in found for each in one.refused]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_becomes_records_typed_by_the_schema(exports: Path, encoding: str) -> None:
    exports.joinpath("orders-1.csv").write_bytes(ORDERS.encode(encoding))
    assert bodies(read(exports.parent, source())) == [
        {
            "line": "00123",
            "quantity": 1200,
            "due": "2026-03-10",
            "shipments": [["2026-03-09", 1200]],
        },
        {"line": "SO2", "quantity": 5, "due": "2026-03-11"},
    ]


def test_a_numeric_looking_serial_number_stays_a_text(exports: Path) -> None:
    exports.joinpath("orders-1.csv").write_text(ORDERS, encoding="utf-8")
    found = read(exports.parent, source())
    assert [record.key for one in found for record in one.records] == ["00123", "SO2"]


def test_a_refused_line_is_named_by_its_number_and_kept_as_it_stands(exports: Path) -> None:
    text = '订单行号,数量,交期,发货\n\nSO1,-3,2026/3/10,\n"SO\n2",x,10.3.26,\nSO3,1,2026/3/9,,7\n'
    exports.joinpath("orders-1.csv").write_text(text, encoding="utf-8")
    found = read(exports.parent, source())
    assert bodies(found) == []
    assert [each.reason for each in refused(found)] == [
        "orders-1.csv, line 3: order_line: quantity: -3 is less than 0",
        'orders-1.csv, line 4: order_line: quantity: "x" is not a number that is not less than 0; '
        'due: "10.3.26" is not a date such as 2026-03-31',
        "orders-1.csv, line 6: it has 5 cells, the header has 4",
    ]
    assert refused(found)[0].payload == "SO1,-3,2026/3/10,"


def test_json_documents_and_lines_are_kept_as_they_came(exports: Path) -> None:
    rule = FileRecord(pattern="lots*.jsonl", kind="inspection")
    whole = FileRecord(pattern="lots*.json", kind="inspection")
    lot = {"lot": "L1", "operation": "turning", "inspected_at": "2026-03-01T08:00:00", "more": [1]}
    exports.joinpath("lots1.json").write_text(json.dumps([lot, lot | {"lot": "L2"}]))
    lines = [json.dumps(lot | {"lot": "L3"}), "", "{", "7", json.dumps(lot | {"lot": "L4"})]
    exports.joinpath("lots2.jsonl").write_text("\n".join(lines))
    found = read(exports.parent, source(records=(rule, whole)), ended(2))
    assert [body["lot"] for body in bodies(found)] == ["L1", "L2", "L3", "L4"]
    assert bodies(found)[0] == lot
    first, second = refused(found)
    assert first.reason.startswith("lots2.jsonl, line 3: the payload is not JSON")
    assert second.reason == "lots2.jsonl, line 4: it is no object with named values"


def test_values_are_read_with_their_time_and_status(exports: Path) -> None:
    rule = FileValues(
        pattern="meters.csv",
        delimiter=";",
        decimal_comma=True,
        time_format="%d.%m.%Y %H:%M",
        status="q",
    )
    exports.joinpath("meters.csv").write_text(
        "ts;tag;value;q\n"
        "01.03.2026 08:00;EM01.energy;1.234,5;Good\n"
        "01.03.2026 08:01;EM01.energy;;\n"
        "01.03.2026 08:02;EM01.energy;7;BadSensorFailure\n"
        "01.03.2026 08:03;EM02.energy;7;\n"
        "2026-03-01;EM01.energy;7;\n"
        "01.03.2026 08:04;EM01.energy;seven;\n"
    )
    settings = source(records=(), values=(rule,), tags=(FileTag(tag="EM01.energy"),))
    found = read(exports.parent, settings)
    first = to_us(datetime(2026, 3, 1, tzinfo=UTC))
    assert [tuple(one)[1:] for each in found for one in each.samples] == [
        (first, 1234.5, GOOD),
        (first + 60_000_000, None, CODES["BadNoData"]),
        (first + 120_000_000, None, CODES["BadSensorFailure"]),
    ]
    assert [each.reason.split(": ", 1)[1] for each in refused(found)] == [
        '"EM02.energy" is not among the tags of this source',
        '"2026-03-01" is not a time as %d.%m.%Y %H:%M writes it',
        'value: "seven" is not a number',
    ]


def test_a_half_written_file_is_awaited(exports: Path) -> None:
    """While it grows between two looks it is not read, and then it is read whole."""
    path = exports / "orders-1.csv"
    path.write_text(ORDERS[:40], encoding="utf-8")

    async def run() -> list[Delivery]:
        adapter = FilesAdapter(source(poll_s=0.2), context(exports.parent))
        async with opened(adapter):
            folder = adapter._folder
            assert folder is not None
            assert folder.due() == []
            path.write_text(ORDERS, encoding="utf-8")
            assert folder.due() == []
            return await receive_until(adapter, ended(1), "the file")

    assert len(bodies(asyncio.run(run()))) == 2


def test_a_file_is_read_once_and_never_touched(exports: Path) -> None:
    path = exports / "orders-1.csv"
    path.write_text(ORDERS, encoding="utf-8")
    before = path.stat()
    assert len(bodies(read(exports.parent, source()))) == 2
    after = path.stat()
    assert (after.st_mtime_ns, after.st_size, after.st_ino) == (
        before.st_mtime_ns,
        before.st_size,
        before.st_ino,
    )
    exports.joinpath("orders-2.csv").write_text(ORDERS.replace("SO2", "SO9"), encoding="utf-8")
    again = read(exports.parent, source())
    assert [body["line"] for body in bodies(again)] == ["00123", "SO9"]


def test_a_file_that_only_looks_newer_is_not_read_again(exports: Path) -> None:
    path = exports / "orders-1.csv"
    path.write_text(ORDERS, encoding="utf-8")
    read(exports.parent, source())
    path.touch()
    assert bodies(read(exports.parent, source())) == []


def test_a_file_that_was_not_stored_is_read_again_and_the_spool_knows_its_pieces(
    exports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collectors.files.decode, "_ROWS", 1)
    exports.joinpath("orders-1.csv").write_text(ORDERS, encoding="utf-8")
    first = read(exports.parent, source(), is_stored=False)
    second = read(exports.parent, source())
    assert bodies(first) == bodies(second)
    with closing(Spool(tmp_path / "spool.db", Bounds(10**7, 10**6))) as spool:
        for found in (first, second):
            spool.append(spool.unseen([("exports", one) for one in found]))
        counts = dict(spool._conn.execute("SELECT name, value FROM counter"))
    assert counts["records"] == 2


def spooled(path: Path, *readings: list[Delivery]) -> list[Any]:
    """Return the quantities of the records that a spool keeps of readings, in their order."""
    with closing(Spool(path, Bounds(10**7, 10**6))) as spool:
        for found in readings:
            spool.append(spool.unseen([("exports", one) for one in found]))
        rows = spool._conn.execute("SELECT body FROM record ORDER BY record_id").fetchall()
    return [json.loads(body)["quantity"] for (body,) in rows]


@pytest.mark.parametrize("names", [("1", "1", "1", "1"), ("1", "2", "3", "4")])
def test_what_a_file_says_again_after_it_said_otherwise_counts_again(
    exports: Path, tmp_path: Path, names: tuple[str, ...]
) -> None:
    """An export of all that is open, over the one before or beside it: 5, then 6, then 5 again."""
    readings = []
    for number, (name, quantity) in enumerate(zip(names, (5, 6, 5, 6), strict=True)):
        path = exports / f"orders-{name}.csv"
        path.write_text(f"订单行号,数量,交期,发货\nSO1,{quantity},2026/3/10,\n", encoding="utf-8")
        os.utime(path, (1_772_323_200 + number, 1_772_323_200 + number))
        readings.append(read(exports.parent, source()))
    assert spooled(tmp_path / "spool.db", *readings) == [5, 6, 5, 6]


def test_of_a_file_that_grew_only_the_new_pieces_are_stored(
    exports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collectors.files.decode, "_ROWS", 1)
    path = exports / "orders-1.csv"
    readings, text = [], "订单行号,数量,交期,发货\n"
    for quantity in (1, 2, 3):
        text += f"SO{quantity},{quantity},2026/3/10,\n"
        path.write_text(text, encoding="utf-8")
        readings.append(read(exports.parent, source()))
    assert [bodies(found)[-1]["quantity"] for found in readings] == [1, 2, 3]
    assert spooled(tmp_path / "spool.db", *readings) == [1, 2, 3]


def test_a_line_that_is_no_value_at_all_keeps_nothing_from_the_others(exports: Path) -> None:
    rule = FileValues(pattern="meters.jsonl", status="q")
    good = {"tag": "EM01.energy", "value": 7, "ts": "2026-03-01T00:00:00Z", "q": "Good"}
    lines = [good | {"tag": ["EM01.energy"]}, good | {"q": ["Good"]}, good | {"ts": {}}]
    lines += [good | {"value": []}, good]
    exports.joinpath("meters.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    settings = source(records=(), values=(rule,), tags=(FileTag(tag="EM01.energy"),))
    found = read(exports.parent, settings)
    assert [one.value for each in found for one in each.samples] == [7.0]
    assert [each.reason.partition(": ")[0] for each in refused(found)] == [
        f"meters.jsonl, line {number}" for number in (1, 2, 3, 4)
    ]


def test_a_table_without_a_column_is_refused_once(exports: Path) -> None:
    text = "line,qty\n" + "SO,1\n" * 50
    exports.joinpath("orders-1.csv").write_text(text)
    found = refused(read(exports.parent, source()))
    assert [each.reason for each in found] == [
        "orders-1.csv: it has no column 订单行号, 数量, 交期, 发货 (there are: line, qty)"
    ]


def test_many_refused_lines_are_summed_up(exports: Path) -> None:
    exports.joinpath("orders-1.csv").write_text(
        "订单行号,数量,交期,发货\n" + ",,,x\n" * 1234, encoding="utf-8"
    )
    found = refused(read(exports.parent, source()))
    assert len(found) == 201
    assert found[-1].reason == "orders-1.csv: 1034 more lines were refused, after these 200"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("orders-1.csv", b"\xff\xff\xff\xff", "it is not written in gb18030"),
        ("orders-1.csv", b"a,a\n1,2\n", "its header names a twice"),
        ("orders-1.csv", b"a\n" + b"x" * (1 << 21), "from line 2 on it is no CSV"),
        ("lots.json", b"[1", "the payload is not JSON"),
    ],
)
def test_a_file_that_is_not_what_it_seems_is_refused_whole(
    exports: Path, name: str, content: bytes, reason: str
) -> None:
    exports.joinpath(name).write_bytes(content)
    rules = (LINES, FileRecord(pattern="lots.json", kind="inspection"))
    (found,) = refused(read(exports.parent, source(records=rules)))
    assert found.reason.startswith(f"{name}: {reason}")


def test_a_file_that_cannot_be_read_now_is_told_once_and_read_later(
    exports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program has it open, or the right is granted later: it looks as it did before."""
    tries = []

    def look(path: Path, encoding: str) -> Survey:
        tries.append(path.name)
        if path.name == "orders-1.csv" and tries.count(path.name) < 4:
            raise PermissionError(13, "Permission denied")
        return look_through(path, encoding)

    monkeypatch.setattr(collectors.files.adapter, "look_through", look)
    (exports / "orders-0.csv").symlink_to("orders-0.csv")
    for number in (1, 2):
        path = exports / f"orders-{number}.csv"
        path.write_text(f"订单行号,数量,交期,发货\nSO{number},5,2026/3/10,\n", encoding="utf-8")
    found = read(exports.parent, source(), ended(2))
    assert [body["line"] for body in bodies(found)] == ["SO2", "SO1"]
    assert [each.reason for each in refused(found)] == [
        "orders-1.csv cannot be read: Permission denied"
    ]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    adapter = FilesAdapter(source(), context(tmp_path))
    with pytest.raises(SourceUnreachable, match="there is no folder"):
        asyncio.run(adapter.open())


def test_a_damaged_memory_only_costs_reading_again(exports: Path) -> None:
    exports.joinpath("orders-1.csv").write_text(ORDERS, encoding="utf-8")
    read(exports.parent, source())
    (memory,) = (exports.parent / "state").iterdir()
    memory.write_text("{")
    assert len(bodies(read(exports.parent, source()))) == 2
