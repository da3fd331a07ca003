"""History: the three formats, every layout, and a real database behind the import."""

import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

import store
from collectors.config.file import GatewayConfig, load
from collectors.enrolment import enrol
from collectors.errors import ConfigRefused, SpoolBusy
from collectors.history import importer
from collectors.history import mapping as mappings
from collectors.history.gateway import import_gateway
from collectors.history.importer import ImportStopped, NotEnrolled
from collectors.history.report import ImportReport
from collectors.quarantined import refused
from collectors.sample import to_us
from collectors.spool.file import sole_use
from collectors.status import CODES
from tests.collectors.plant import FACTORY, meter_source, prepare_database, rows_of, write_file
from tests.support.waiting import wait_for

FIRST = datetime(2025, 3, 1, tzinfo=UTC)
FIRST_US = to_us(FIRST)
MINUTE_US = 60_000_000
LONG = """
[[file]]
files = "*.csv"
layout = "long"
time = "time"
name = "tag"
value = "value"
"""
WIDE = """
[[file]]
files = "{files}"
layout = "wide"
time = "时间"
  [[file.tag]]
  column = "电表"
  tag = "EM01.energy"
  scale = 0.1
  [[file.tag]]
  column = "温度"
  tag = "M01.temp"
"""

Row = tuple[str, int, float | None, int]


def quiet(_file: str, _rows: int, _total: int | None) -> None:
    pass


@pytest.fixture
def gateway(tmp_path: Path, database_url: str) -> GatewayConfig:
    """A gateway whose import gateway is enrolled with a factory of two tags."""
    prepare_database(database_url, ["EM01.energy", "M01.temp"])
    config = load(write_file(tmp_path, meter_source(), database_url))
    enrol(import_gateway(config), FACTORY)
    return config


def mapping(folder: Path, text: str) -> mappings.Mapping:
    path = folder / "history.toml"
    path.write_text(text, encoding="utf-8")
    return mappings.load(path)


def imported(config: GatewayConfig, text: str, **more: Any) -> ImportReport:
    wanted = mapping(config.path.parent, text)
    return importer.run_import(config, wanted, importer.known_tags(config), quiet, **more)


def long_csv(path: Path, count: int, tag: str = "EM01.energy") -> None:
    """Write count values, one a minute."""
    with path.open("w", encoding="utf-8") as file:
        file.write("time,tag,value\n")
        for n in range(count):
            file.write(f"{(FIRST + timedelta(minutes=n)).isoformat()},{tag},{n}.5\n")


def long_rows(count: int) -> list[Row]:
    return [("EM01.energy", FIRST_US + n * MINUTE_US, n + 0.5, 0) for n in range(count)]


def all_of(url: str, query: str) -> list[tuple[Any, ...]]:
    with closing(store.connect(url)) as conn:
        return conn.execute(query.encode()).fetchall()


def workbook(path: Path, rows: Iterable[list[Any]], sheet: str = "Data") -> None:
    book = Workbook()
    first = book.active
    assert first is not None
    first.title = sheet
    for row in rows:
        first.append(row)
    book.save(path)


def parquet(path: Path, columns: dict[str, list[Any]]) -> None:
    arrow: Any = import_module("pyarrow")
    tables: Any = import_module("pyarrow.parquet")
    tables.write_table(arrow.table(columns), path)


def wall_clock(text: str) -> datetime:
    """Return a time as a workbook holds it, without an offset."""
    return datetime.fromisoformat(text)


# In Shanghai; 2025-03-01 00:00 UTC is 08:00 there.
WIDE_ROWS: list[list[Any]] = [
    [wall_clock("2025-03-01T08:00"), 120, 20.5],
    [wall_clock("2025-03-01T08:01"), None, 21.5],
    [wall_clock("2025-03-01T08:02"), 130, None],
]
WIDE_STORED = [
    ("EM01.energy", FIRST_US, 12.0, 0),
    ("EM01.energy", FIRST_US + 2 * MINUTE_US, 13.0, 0),
    ("M01.temp", FIRST_US, 20.5, 0),
    ("M01.temp", FIRST_US + MINUTE_US, 21.5, 0),
]


