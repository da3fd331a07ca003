"""Evidence of a membership as its page prints it, and what its form says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from api.formats import NOTHING, local_minute
from api.identity import Caller
from api.messages import Texts
from api.pool import evidence
from api.pool.errors import Declined
from api.pool.evidence import EvidenceKind
from api.pool.refused import refused
from store.evidence_items import NewItem, StoredItem

FIELD = "field:"
_YES, _NO = "yes", "no"


@dataclass(frozen=True, slots=True)
class Row:
    """A piece of evidence."""

    item_id: int
    kind: str
    on: str
    says: tuple[str, ...]
    note: str
    people: str
    who: str
    role: str
    when: str
    file_name: str
    file_href: str
    current: bool
    mine: bool


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the form; words are choices, none of them for a count or a text."""

    name: str
    label: str
    form: str
    words: tuple[tuple[str, str], ...]
    value: str


@dataclass(frozen=True, slots=True)
class Form:
    """The form of one kind, with what was typed before it was refused."""

    kind: str
    name: str
    fields: tuple[Field, ...]
    least: int
    on: str
    people: str
    note: str
    sha256: str


def rows(
    t: Texts, items: Sequence[StoredItem], stage: int, caller: Caller, code: str
) -> tuple[Row, ...]:
    """Return the evidence of a stay, newest first; stage is where its present state began."""
    return tuple(_row(t, each, stage, caller, code) for each in reversed(items))


def choices(t: Texts, role: str) -> tuple[tuple[str, str], ...]:
    """Return the kinds that a role records."""
    return tuple(
        (each.kind, t.pick(each.zh, each.en))
        for each in evidence.kinds().values()
        if role in each.who
    )


def form(t: Texts, kind: EvidenceKind, today: date, typed: Mapping[str, str]) -> Form:
    """Return the form of a kind."""
    return Form(
        kind=kind.kind,
        name=t.pick(kind.zh, kind.en),
        fields=tuple(
            Field(
                name=FIELD + name,
                label=t(f"evidence_field.{kind.kind}_{name}"),
                form=form if isinstance(form, str) else "words",
                words=_words(t, form),
                value=typed.get(FIELD + name, ""),
            )
            for name, form in kind.fields.items()
        ),
        least=kind.people,
        on=typed.get("on", today.isoformat()),
        people=typed.get("people", ""),
        note=typed.get("note", ""),
        sha256=typed.get("sha256", ""),
    )


def given(t: Texts, said: Mapping[str, str]) -> NewItem:
    """Return what the form says; raises Declined for what is lacking or no day."""
    kind = evidence.kinds().get(said.get("kind", ""))
    if kind is None:
        raise refused("no_kind", Declined, kind=said.get("kind", ""))
    try:
        on = date.fromisoformat(said.get("on", ""))
    except ValueError:
        raise refused("no_day", Declined) from None
    data = {
        name: _value(t, kind, name, form, said.get(FIELD + name, "").strip())
        for name, form in kind.fields.items()
    }
    people = tuple(line.strip() for line in said.get("people", "").splitlines() if line.strip())
    sha256 = said.get("sha256", "").strip().lower() or None
    return NewItem(
        kind.kind, on, data, note=said.get("note", "").strip(), people=people, file_sha256=sha256
    )


def _value(t: Texts, kind: EvidenceKind, name: str, form: str | Sequence[str], text: str) -> Any:
    if form == "flag" and text in (_YES, _NO):
        return text == _YES
    if form == "count" and text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    if form == "text" or (not isinstance(form, str) and text in form):
        return text
    raise refused("no_field", Declined, field=evidence.field_name(kind.kind, name))


def _words(t: Texts, form: str | Sequence[str]) -> tuple[tuple[str, str], ...]:
    if form == "flag":
        return ((_YES, t("evidence.yes")), (_NO, t("evidence.no")))
    if isinstance(form, str):
        return ()
    return tuple((word, t(f"evidence_word.{word}")) for word in form)


def _row(t: Texts, item: StoredItem, stage: int, caller: Caller, code: str) -> Row:
    kind = evidence.kinds()[item.kind]
    href = f"/factories/{quote(code, safe='')}/files/{item.file_sha256}"
    return Row(
        item_id=item.item_id,
        kind=t.pick(kind.zh, kind.en),
        on=item.happened_on.isoformat(),
        says=tuple(_said(t, item.kind, name, value) for name, value in item.data.items()),
        note=item.note,
        people=t("evidence.people", names=t.pick("、", ", ").join(item.people))
        if item.people
        else "",
        who=item.actor,
        role=t(f"role.{item.role}"),
        when=local_minute(item.at),
        file_name=item.file_name or "",
        file_href=href if item.file_sha256 else "",
        current=item.stage == stage,
        mine=item.account_id is not None and item.account_id == caller.actor.account_id,
    )


def _said(t: Texts, kind: str, name: str, value: Any) -> str:
    if isinstance(value, bool):
        shown = t("evidence.yes") if value else t("evidence.no")
    elif isinstance(value, str) and value in evidence.words(kind, name):
        shown = t(f"evidence_word.{value}")
    else:
        shown = str(value) or NOTHING
    return f"{t(f'evidence_field.{kind}_{name}')}{t.pick('：', ': ')}{shown}"
