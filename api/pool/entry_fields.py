"""One row of an entry list as values: what is wrong with each cell, and what to do about it."""

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

from api.kpis import by_id
from api.messages import Texts
from api.pool.entry_sheet import Cell, Line, columns, words
from kpi.codes import credit_code
from store.entries import EntryFactory, EntryPromise
from store.plan_kpis import KPI_RANGES
from store.pool import Region

_DAY = timedelta(days=1)
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_LONGEST_NAME = 200


Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong in a row, in which column, and what to do; a warning stops nothing."""

    row: int
    column: str
    column_en: str
    severity: Severity
    what: str
    do: str
    what_zh: str
    do_zh: str


def problem(row: int, column: str, severity: Severity, code: str, **values: object) -> RowProblem:
    """Return what is wrong in a column, in the words of entry_fault.CODE in texts/entries.toml."""
    zh, en = Texts("zh"), Texts("en")
    what, do = f"entry_fault.{code}", f"entry_fault.{code}_do"
    head = columns()[column]
    return RowProblem(
        row, head.zh, head.en, severity,
        what=en(what, **values), do=en(do, **values),
        what_zh=zh(what, **values), do_zh=zh(do, **values),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that can be stored; code is None where the list names none."""

    row: int
    code: str | None
    given: EntryFactory
    entered_on: date
    promises: tuple[EntryPromise, ...]


@dataclass
class _Row:
    """One row while it is read."""

    line: Line
    today: date
    problems: list[RowProblem] = field(default_factory=list)

    def wrong(self, column: str, code: str, **values: object) -> None:
        self.problems.append(problem(self.line.number, column, "error", code, **values))

    def odd(self, column: str, code: str, **values: object) -> None:
        self.problems.append(problem(self.line.number, column, "warning", code, **values))

    def text(self, column: str) -> str | None:
        cell = self.line.cells.get(column)
        if cell is None:
            if columns()[column].required:
                self.wrong(column, "empty")
            return None
        found = unicodedata.normalize("NFC", str(cell.value)).strip()
        if len(found) > _LONGEST_NAME or not found.isprintable():
            self.wrong(column, "text", most=_LONGEST_NAME)
            return None
        return found

    def word(self, column: str, choices: Mapping[str, Any]) -> str | None:
        found = self.text(column)
        if found is None:
            return None
        for code, names in choices.items():
            if found.casefold() in names:
                return code
        self.wrong(column, "word", given=found, choices=_choices(choices))
        return None

    def day(self, column: str) -> date | None:
        cell = self.line.cells.get(column)
        if cell is not None and isinstance(cell.value, datetime):
            return cell.value.date()
        if cell is not None and isinstance(cell.value, date):
            return cell.value
        text = self.text(column)
        if text is None:
            return None
        found = _DATE.fullmatch(text)
        try:
            if found:
                return date(*(int(part) for part in found.groups()))
        except ValueError:
            pass
        self.wrong(column, "day", given=text)
        return None


def entry_of(
    line: Line, regions: Mapping[str, Region], today: date
) -> tuple[Entry | None, list[RowProblem]]:
    """Return what a row says and all that is wrong with it; no entry where an error stands."""
    row = _Row(line, today)
    enterprise, factory = row.text("enterprise"), row.text("factory")
    code, credit = _code(row), _credit(row)
    kind = row.word("kind", words()["kind"])
    region = _region(row, regions)
    entered, window = _entered(row), _baseline(row)
    promises = tuple(
        promise
        for kpi_id in words()["kpis"]["listed"]
        if (promise := _promise(row, kpi_id)) is not None
    )
    if not promises and not row.problems:
        row.odd("oee_expected", "no_promise")
    if any(each.severity == "error" for each in row.problems):
        return None, row.problems
    # Each of these is there, else its absence were an error.
    assert enterprise is not None
    assert factory is not None
    assert kind is not None
    assert region is not None
    assert entered is not None
    assert window is not None
    given = EntryFactory(
        code or "", factory, factory, kind, region, *window, enterprise, enterprise, credit
    )
    return Entry(line.number, code, given, entered, promises), row.problems


def _code(row: _Row) -> str | None:
    found = row.text("code")
    if found is not None and not _CODE.fullmatch(found):
        row.wrong("code", "code", given=found)
    return found