def test_a_long_csv_is_imported_and_marked(gateway: GatewayConfig, database_url: str) -> None:
    long_csv(gateway.path.parent / "a.csv", 12_345)
    report = imported(gateway, LONG)
    assert rows_of(database_url) == long_rows(12_345)
    assert (report.sent_rows, report.absorbed, report.conflicts) == (12_345, 0, 0)
    (file,) = report.files
    assert (file.rows, file.first, file.tags) == (12_345, FIRST, ["EM01.energy"])
    assert report.is_clean
    query = (
        "SELECT DISTINCT imported, code, collected_from "
        "FROM telemetry.batch JOIN registry.gateway USING (gateway_id)"
    )
    assert all_of(database_url, query) == [(True, "gw-test-import", None)]


def test_importing_a_file_again_adds_nothing(gateway: GatewayConfig, database_url: str) -> None:
    long_csv(gateway.path.parent / "a.csv", 500)
    imported(gateway, LONG)
    batches = all_of(database_url, "SELECT count(*) FROM telemetry.batch")
    again = imported(gateway, LONG)
    assert [file.is_known for file in again.files] == [True]
    assert again.sent_rows == 0
    assert all_of(database_url, "SELECT count(*) FROM telemetry.batch") == batches


def test_what_the_database_has_already_is_absorbed(
    gateway: GatewayConfig, database_url: str
) -> None:
    """The journal and the spool are lost, and the file has one row more and one that differs."""
    folder = gateway.path.parent
    long_csv(folder / "a.csv", 500)
    imported(gateway, LONG)
    text = (folder / "a.csv").read_text().replace(",7.5\n", ",8.25\n")
    (folder / "a.csv").write_text(f"{text}2025-04-01T00:00:00Z,EM01.energy,1\n")
    report = imported(gateway, LONG)
    assert (report.sent_rows, report.absorbed, report.conflicts) == (501, 499, 1)
    assert len(rows_of(database_url)) == 501
    assert all_of(database_url, "SELECT kept_value, offered_value FROM telemetry.conflict") == [
        (7.5, 8.25)
    ]


def test_a_wide_workbook(gateway: GatewayConfig, database_url: str) -> None:
    title: list[list[Any]] = [["某厂历史数据"], ["时间", "电表", "温度", None]]
    workbook(gateway.path.parent / "a.xlsx", title + WIDE_ROWS)
    text = WIDE.format(files="*.xlsx").replace("layout", "skip_lines = 1\nlayout")
    assert imported(gateway, text).is_clean
    assert rows_of(database_url) == WIDE_STORED


def test_a_wide_parquet_file(gateway: GatewayConfig, database_url: str) -> None:
    times, energy, temperature = (list(column) for column in zip(*WIDE_ROWS, strict=True))
    columns = {"时间": times, "电表": energy, "温度": temperature, "more": [1, 2, 3]}
    parquet(gateway.path.parent / "a.parquet", columns)
    assert imported(gateway, WIDE.format(files="a.parquet")).is_clean
    assert rows_of(database_url) == WIDE_STORED


def test_a_wide_csv_in_the_customs_of_the_place(gateway: GatewayConfig, database_url: str) -> None:
    text = WIDE.format(files="a.csv")
    head = 'delimiter = ";"\ndecimal_comma = true\ndate = "日期"\ntime_format = "%Y/%m/%d %H:%M"\n'
    text = text.replace("layout", f'{head}missing = ["", "-"]\nlayout')
    lines = [
        "日期;时间;电表;温度",
        "2025/3/1;8:00;120,0;20,5",
        "2025/3/1;8:01;-;21,5",
        "2025/3/1;8:02;130;",
    ]
    (gateway.path.parent / "a.csv").write_bytes("\n".join(lines).encode("gb18030"))
    assert imported(gateway, text).is_clean
    assert rows_of(database_url) == WIDE_STORED


