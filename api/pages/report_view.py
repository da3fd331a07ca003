"""What the pages of reports show, as their templates print it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from api import kpis
from api.formats import local_minute
from api.messages import Texts
from api.permissions import Role
from api.pool.errors import Declined, StaleVersion
from api.pool.report_items import KPI, Item
from api.pool.report_table import table
from api.pool.reports import View
from store.reports import Report, Taken


@dataclass(frozen=True, slots=True)
class Row:
    """A report in the list or at the head of its page."""

    href: str
    disputes: str
    factory: str
    kind: str
    period: str
    state: str
    due: str
    estimated: bool
    overdue: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """An item as the form shows it; values are in the unit that people read."""

    code: str
    name: str
    form: str
    words: tuple[tuple[str, str], ...]
    optional: bool
    unit: str
    verified: str | None
    revision: str | None
    disputed: str
    figure: int | None
    stance: str
    value: str
    said: str
    note: str
    last: str | None
    returned: str | None


@dataclass(frozen=True, slots=True)
class Todo:
    """A step that the caller's role takes, and why it is not open where it is not."""

    step: str
    name: str
    adverse: bool
    why_not: str


@dataclass(frozen=True, slots=True)
class Past:
    """A step that was taken."""

    at: str
    who: str
    role: str
    state: str
    comment: str


@dataclass(frozen=True, slots=True)
class ReportPage:
    """The whole page; what is typed and refused stands in it again."""

    row: Row
    version: int
    to_fill: int
    left: int
    confirmable: int
    figures: tuple[Asked, ...]
    others: tuple[Asked, ...]
    points: tuple[Asked, ...]
    fills: bool
    todos: tuple[Todo, ...]
    returns: bool
    comment: str
    reasons: Mapping[str, str]
    taken: tuple[Past, ...]
    fault: str | None


def report_page(
    t: Texts,
    found: View,
    taken: Sequence[Taken],
    role: Role,
    typed: Mapping[str, str],
    fault: Declined | None,
) -> ReportPage:
    """Build the page for somebody of a role, with what they typed where it was refused."""
    items = [asked(each, t, typed) for each in found.items]
    steps = todos(found, role, t)
    return ReportPage(
        row=row(found.report, t),
        version=found.report.version,
        to_fill=found.to_fill,
        left=found.left,
        confirmable=sum(each.is_verified for each in found.items),
        figures=tuple(each for each in items if each.code.startswith(KPI)),
        others=tuple(each for each in items if not each.code.startswith((KPI, "annex1."))),
        points=tuple(each for each in items if each.code.startswith("annex1.")),
        fills=any(each.step == "fill" for each in steps),
        todos=tuple(each for each in steps if each.step not in ("fill", "hand_over")),
        returns=any(each.step.endswith("_return") or each.step == "reopen" for each in steps),
        comment=typed.get("comment", ""),
        reasons={each.code: typed.get(f"return:{each.code}", "") for each in items},
        taken=tuple(
            Past(
                local_minute(each.at),
                t("role.system") if each.role == "system" else each.actor,
                t(f"role.{each.role}"),
                state(each.to_state, t), each.comment,
            )
            for each in reversed(taken) if each.step != "fill"
        ),
        fault=fault_text(t, fault),
    )  # fmt: skip


def fault_text(t: Texts, fault: Declined | None) -> str | None:
    """Return what was refused and why, for beside the form."""
    if isinstance(fault, StaleVersion):
        return t("report.stale")
    return None if fault is None else fault.text(t.language)


def row(found: Report, t: Texts) -> Row:
    """Return a report as a line of the list."""
    kind = table().kinds[found.kind]
    key = "report.days" if found.kind in ("Q", "Y") else "report.day"
    since = found.overdue_since
    return Row(
        href=f"/factories/{found.factory}/reports/{found.report_id}",
        disputes=f"/factories/{found.factory}/disputes",
        factory=t.pick(found.name_zh, found.name_en),
        kind=t.pick(kind.zh, kind.en),
        period=t(key, start=found.period_start, end=found.period_end - timedelta(days=1)),
        state=state(found.state, t),
        due=found.due_on.isoformat(),
        estimated=found.due_estimated,
        overdue=None if since is None else t("report.overdue", day=since),
    )


