"""The items of a report: figures to confirm or dispute, and what no machine knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api import kpis
from api.pool.errors import Declined
from api.pool.kpi_values import check_value
from api.pool.lifecycle import Name
from api.pool.refused import refused
from api.pool.report_table import Field, table
from store import Connection, reports
from store.reports import Answer, NewAnswer, Prefilled, Report

KPI = "kpi."
_LONGEST_TEXT = 2000
_MOST = 10**12


@dataclass(frozen=True, slots=True)
class Item:
    """What is asked of one thing, what was answered, and why it was returned."""

    code: str
    name: Name
    form: str | tuple[str, ...]
    optional: bool
    figure: Prefilled | None
    answer: Answer | None
    last: Any
    carry: bool
    returned: str | None

    @property
    def is_verified(self) -> bool:
        """Tell whether the machine knows the value, so that it is confirmed or disputed."""
        return self.figure is not None and self.figure.point is not None

    @property
    def must_fill(self) -> bool:
        """Tell whether somebody has to write a value that nobody else knows."""
        held = self.carry and self.last is not None
        return not self.is_verified and not self.optional and not held

    @property
    def is_answered(self) -> bool:
        """Tell whether the item holds the report up no longer."""
        if self.is_verified:
            assert self.figure is not None
            return self.answer is not None and self.answer.figure_id == self.figure.figure_id
        if self.answer is not None and self.answer.stance == "given":
            return self.answer.value is not None or self.optional or self.code.startswith(KPI)
        return not self.must_fill

    @property
    def value(self) -> Any:
        """Return what the report says of the item, as it stands."""
        if self.answer is not None:
            return self.answer.value
        return self.last if self.carry else None


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody says of an item; figure_id is the figure that they looked at, if they say."""

    item: str
    stance: str
    value: Any = None
    note: str = ""
    figure_id: int | None = None


def items(conn: Connection, found: Report) -> tuple[Item, ...]:
    """Return every item of a report in the order of its form."""
    figures = {each.kpi: each for each in reports.figures(conn, found.report_id)}
    answers = {each.item: each for each in reports.answers(conn, found.report_id)}
    last = reports.last_answers(conn, found)
    why = _returned(conn, found)
    fields = [
        (Field(KPI + kpi, _kpi_name(kpi), "amount", False, False), figures.get(kpi))
        for kpi in found.kpis
    ]
    fields += [(each, None) for each in table().fields(found.kind, found.factory_kind)]
    return tuple(
        Item(
            code=field.code,
            name=field.name,
            form=field.form,
            optional=field.optional,
            figure=figure,
            answer=answers.get(field.code),
            last=last.get(field.code),
            carry=field.carry,
            returned=why.get(field.code),
        )
        for field, figure in fields
    )


def checked(given: Sequence[Given], known: Sequence[Item]) -> list[NewAnswer]:
    """Return answers in the form in which they are kept; raises Declined for one that does not fit.

    A confirmed figure keeps the verified value; a disputed one the enterprise's own, with why.
    """
    by_code = {each.code: each for each in known}
    found = []
    for each in given:
        item = by_code.get(each.item)
        if item is None:
            raise refused("no_item", Declined, item=each.item)
        if len(each.note) > _LONGEST_TEXT:
            raise refused("long_note", Declined, item=item.name, most=_LONGEST_TEXT)
        found.append(_checked(each, item))
    return found


def _checked(given: Given, item: Item) -> NewAnswer:
    if not item.is_verified:
        if given.stance != "given":
            raise refused("unverified", Declined, item=item.name)
        return NewAnswer(given.item, "given", _valid(given, item), None, given.note.strip())
    assert item.figure is not None
    if given.figure_id not in (None, item.figure.figure_id):
        raise refused("figure_moved", Declined, item=item.name)
    if given.stance == "confirmed":
        value = item.figure.point
    elif given.stance == "disputed":
        value = _valid(given, item)
        if value is None or not given.note.strip():
            raise refused("bare_dispute", Declined, item=item.name)
    else:
        raise refused("verified", Declined, item=item.name)
    return NewAnswer(given.item, given.stance, value, item.figure.figure_id, given.note.strip())


def _valid(given: Given, item: Item) -> Any:
    value = given.value
    if value is None or value == "":
        if item.optional or item.code.startswith(KPI):
            return None
        raise refused("no_value", Declined, item=item.name)
    if item.form == "text":
        if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
            raise refused("text", Declined, item=item.name, most=_LONGEST_TEXT)
        return value.strip() or None
    if isinstance(item.form, tuple):
        if value not in item.form:
            raise refused("words", Declined, item=item.name, words=", ".join(item.form))
        return value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and item.code.startswith(KPI):
        check_value(item.code.removeprefix(KPI), value)
        return value
    if not is_number or not 0 <= value < _MOST:
        raise refused("number", Declined, item=item.name)
    if item.form == "count" and value != int(value):
        raise refused("count", Declined, item=item.name)
    return int(value) if item.form == "count" else value


def _returned(conn: Connection, found: Report) -> Mapping[str, str]:
    """Return why items were returned last, until the report is with the county again."""
    if found.submitted_at is not None:
        return {}
    for each in reversed(reports.steps(conn, found.report_id)):
        if each.items:
            return each.items
    return {}


def _kpi_name(kpi: str) -> Name:
    found = kpis.by_id(kpi)
    return Name(found.zh, found.en)
