"""What the pages of warnings show, as their templates print it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote, urlencode

from api import kpis
from api.formats import local_minute
from api.messages import Texts
from api.pages import policy_words
from api.pages.templates import Word
from api.pool import todo_texts, warnings
from api.pool.policy import keys
from store.documents import Document
from store.todos import Todo
from store.warnings import Found, KeptWarning

LETTER = "warning_notice"
# To-dos that come of a warning.
TODOS = ("remove_cause", "decide_warning")


@dataclass(frozen=True, slots=True)
class Link:
    """A way to what a warning rests on, or to what is done about it."""

    href: str
    text: str


@dataclass(frozen=True, slots=True)
class Used:
    """A value of the policy that a warning was fired under."""

    href: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Row:
    """A warning as the pages show it; cleared is empty while it is open."""

    number: int
    factory: str
    factory_href: str
    county: str
    rule: str
    said: str
    since: str
    age: str
    fired: str
    state: Word
    clears: str
    cleared: str
    cleared_how: str
    used: tuple[Used, ...]
    links: tuple[Link, ...]


def row(t: Texts, found: Found, today: date, values: Mapping[str, Any]) -> Row:
    """Return a warning in words; values are those of the policy that it was fired under."""
    warned = found.warning
    rule = warnings.rules().get(warned.rule)
    days = ((warned.cleared_at.date() if warned.cleared_at else today) - warned.since).days
    return Row(
        number=warned.warning_id,
        factory=t.pick(found.name_zh, found.name_en),
        factory_href=f"/factories/{quote(warned.factory, safe='')}",
        county=t.pick(found.region_zh, found.region_en),
        rule=warned.rule if rule is None else t.pick(rule.zh, rule.en),
        said=warnings.retold(warned.rule, warned.numbers, t.language),
        since=warned.since.isoformat(),
        age=t("warning.age", days=max(days, 0)),
        fired=local_minute(warned.fired_at),
        state=_state(t, warned),
        clears="" if rule is None else rule.clears[t.language],
        cleared=local_minute(warned.cleared_at) if warned.cleared_at else "",
        cleared_how=_how(t, warned),
        used=tuple(_used(t, () if rule is None else rule.policy, values)),
        links=tuple(_links(t, warned)),
    )


def todo_links(t: Texts, waiting: Sequence[Todo], role: str) -> tuple[Link, ...]:
    """Return the to-dos that come of warnings; the way to one's own is the list of to-dos."""
    return tuple(
        Link("/todos" if each.role == role else "", _todo(t, each))
        for each in waiting
        if each.kind in TODOS
    )


def letter_links(t: Texts, made: Sequence[Document]) -> tuple[Link, ...]:
    """Return the warning letters of a factory, newest first."""
    return tuple(
        Link(
            f"/factories/{quote(each.factory, safe='')}/documents",
            t("warning.letter", day=local_minute(each.made_at or each.asked_at)),
        )
        for each in made
        if each.kind == LETTER
    )


def _state(t: Texts, warned: KeptWarning) -> Word:
    if warned.cleared_at is None:
        return Word(t("warning.open"), "warn")
    return Word(t("warning.cleared"), "good")


def _how(t: Texts, warned: KeptWarning) -> str:
    if warned.cleared_by is None:
        return ""
    if warned.cleared_by.get("left"):
        return t("warning.left")
    said = warnings.ended(warned.rule, warned.cleared_by, t.language)
    return t("warning.gone") if said is None else said


def _used(t: Texts, names: Sequence[str], values: Mapping[str, Any]) -> Iterator[Used]:
    for name in names:
        key = keys().get(name)
        if key is not None and name in values:
            text = policy_words.value_text(t, key, values[name])
            yield Used(f"/policy#{name}", policy_words.name(t, name), text)


def _todo(t: Texts, each: Todo) -> str:
    what = todo_texts.todo(each.kind, t.language, each.names)
    due = "" if each.due is None else each.due.isoformat()
    return t("warning.todo", role=t(f"role.{each.role}"), what=what, due=due)


def _links(t: Texts, warned: KeptWarning) -> Iterator[Link]:
    """Yield the ways to what fired a warning: its report, figure, findings or data."""
    base = f"/factories/{quote(warned.factory, safe='')}"
    numbers = warned.numbers
    report = numbers.get("report") or _number(str(numbers.get("source", "")), "report")
    if report:
        yield Link(f"{base}/reports/{report}", t("warning.to_report"))
    elif "source" in numbers:
        yield Link(f"{base}/membership", t("warning.to_membership"))
    kpi = str(numbers.get("kpi", ""))
    if kpis.known(kpi):
        asked = {"kpi": kpi}
        if "period_start" in numbers:
            asked["period_start"] = str(numbers["period_start"])
        text = t("warning.to_figure", kpi=kpis.by_id(kpi).name(t.language))
        yield Link(f"{base}?{urlencode(asked)}#comparison", text)
    if "findings" in numbers:
        yield Link(f"{base}#findings", t("warning.to_findings"))
    if "batches" in numbers or "gateway" in numbers:
        yield Link(f"{base}#live", t("warning.to_data"))


def _number(source: str, kind: str) -> str:
    name, _, number = source.partition(" ")
    return number if name == kind and number.isdigit() else ""