def state(code: str, t: Texts) -> str:
    """Return what a state is called."""
    name = table().states[code]
    return t.pick(name.zh, name.en)


def todos(found: View, role: Role, t: Texts) -> list[Todo]:
    """Return the steps from here that are of the role, open or not."""
    return [
        Todo(
            each.transition.transition_id,
            t.pick(each.transition.name.zh, each.transition.name.en),
            each.transition.adverse,
            t.pick("；", "; ").join(why.text(t.language) for why in each.reasons),
        )
        for each in found.steps
        if role in each.transition.who
    ]


def asked(item: Item, t: Texts, typed: Mapping[str, str]) -> Asked:
    """Return an item as the form asks it, with what was typed before it was refused."""
    answer, figure = item.answer, item.figure
    stance = typed.get(f"stance:{item.code}", answer.stance if answer else "")
    if item.is_verified and answer is not None and not item.is_answered:
        stance = typed.get(f"stance:{item.code}", "")
    value = _typed(item, item.value) if not item.is_verified or stance == "disputed" else ""
    return Asked(
        code=item.code,
        name=t.pick(item.name.zh, item.name.en),
        form=item.form if isinstance(item.form, str) else "words",
        words=() if isinstance(item.form, str) else tuple(
            (word, t.pick(table().words[word].zh, table().words[word].en)) for word in item.form
        ),
        optional=item.optional,
        unit=_unit(item, t),
        verified=_text(item, figure.point) if figure and item.is_verified else None,
        revision=None if figure is None or not item.is_verified else t(
            "report.revision", revision=figure.revision, grade=figure.grade,
            figure=figure.figure_id,
        ),
        disputed="" if figure is None or not item.is_verified else f"?figure={figure.figure_id}",
        figure=figure.figure_id if figure is not None and item.is_verified else None,
        stance=stance,
        value=typed.get(f"value:{item.code}", value),
        said=_said(item, t),
        note=typed.get(f"note:{item.code}", answer.note if answer else ""),
        last=None if item.last is None or item.carry else _text(item, item.last),
        returned=item.returned,
    )  # fmt: skip


def _said(item: Item, t: Texts) -> str:
    """Return what the report says of an item, in words."""
    if item.is_verified:
        if not item.is_answered or item.answer is None:
            return t("report.no_answer")
        if item.answer.stance == "confirmed":
            return t("report.confirmed")
        return t("report.disputed", value=f"{_text(item, item.value)} {_unit(item, t)}".strip())
    if item.value is None:
        return t("report.no_answer")
    if isinstance(item.form, tuple):
        return t.pick(table().words[item.value].zh, table().words[item.value].en)
    return f"{_text(item, item.value)} {_unit(item, t)}".strip()


def _text(item: Item, value: Any) -> str:
    if value is None:
        return ""
    if item.code.startswith(KPI) and isinstance(value, int | float):
        kpi = kpis.by_id(item.code.removeprefix(KPI))
        return f"{value * kpi.factor:.{kpi.decimals}f}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _typed(item: Item, value: Any) -> str:
    """Return what was said as a field holds it: in full, since it is sent again as it stands."""
    if item.code.startswith(KPI) and isinstance(value, int | float):
        return f"{value * kpis.by_id(item.code.removeprefix(KPI)).factor:.12g}"
    return f"{value:.12g}" if isinstance(value, float) else _text(item, value)


def _unit(item: Item, t: Texts) -> str:
    if not item.code.startswith(KPI):
        return ""
    kpi = kpis.by_id(item.code.removeprefix(KPI))
    return t.pick(kpi.shown_unit_zh, kpi.shown_unit_en)