def _credit(row: _Row) -> str | None:
    found = row.text("credit_code")
    if found is None:
        row.odd("credit_code", "no_credit")
        return None
    checked = credit_code(found)
    if not checked.valid:
        # Some codes were issued lawfully that do not hold, so that this stops nothing.
        row.odd("credit_code", "credit", given=found)
    return found


def _region(row: _Row, regions: Mapping[str, Region]) -> str | None:
    found = row.text("county")
    if found is None:
        return None
    for region in regions.values():
        if found in (region.code, region.name_zh, region.name_en):
            return region.code
    alike = [each.code for each in regions.values() if each.name_zh.startswith(found)]
    if len(alike) == 1 and len(found) > 1:
        return alike[0]
    names = "、".join(each.name_zh for each in regions.values())
    row.wrong("county", "county", given=found, choices=names)
    return None


def _entered(row: _Row) -> date | None:
    found = row.day("entered")
    if found is not None and found > row.today:
        row.wrong("entered", "future", given=found)
    return found


def _baseline(row: _Row) -> tuple[date, date, date] | None:
    """Return the half-open baseline and the day of the renovation."""
    first, last, renovated = (
        row.day("baseline_from"), row.day("baseline_to"), row.day("renovated"),
    )  # fmt: skip
    if first is None or last is None:
        return None
    if last < first:
        row.wrong("baseline_to", "backwards", given=last, first=first)
        return None
    end = last + _DAY
    if renovated is None:
        return first, end, end
    if renovated < end:
        row.wrong("renovated", "within", given=renovated)
        return None
    return first, end, renovated


def _promise(row: _Row, kpi_id: str) -> EntryPromise | None:
    before, expected = _value(row, kpi_id, "before"), _value(row, kpi_id, "expected")
    column = f"{kpi_id}_basis"
    basis = row.word(column, words()["basis"]) if column in row.line.cells else None
    if expected is None:
        if (before is not None or basis is not None) and f"{kpi_id}_expected" not in row.line.cells:
            row.wrong(f"{kpi_id}_expected", "no_expected")
        return None
    if before is not None and basis is None and column not in row.line.cells:
        row.wrong(column, "no_basis", choices=_choices(words()["basis"]))
        return None
    _compare(row, kpi_id, before, expected)
    return EntryPromise(kpi_id, before, basis or "declared", expected)


def _compare(row: _Row, kpi_id: str, before: float | None, expected: float) -> None:
    column, kpi = f"{kpi_id}_expected", by_id(kpi_id)
    if before is None:
        row.odd(f"{kpi_id}_before", "no_before")
    elif before == expected:
        row.odd(column, "no_change")
    elif (expected > before) != (kpi.better == "up"):
        row.odd(column, "worse")


def _value(row: _Row, kpi_id: str, part: str) -> float | None:
    """Return a value in the figure's unit from the one that a person writes."""
    column, kpi = f"{kpi_id}_{part}", by_id(kpi_id)
    cell = row.line.cells.get(column)
    if cell is None:
        return None
    shown = _number(cell)
    unit = kpi.shown_unit_zh
    if shown is None:
        row.wrong(column, "number", given=cell.value, unit=unit)
        return None
    if unit == "%" and kpi.better == "up" and 0 < shown <= 1 and not _says_percent(cell):
        row.wrong(
            column, "share", given=f"{shown:g}", percent=f"{shown:.0%}", written=f"{shown * 100:g}"
        )
        return None
    # Twelve digits, so that 85 % is 0.85 and not its neighbour.
    value = float(f"{shown / kpi.factor:.12g}")
    allowed = KPI_RANGES[kpi_id]
    if not allowed.least <= value <= allowed.most or (allowed.is_whole and value % 1):
        bounds = {"least": allowed.least * kpi.factor, "most": allowed.most * kpi.factor}
        row.wrong(
            column,
            "whole" if allowed.is_whole else "range",
            given=f"{shown:g}",
            unit=unit,
            **{name: f"{bound:g}" for name, bound in bounds.items()},
        )
        return None
    return value


def _choices(choices: Mapping[str, Any]) -> str:
    return " / ".join(names[0] for names in choices.values())


def _says_percent(cell: Cell) -> bool:
    return cell.as_percent or (isinstance(cell.value, str) and "%" in _folded(cell.value))


def _number(cell: Cell) -> float | None:
    value = cell.value
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = _folded(value).replace(",", "").removesuffix("%").strip()
        try:
            value = float(text)
        except ValueError:
            return None
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()
