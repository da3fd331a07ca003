"""What the pages of disputes show, as their templates print it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from api import kpis
from api.formats import NOTHING, kpi_value, local_minute, months, percent
from api.kpis import Kpi
from api.messages import Texts
from api.pages import explanation_view
from api.pages.report_view import fault_text
from api.pages.templates import Word
from api.permissions import Role
from api.pool.dispute_table import table
from api.pool.disputes import View, rerun_state
from api.pool.errors import Declined
from api.pool.lifecycle import Step
from api.verdicts import Tone
from store.disputes import Disputable, Dispute, Taken, Value, Verifier

_TONES: Mapping[str, Tone] = {"raised": "warn", "remeasure": "warn", "settled": "good"}
_RERUN_TONES: Mapping[str, Tone] = {"done": "good", "failed": "bad"}
_ERRORS = ("timeout", "broken", "refused", "stopped")


@dataclass(frozen=True, slots=True)
class Row:
    """A dispute in a list or at the head of its page."""

    href: str
    code: str
    factory: str
    kpi: str
    period: str
    state: Word
    raised_on: str
    rerun: Word


@dataclass(frozen=True, slots=True)
class ValueRow:
    """One of the values that stand beside each other; what it does not have is empty."""

    what: str
    value: str
    bounds: str
    coverage: str
    revision: str
    method: str
    at: str
    explained: str
    note: str
    paper: str
    paper_name: str


@dataclass(frozen=True, slots=True)
class StepForm:
    """A step that is open to the reader; `form` says which fields it has."""

    step: str
    name: str
    form: str
    needs_comment: bool


@dataclass(frozen=True, slots=True)
class Closed:
    """A step that is not open to the reader now, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Past:
    """A step that was taken."""

    at: str
    who: str
    role: str
    step: str
    said: str
    comment: str
    paper: str
    paper_name: str


@dataclass(frozen=True, slots=True)
class DisputePage:
    """The whole page; what is typed and refused stands in it again."""

    row: Row
    version: int
    unit: str
    reason: str
    why_failed: str
    waits: bool
    measurer: str
    values: tuple[ValueRow, ...]
    forms: tuple[StepForm, ...]
    closed: tuple[Closed, ...]
    measurers: tuple[tuple[str, str], ...]
    taken: tuple[Past, ...]
    typed: Mapping[str, str]
    fault: str | None


@dataclass(frozen=True, slots=True)
class FigureChoice:
    """A figure that may still be disputed."""

    figure_id: int
    text: str


@dataclass(frozen=True, slots=True)
class RaiseForm:
    """What the enterprise chooses from to dispute a figure."""

    figures: tuple[FigureChoice, ...]
    chosen: int | None
    is_late: bool
    papers: tuple[tuple[str, str], ...]
    typed: Mapping[str, str]


def row(t: Texts, found: Dispute) -> Row:
    """Return a dispute as a row of a list."""
    name = table().states[found.state]
    code = quote(found.factory, safe="")
    return Row(
        href=f"/factories/{code}/disputes/{found.dispute_id}",
        code=code,
        factory=t.pick(found.name_zh, found.name_en),
        kpi=_kpi(found).name(t.language),
        period=months(found.period_start, found.period_end),
        state=Word(t.pick(name.zh, name.en), _TONES.get(found.state, "plain")),
        raised_on=found.raised_on.isoformat(),
        rerun=_rerun(t, found),
    )


def raise_form(
    t: Texts,
    figures: Sequence[tuple[Disputable, date]],
    papers: Mapping[str, str],
    asked: int | None,
    typed: Mapping[str, str],
) -> RaiseForm:
    """Return the form to dispute a figure; `figures` come with the last day to dispute each."""
    choices = tuple(FigureChoice(each.figure_id, _choice(t, each, last)) for each, last in figures)
    known = {each.figure_id for each in choices}
    return RaiseForm(
        figures=choices,
        chosen=asked if asked in known else None,
        is_late=asked is not None and asked not in known,
        papers=tuple(papers.items()),
        typed=typed,
    )


def dispute_page(
    t: Texts,
    found: View,
    role: Role,
    verifiers: Sequence[Verifier],
    papers: Mapping[str, str],
    *,
    typed: Mapping[str, str],
    fault: Declined | None,
) -> DisputePage:
    """Build the page for somebody of a role; `papers` are the names of files by their hash."""
    dispute, taken = found.dispute, found.taken
    head = row(t, dispute)
    state = rerun_state(dispute)
    assigned = next((each for each in reversed(taken) if each.step == "assign"), None)
    return DisputePage(
        row=head,
        version=dispute.version,
        unit=_kpi(dispute).shown_unit(t.language),
        reason=taken[0].comment,
        why_failed=_why_failed(t, dispute.rerun_error) if state == "failed" else "",
        waits=state in ("queued", "running"),
        measurer="" if assigned is None else _measurer(t, assigned.data),
        values=_values(t, head, dispute, taken, papers),
        forms=tuple(_form(t, each) for each in found.steps if each.allowed),
        closed=tuple(_closed(t, each) for each in found.steps if not each.allowed),
        measurers=(
            ("county", t("dispute.by_county")),
            *((str(each.account_id), t("dispute.by_verifier", name=each.name))
              for each in verifiers),
        ),
        taken=tuple(_past(t, head, dispute, each, papers) for each in reversed(taken)),
        typed=typed,
        fault=fault_text(t, fault),
    )  # fmt: skip


def _kpi(found: Dispute) -> Kpi:
    return kpis.by_id(found.kpi)


