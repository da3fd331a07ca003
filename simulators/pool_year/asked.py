"""Who has what to do from when to when, and when they are reminded of it or the next level is told.

Each to-do is a span of time: it begins with what asks for it and ends with what does it, or with
the state that it belongs to.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from simulators.pool_year.days import BY_DAY, DAY, NIGHT, Moment, workdays_on
from simulators.pool_year.filed import Part, parts
from simulators.pool_year.scenario import Factory, Report, Year
from simulators.pool_year.stays import Stay, proposals_of, stays

_CHECK, _CONFIRM, _HEARING, _ANSWER, _RAISED = 10, 5, 5, 5, 3  # working days
_ACCEPT_DAYS = 15
_FIRST, _LAST = 7, 1  # days before the deadline
_ABOVE = {
    "ent_filler": "county_officer",
    "ent_approver": "county_officer",
    "county_officer": "city_officer",
    "city_officer": "city_leader",
}
_DECIDES = {"watch": "city_officer", "rectify": "city_leader"}


@dataclass(frozen=True, slots=True)
class Todo:
    """Something to do; raised where the level below let it pass."""

    factory: str
    role: str
    kind: str
    about: str
    begins: Moment
    due: date
    ends: Moment | None
    raised: bool = False

    def waits(self, at: Moment) -> bool:
        """Tell whether it waits once what happens then is followed."""
        return self.begins <= at and (self.ends is None or at < self.ends)


@dataclass(frozen=True, slots=True)
class Notice:
    """A word about a deadline: first and last before it, raised after it."""

    factory: str
    role: str
    kind: str
    about: str
    step: str
    on: date


def todos(year: Year) -> list[Todo]:
    """Return every to-do of the year, with those that fall to the next level."""
    found = []
    for factory in year.factories:
        level = [
            *_of_stays(year, factory), *_of_proposals(year, factory), *_of_reports(year, factory),
            *_of_requests(factory),
        ]  # fmt: skip
        while level:
            found += level
            level = _raised(year, level)
    return found


def notices(year: Year) -> list[Notice]:
    """Return every word about a deadline of the year."""
    return [
        Notice(each.factory, each.role, each.kind, each.about, step, on)
        for each in todos(year)
        for step, on in _notices(year, each)
    ]


def _notices(year: Year, todo: Todo) -> Iterator[tuple[str, date]]:
    # Nobody is reminded on the day on which they were asked.
    asked = todo.begins[0] + DAY
    for step, begins, ends in (
        ("first", max(asked, todo.due - _FIRST * DAY), todo.due - (_LAST + 1) * DAY),
        ("last", max(asked, todo.due - _LAST * DAY), todo.due),
    ):
        if begins <= min(ends, year.last) and todo.waits((begins, NIGHT)):
            yield step, begins
    passed = _passed(year, todo)
    if passed is not None:
        yield "raised", passed[0]


def _passed(year: Year, todo: Todo) -> Moment | None:
    """Return when it shows that a deadline passed: the night after, or at once where it had."""
    at = max((todo.due + DAY, NIGHT), todo.begins)
    return at if at[0] <= year.last and todo.waits(at) else None


def _raised(year: Year, below: list[Todo]) -> list[Todo]:
    found: dict[tuple[str, str, str, Moment], Todo] = {}
    for todo in below:
        above, at = _ABOVE.get(todo.role), _passed(year, todo)
        if above is None or at is None:
            continue
        due = workdays_on(at[0], _RAISED)
        made = Todo(todo.factory, above, todo.kind, todo.about, at, due, todo.ends, raised=True)
        # Two below that let the same pass make one above.
        found.setdefault((above, todo.kind, todo.about, at), made)
    return list(found.values())


def _of_stays(year: Year, factory: Factory) -> Iterator[Todo]:
    for stay in stays(year, factory):
        for kind, roles, begins, due, done in _asked_by(factory, stay):
            ends = min((at for at in (done, stay.ends) if at is not None), default=None)
            for role in roles:
                yield Todo(factory.code, role, kind, "", begins, due, ends)


_ENTERPRISE = ("ent_filler", "ent_approver")
_Asked = tuple[str, tuple[str, ...], Moment, date, Moment | None]


def _asked_by(factory: Factory, stay: Stay) -> Iterator[_Asked]:
    """Yield what a state asks for: kind, roles, from when, the last day, and what does it."""
    due = stay.due
    if due is None:
        return
    if stay.state == "watch":
        yield "remove_cause", _ENTERPRISE, stay.begins, due, None
        yield "decide_warning", ("city_officer",), stay.begins, due, None
    elif stay.state == "rectify":
        told, checked = _at(factory, "rectification_report"), _at(factory, "site_check_passed")
        yield "rectify", ("ent_approver",), stay.begins, due, told
        if told is not None:
            yield "check_rectification", ("county_officer",), told, _within(told, _CHECK), checked
        if told is not None and checked is not None:
            yield "decide_rectification", ("city_leader",), checked, _within(checked, _CHECK), None
        yield from _of_removal(factory)
    elif stay.state == "review":
        graded = _at(factory, "review_grade")
        yield "take_part_in_review", ("ent_approver",), stay.begins, due, graded
        yield "review", ("city_officer",), stay.begins, due, graded
        if graded is not None:
            yield "decide_review", ("city_leader",), graded, _within(graded, _CHECK), None


def _of_removal(factory: Factory) -> Iterator[_Asked]:
    told, stated, heard = (
        _at(factory, what) for what in ("removal_notice", "statement", "hearing")
    )
    if told is not None:
        yield "answer_removal", _ENTERPRISE, told, _within(told, _HEARING), stated or heard
    if stated is not None:
        yield "hold_hearing", ("county_officer",), stated, _within(stated, _CHECK), heard
    if heard is not None:
        yield "decide_removal", ("city_leader",), heard, _within(heard, _CHECK), None


def _of_proposals(year: Year, factory: Factory) -> Iterator[Todo]:
    for each, stay in proposals_of(year, factory):
        begins = each.fired, NIGHT
        ends: Moment | None = None if each.ended is None else (each.ended, NIGHT)
        if factory.left_on is not None and ends is not None:
            # Nothing is left to decide once it has left, which is before the night ends it.
            ends = min(ends, (factory.left_on, BY_DAY))
        role = _DECIDES[stay.state]
        yield Todo(
            factory.code, role, "decide_proposal", each.rule, begins, _within(begins, _CHECK), ends
        )


def _of_reports(year: Year, factory: Factory) -> Iterator[Todo]:
    left: Moment | None = None if factory.left_on is None else (factory.left_on, BY_DAY)
    for report in factory.reports:
        about = f"{report.kind} {report.start}"
        for each in _of_report(year, report):
            kind, role, begins, due, done = each
            ends = min((at for at in (done, left) if at is not None), default=None)
            yield Todo(factory.code, role, kind, about, begins, due, ends)


_Desk = tuple[str, str, Moment, date, Moment | None]


def _of_report(year: Year, report: Report) -> Iterator[_Desk]:
    """Yield whose desk a report lies on: kind, role, from when, the last day, until when."""
    for number, part in enumerate(parts(year, report)):
        begins: Moment = (part.begins, BY_DAY if number else NIGHT)
        over = _day(part.handed_over)
        yield "fill_report", "ent_filler", begins, part.due, over
        if over is not None:
            yield "submit_report", "ent_approver", over, part.due, _day(part.submitted)
        yield from _with_officers(report, part)


def _with_officers(report: Report, part: Part) -> Iterator[_Desk]:
    submitted = _day(part.submitted)
    if submitted is None:
        return
    later = [act for act in report.acts if (act.on, BY_DAY) > submitted]
    answered = next((act for act in later if act.do.startswith("county")), None)
    until = None if answered is None else _day(answered.on)
    yield "check_report", "county_officer", submitted, _within(submitted, _CHECK), until
    if answered is not None and until is not None and answered.do == "county_pass":
        locked = next((act.on for act in later if act.do == "lock"), None)
        yield "lock_report", "city_officer", until, _within(until, _CHECK), _day(locked)


def _of_requests(factory: Factory) -> Iterator[Todo]:
    """Yield what people ask of each other: to leave, and for help."""
    asked, confirmed = _at(factory, "leave"), _at(factory, "confirm_leave")
    if asked is not None:
        yield Todo(
            factory.code, "city_leader", "confirm_request", "leave", asked,
            _within(asked, _CONFIRM), confirmed,
        )  # fmt: skip
    help_, answer, end = (_at(factory, f"{do}_help") for do in ("ask", "answer", "close"))
    if help_ is not None:
        yield Todo(
            factory.code, "county_officer", "answer_ticket_county", "help", help_,
            _within(help_, _ANSWER), answer,
        )  # fmt: skip
    if answer is not None:
        for role in _ENTERPRISE:
            due = answer[0] + _ACCEPT_DAYS * DAY
            yield Todo(factory.code, role, "read_answer", "help", answer, due, end)


def _at(factory: Factory, what: str) -> Moment | None:
    return _day(factory.done(what))


def _day(on: date | None) -> Moment | None:
    return None if on is None else (on, BY_DAY)


def _within(begins: Moment, workdays: int) -> date:
    return workdays_on(begins[0], workdays)