def test_qualities_and_seconds_since_1970(gateway: GatewayConfig, database_url: str) -> None:
    text = LONG + 'status = "q"\ntime_format = "unix_s"\ngood = ["OK"]\n'
    text += '[[file.tag]]\ncolumn = "PT-1"\ntag = "M01.temp"\noffset = 100\n'
    first = FIRST_US // 1_000_000
    (gateway.path.parent / "a.csv").write_text(
        f"time,tag,value,q\n{first},PT-1,1,OK\n{first + 1}.5,PT-1,2,BadSensorFailure\n"
        f"{first + 2},PT-1,,\n{first + 3},PT-1,4,broken\n{first + 4},PT-2,4,OK\n"
    )
    report = imported(gateway, text)
    assert rows_of(database_url) == [
        ("M01.temp", FIRST_US, 101.0, 0),
        ("M01.temp", FIRST_US + 1_500_000, None, CODES["BadSensorFailure"]),
        ("M01.temp", FIRST_US + 2_000_000, None, CODES["BadNoData"]),
        ("M01.temp", FIRST_US + 3_000_000, None, CODES["Bad"]),
    ]
    assert report.files[0].unknown_tags == {"PT-2": 1}


def test_rows_without_a_time_that_is_one_keep_nothing_from_the_others(
    gateway: GatewayConfig, database_url: str
) -> None:
    """A data frame writes an empty time as NaN."""
    text = LONG + 'time_format = "unix_s"\n'
    text += text.replace("*.csv", "*.parquet")
    first = FIRST_US // 1_000_000
    arrow = import_module("pyarrow")
    times, tags = [float("nan"), float(first)], ["EM01.energy"] * 2
    table = arrow.table({"time": times, "tag": tags, "value": [1.0, 2.0]})
    import_module("pyarrow.parquet").write_table(table, gateway.path.parent / "a.parquet")
    (gateway.path.parent / "b.csv").write_text(
        f"time,tag,value\n1e999,EM01.energy,3\n{first + 60},EM01.energy,4\n"
    )
    report = imported(gateway, text)
    assert [row[2] for row in rows_of(database_url)] == [2.0, 4.0]
    assert [file.refused for file in report.files] == [1, 1]


def test_records_of_the_past(gateway: GatewayConfig, database_url: str) -> None:
    rows: list[list[Any]] = [
        ["行号", "数量", "交期"],
        ["SO1", 5, wall_clock("2025-03-10")],
        ["SO2", -5, wall_clock("2025-03-11")],
        [1003, 7.5, wall_clock("2025-03-12")],
    ]
    workbook(gateway.path.parent / "orders.xlsx", rows)
    text = (
        '[[file]]\nfiles = "orders.xlsx"\nlayout = "records"\nkind = "order_line"\n'
        'columns = { line = "行号", quantity = "数量", due = "交期" }\n'
    )
    report = imported(gateway, text)
    query = "SELECT key, at, body FROM telemetry.record ORDER BY key"
    assert all_of(database_url, query) == [
        (
            "1003",
            datetime(2025, 3, 11, 16, tzinfo=UTC),
            {"line": 1003, "quantity": 7.5, "due": "2025-03-12"},
        ),
        (
            "SO1",
            datetime(2025, 3, 9, 16, tzinfo=UTC),
            {"line": "SO1", "quantity": 5, "due": "2025-03-10"},
        ),
    ]
    (file,) = report.files
    (reject,) = file.refused_rows
    assert (reject.line, reject.reason) == (3, "order_line: quantity: -5 is less than 0")
    (kept,) = refused(gateway, 10)
    assert kept.reason == "orders.xlsx, row 3: order_line: quantity: -5 is less than 0"


