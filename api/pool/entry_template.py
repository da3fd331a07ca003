"""An empty entry list with its heads, and one sample row that says that it is one."""

import csv
import io

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from api.pool.entry_sheet import Column, columns, words

_SAMPLE_VALUES = {"oee": ("61", "78", "有凭证"), "defect_rate": ("2.4", "1.2", "实测")}
_ROWS = 500


def as_csv() -> bytes:
    """Return the template as CSV in UTF-8 with the mark that Excel needs."""
    found = io.StringIO(newline="")
    writer = csv.writer(found, lineterminator="\r\n")
    writer.writerow([each.zh for each in columns().values()])
    writer.writerow([_sample(each) for each in columns().values()])
    return found.getvalue().encode("utf-8-sig")


def as_workbook() -> bytes:
    """Return the template as a workbook whose choices are lists."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "入库名单"
    sheet.freeze_panes = "A2"
    sheet.row_dimensions[1].height = 48
    for number, column in enumerate(columns().values(), 1):
        head = sheet.cell(1, number, column.zh)
        head.font = Font(bold=True)
        head.alignment = Alignment(wrap_text=True, vertical="center")
        if column.required:
            head.fill = PatternFill("solid", fgColor="FFF2CC")
        sheet.cell(2, number, _sample(column) or None)
        sheet.column_dimensions[get_column_letter(number)].width = 16
        if choices := _choices(column):
            rule = DataValidation(type="list", formula1=f'"{",".join(choices)}"', allow_blank=True)
            sheet.add_data_validation(rule)
            rule.add(f"{get_column_letter(number)}2:{get_column_letter(number)}{_ROWS}")
    found = io.BytesIO()
    book.save(found)
    return found.getvalue()


def _sample(column: Column) -> str:
    if column.kpi is None:
        return column.sample
    assert column.part is not None
    values = _SAMPLE_VALUES.get(column.kpi)
    return "" if values is None else values[("before", "expected", "basis").index(column.part)]


def _choices(column: Column) -> list[str]:
    if column.part == "basis":
        return [names[0] for names in words()["basis"].values()]
    return [names[0] for names in words()["kind"].values()] if column.name == "kind" else []