def _choice(t: Texts, found: Disputable, last: date) -> str:
    kpi = kpis.by_id(found.kpi)
    unit = kpi.shown_unit(t.language)
    value = t("dispute.unverifiable")
    if found.point is not None:
        value = f"{kpi_value(kpi, found.point)} {unit}".strip()
    return t(
        "dispute.choice",
        kpi=kpi.name(t.language), value=value, last=last,
        period=months(found.period_start, found.period_end),
    )  # fmt: skip


def _rerun(t: Texts, found: Dispute) -> Word:
    state = rerun_state(found)
    return Word(t(f"dispute.rerun_{state}"), _RERUN_TONES.get(state, "plain"))


def _why_failed(t: Texts, error: str | None) -> str:
    code, _, said = (error or "").partition(": ")
    known = t(f"dispute.{code}") if code in _ERRORS else code
    return t.pick(f"{known}（{said}）", f"{known} ({said})") if said else known


def _values(
    t: Texts, head: Row, found: Dispute, taken: Sequence[Taken], papers: Mapping[str, str]
) -> tuple[ValueRow, ...]:
    kpi = _kpi(found)
    first = taken[0]
    rows = [
        _figure(t, found, found.figure, t("dispute.disputed_figure"), ""),
        _said(head, first, t("dispute.claimed"), kpi_value(kpi, found.claimed), "", "", papers),
    ]
    if found.rerun is not None:
        note = t("dispute.same") if found.rerun.figure_id == found.figure_id else ""
        rows.append(_figure(t, found, found.rerun, t("dispute.rerun"), note))
    for each in taken:
        if each.step == "measure":
            bounds = f"{kpi_value(kpi, each.data['low'])} – {kpi_value(kpi, each.data['high'])}"
            value = kpi_value(kpi, each.data["value"])
            what = t("dispute.measured", role=t(f"role.{each.role}"))
            rows.append(_said(head, each, what, value, bounds, str(each.data["method"]), papers))
    return tuple(rows)


def _figure(t: Texts, found: Dispute, value: Value, what: str, note: str) -> ValueRow:
    kpi = _kpi(found)
    number = t("dispute.unverifiable") if value.point is None else kpi_value(kpi, value.point)
    bounds = ""
    if value.low is not None and value.high is not None:
        bounds = f"{kpi_value(kpi, value.low)} – {kpi_value(kpi, value.high)}"
    return ValueRow(
        what=what,
        value=number,
        bounds=bounds,
        coverage=f"{percent(value.coverage, 1)} {value.grade}",
        revision=t("dispute.revision", revision=value.revision, figure=value.figure_id),
        method=value.method_version,
        at=local_minute(value.computed_at),
        explained=explanation_view.href(
            found.factory, found.kpi, found.period_kind, found.period_start, value.revision
        ),
        note=note,
        paper="",
        paper_name="",
    )


def _said(
    head: Row,
    taken: Taken,
    what: str,
    value: str,
    bounds: str,
    note: str,
    papers: Mapping[str, str],
) -> ValueRow:
    return ValueRow(
        what=what,
        value=value,
        bounds=bounds,
        coverage=NOTHING,
        revision=NOTHING,
        method=NOTHING,
        at=local_minute(taken.at),
        explained="",
        note=note,
        paper=_paper(head, taken),
        paper_name=papers.get(taken.file_sha256 or "", ""),
    )


def _paper(head: Row, taken: Taken) -> str:
    sha256 = taken.file_sha256
    return "" if sha256 is None else f"/factories/{head.code}/files/{sha256}"


def _form(t: Texts, step: Step) -> StepForm:
    name = step.transition.transition_id
    form = {"assign": "assign", "measure": "measure", "accept": "decide", "reject": "decide"}
    return StepForm(
        step=name,
        name=t.pick(step.transition.name.zh, step.transition.name.en),
        form=form.get(name, "plain"),
        needs_comment=step.transition.adverse,
    )


def _closed(t: Texts, step: Step) -> Closed:
    return Closed(
        t.pick(step.transition.name.zh, step.transition.name.en),
        t.pick("；", "; ").join(each.text(t.language) for each in step.reasons),
    )


def _measurer(t: Texts, data: Mapping[str, Any]) -> str:
    if data["to"] == "county":
        return t("dispute.by_county")
    return t("dispute.by_verifier", name=data.get("verifier", ""))


def _past(t: Texts, head: Row, found: Dispute, taken: Taken, papers: Mapping[str, str]) -> Past:
    step = table().steps.get(taken.step)
    name = (
        t("dispute.raised")
        if step is None
        else t.pick(step.transition.name.zh, step.transition.name.en)
    )
    return Past(
        at=local_minute(taken.at),
        who=t("role.system") if taken.role == "system" else taken.actor,
        role=t(f"role.{taken.role}"),
        step=name,
        said=_in_words(t, found, taken),
        comment=taken.comment,
        paper=_paper(head, taken),
        paper_name=papers.get(taken.file_sha256 or "", ""),
    )  # fmt: skip


def _in_words(t: Texts, found: Dispute, taken: Taken) -> str:
    kpi, data = _kpi(found), taken.data
    unit = kpi.shown_unit(t.language)
    if taken.step == "raise":
        return t("dispute.said_raise", value=kpi_value(kpi, data["claimed"]), unit=unit)
    if taken.step == "rerun":
        before, after = kpi_value(kpi, data["before"]), kpi_value(kpi, data["after"])
        return t("dispute.said_rerun", before=before, after=after, unit=unit)
    if taken.step == "assign":
        return _measurer(t, data)
    if taken.step == "measure":
        low, high = kpi_value(kpi, data["low"]), kpi_value(kpi, data["high"])
        value = kpi_value(kpi, data["value"])
        return t("dispute.said_measure", value=value, low=low, high=high, unit=unit)
    return t("dispute.said_document", document=data["document"]) if "document" in data else ""
