"""Entry lists as a bureau writes them."""

import csv
import io
from datetime import date
from typing import Any

from openpyxl import Workbook

from api.pool.entry_sheet import columns
from kpi.codes import credit_check, organisation_check


def credit(number: int) -> str:
    """Return a credit code whose check digits hold; it belongs to nobody."""
    body = f"91320600MA{number:06d}"
    body += organisation_check(body[8:16])
    return body + credit_check(body)


def row(number: int = 1, **cells: Any) -> dict[str, Any]:
    """A row of the list without a fault; a cell given as None stays empty."""
    return {
        "enterprise": f"示例企业{number}有限公司",
        "credit_code": credit(number),
        "code": f"ENTRY-{number}",
        "factory": f"示例工厂{number}",
        "kind": "离散",
        "county": "崇川区",
        "entered": "2022-12-30",
        "baseline_from": "2021-10-01",
        "baseline_to": "2022-09-30",
        "oee_before": "61",
        "oee_expected": "78",
        "oee_basis": "有凭证",
        "standard_coal_before": "5,200",
        "standard_coal_expected": "4700",
        "standard_coal_basis": "实测",
    } | cells


def as_csv(*rows: dict[str, Any], encoding: str = "utf-8-sig", language: str = "zh") -> bytes:
    """The rows as CSV with the heads of a language."""
    names = list(dict.fromkeys(name for each in rows for name in each))
    found = io.StringIO(newline="")
    writer = csv.writer(found)
    writer.writerow([getattr(columns()[name], language) for name in names])
    for each in rows:
        values = [each.get(name) for name in names]
        writer.writerow(["" if value is None else value for value in values])
    return found.getvalue().encode(encoding)


def as_workbook(*rows: dict[str, Any], percent: tuple[str, ...] = ()) -> bytes:
    """The rows as a workbook; `percent` names columns whose cells are formatted as such."""
    names = list(dict.fromkeys(name for each in rows for name in each))
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append([columns()[name].zh for name in names])
    for each in rows:
        sheet.append([each.get(name) for name in names])
        for number, name in enumerate(names, 1):
            cell = sheet.cell(sheet.max_row, number)
            if isinstance(each.get(name), date):
                cell.number_format = "yyyy/m/d"
            if name in percent:
                cell.number_format = "0.00%"
    found = io.BytesIO()
    book.save(found)
    return found.getvalue()