def test_a_dry_run_tells_all_and_changes_nothing(gateway: GatewayConfig, database_url: str) -> None:
    folder = gateway.path.parent
    long_csv(folder / "a.csv", 100)
    imported(gateway, LONG)
    before = {path.name: path.stat().st_mtime_ns for path in folder.rglob("*")}
    with (folder / "a.csv").open("a") as file:
        file.write("yesterday,EM01.energy,1\n2025-03-02,EM02.energy,1\n2025-03-02,M01.temp,x\n")
    report = importer.dry_run(gateway, mapping(folder, LONG), importer.known_tags(gateway), quiet)
    (found,) = report.files
    assert (found.rows, found.values, found.refused) == (103, 100, 2)
    assert (found.first, found.last) == (FIRST, FIRST + timedelta(minutes=99))
    assert [(one.line, one.reason) for one in found.refused_rows] == [
        (102, '"yesterday" is not an ISO 8601 date or time'),
        (104, 'M01.temp: "x" is not a number'),
    ]
    assert found.unknown_tags == {"EM02.energy": 1}
    already = importer.stored_already(gateway, report)
    assert already is not None
    (stored,) = already
    assert (stored.tag, stored.rows, stored.first) == ("EM01.energy", 100, FIRST)
    assert not report.is_clean
    after = {path.name: path.stat().st_mtime_ns for path in folder.rglob("*")}
    changed = {name for name in after if before.get(name) != after[name]}
    assert changed <= {"a.csv", "history.toml"}


def test_tags_that_the_plan_gets_later_are_imported_then(
    gateway: GatewayConfig, database_url: str
) -> None:
    folder = gateway.path.parent
    long_csv(folder / "a.csv", 10, "EM03.energy")
    first = imported(gateway, LONG)
    assert first.files[0].unknown_tags == {"EM03.energy": 10}
    assert not first.is_clean
    prepare_database(database_url, ["EM01.energy", "M01.temp", "EM03.energy"])
    second = imported(gateway, LONG)
    assert second.is_clean
    assert len(rows_of(database_url)) == 10


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.xlsx", b"no workbook", "it is no workbook"),
        ("a.parquet", b"no parquet", "it is no Parquet"),
        ("a.csv", b"time,value\n1,2\n", "it has no column tag"),
    ],
)
def test_a_file_that_cannot_be_read_keeps_nothing_from_the_others(
    gateway: GatewayConfig, database_url: str, name: str, content: bytes, reason: str
) -> None:
    folder = gateway.path.parent
    (folder / name).write_bytes(content)
    long_csv(folder / "z.csv", 5)
    text = LONG.replace("*.csv", name) + LONG.replace("*.csv", "z.csv")
    report = imported(gateway, text)
    assert reason in (report.files[0].fault or "")
    assert rows_of(database_url) == long_rows(5)
    assert not report.is_clean


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", ["0: the file needs at least one [[file]]"]),
        ('[[file]]\nfiles = "a.doc"\nlayout = "long"', ['2: files = "a.doc" must end with']),
        (
            '[[file]]\nfiles = "a.csv"\nlayout = "long"\ntime = "t"',
            ['1: layout = "long" needs "name"', '1: layout = "long" needs "value"'],
        ),
        (
            '[[file]]\nfiles = "a.csv"\nlayout = "wide"\ntime = "t"',
            ['1: layout = "wide" needs a [[file.tag]]'],
        ),
        (
            '[[file]]\nfiles = "a.csv"\nlayout = "records"\nkind = "cogs"\ncolumns = { day = "d" }',
            ['5: columns lack "month"', '5: columns lack "amount_yuan"'],
        ),
        ('[[file]]\nfile = "a.csv"\nlayout = "wide"', ['2: unknown key "file"']),
        (
            '[[files]]\nfiles = "a.csv"',
            ["1: unknown section [[files]] in the file; did you mean [[file]]?"],
        ),
        ("[[file]", ["1: is not TOML"]),
    ],
)
def test_a_wrong_mapping_is_told_by_line(tmp_path: Path, text: str, problems: list[str]) -> None:
    with pytest.raises(ConfigRefused) as wrong:
        mapping(tmp_path, text)
    found = [f"{problem.line}: {problem.message}" for problem in wrong.value.problems]
    assert len(found) == len(problems)
    for one, expected in zip(found, problems, strict=True):
        assert one.startswith(expected)


def test_a_mapping_without_files_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigRefused, match=r'there is no file "\*\.csv"'):
        mapping(tmp_path, LONG).found()


def test_an_import_that_is_not_enrolled_says_how(tmp_path: Path, database_url: str) -> None:
    config = load(write_file(tmp_path, meter_source(), database_url))
    with pytest.raises(NotEnrolled, match=r"enrol gateway\.toml --for-import --factory"):
        importer.known_tags(config)


def test_a_damaged_spool_of_the_imports_stops_none(
    gateway: GatewayConfig, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collectors.sink.ledger._STILL_S", 0.5)
    long_csv(gateway.path.parent / "a.csv", 10)
    imported(gateway, LONG)
    spool = import_gateway(gateway).spool_path
    spool.write_bytes(b"\xff" * 100 + spool.read_bytes()[100:])
    long_csv(gateway.path.parent / "a.csv", 20)
    imported(gateway, LONG)
    assert rows_of(database_url) == long_rows(20)


def test_two_imports_at_once_are_refused(gateway: GatewayConfig) -> None:
    long_csv(gateway.path.parent / "a.csv", 5)
    with sole_use(import_gateway(gateway).spool_path), pytest.raises(SpoolBusy):
        imported(gateway, LONG)


def test_a_database_that_is_away_stops_the_import_and_the_next_one_goes_on(
    gateway: GatewayConfig, database_url: str
) -> None:
    folder = gateway.path.parent
    long_csv(folder / "a.csv", 300)
    known = importer.known_tags(gateway)
    write_file(folder, meter_source())
    with pytest.raises(ImportStopped, match="the same command goes on"):
        importer.run_import(load(gateway.path), mapping(folder, LONG), known, quiet, patience_s=0.3)
    write_file(folder, meter_source(), database_url)
    again = imported(load(gateway.path), LONG)
    assert [file.is_known for file in again.files] == [True]
    assert rows_of(database_url) == long_rows(300)


def killed_after_progress(gateway: GatewayConfig, journal: Path) -> None:
    """Start an import as a process of its own and kill it as soon as it got further."""
    seen = journal.read_bytes() if journal.exists() else b""
    call = "import sys; from deploy.cli import main; sys.exit(main())"
    files = (str(gateway.path), str(gateway.path.with_name("history.toml")))
    process = subprocess.Popen(
        [sys.executable, "-c", call, "collector", "import", *files, "--json"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(
            lambda: process.poll() is not None or got_further(journal, seen),
            "progress",
            timeout_s=60,
        )
        assert process.poll() is None, "the import ended before it could be killed"
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait(30)


def got_further(journal: Path, seen: bytes) -> bool:
    return journal.exists() and journal.read_bytes() != seen


def test_an_import_killed_at_any_moment_goes_on_and_counts_nothing_twice(
    gateway: GatewayConfig, database_url: str
) -> None:
    folder = gateway.path.parent
    count = 40_000
    long_csv(folder / "a.csv", count)
    (folder / "history.toml").write_text(LONG, encoding="utf-8")
    own = import_gateway(gateway)
    journal = own.context().state / "import.json"
    for _ in range(2):
        killed_after_progress(gateway, journal)
    report = imported(gateway, LONG)
    assert report.is_clean
    assert rows_of(database_url) == long_rows(count)
    for table in ("absorbed", "conflict", "finding"):
        assert all_of(database_url, f"SELECT * FROM telemetry.{table}") == []
    seqs = [seq for (seq,) in all_of(database_url, "SELECT seq FROM telemetry.batch ORDER BY seq")]
    assert seqs == list(range(1, len(seqs) + 1))
