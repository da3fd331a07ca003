"""The page of what was done: who, what, and the difference it made."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

import store.audit
from api.database import TheDatabase
from api.formats import local_minute
from api.identity import Caller, needs
from api.language import TheLanguage
from api.messages import Texts, catalogue
from api.pages import audit_words
from api.pages.audit_words import word
from api.pages.factory_choice import factory_field
from api.pages.lists import Before, FactoryChoice, WordChoice, kept, listing, select
from api.pages.templates import page
from api.paging import cut
from api.permissions import Permission
from api.pool import dispute_table, lifecycle, report_table
from api.pool.lifecycle import Name
from store.audit import Entry

router = APIRouter()

_SHOWN = 50
# What acts that are no steps are called, by their codes.
_ACTION = "action."


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that changed; None where there was or is none."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as a person reads it."""

    number: int
    at: str
    actor: str
    role: str
    action: str
    about: str
    factory: str | None
    reason: str | None
    differences: tuple[Difference, ...]


@router.get("/audit", response_class=HTMLResponse)
def read_audit(
    request: Request,
    database: TheDatabase,
    caller: Annotated[Caller, needs(Permission.READ_AUDIT)],
    language: TheLanguage,
    factory: FactoryChoice = "",
    action: WordChoice = "",
    before: Before = None,
    kind: Annotated[str, Query(max_length=64)] = "",
    key: Annotated[str, Query(max_length=64)] = "",
) -> HTMLResponse:
    """Show what was done in the caller's scope, newest first."""
    t = Texts(language)
    with database.acting(caller) as conn:
        found = store.audit.entries(
            conn,
            factory=factory or None,
            action=action or None,
            kind=kind or None,
            key=key or None,
            before=before,
            most=_SHOWN + 1,
        )
        by_factory = factory_field(t, conn, factory)
    shown, older = cut(found, _SHOWN, lambda each: each.entry_id)
    fields = (
        by_factory,
        select(t, "action", t("audit.action"), action, _actions(t)),
        kept("kind", kind),
        kept("key", key),
    )
    return page(
        request,
        "audit.html",
        rows=[row(t, each) for each in shown],
        listing=listing(t, "/audit", fields, before=older),
    )


def row(t: Texts, entry: Entry) -> Row:
    """Return an entry as a person reads it."""
    return Row(
        number=entry.entry_id,
        at=local_minute(entry.at),
        actor=t("role.system") if entry.role == "system" else entry.actor,
        role=_role(t, entry.role),
        action=_action(t, entry.action),
        about=audit_words.about(t, entry.kind, entry.key),
        factory=entry.factory,
        reason=entry.reason,
        differences=tuple(
            _worded(t, entry.kind, name, before, after)
            for name, before, after in differences(entry.before, entry.after)
        ),
    )


def _role(t: Texts, code: str) -> str:
    """Return what a role is called; the machine is named already, an operator is no role."""
    if code == "operator":
        return t("role.operator")
    return "" if code == "system" else word(t, "role", code)


def _action(t: Texts, code: str) -> str:
    """Return what was done: a step as its table calls it."""
    step = _steps().get(code)
    return word(t, "action", code) if step is None else t.pick(step.zh, step.en)


def _actions(t: Texts) -> list[tuple[str, str]]:
    """Return every act by its code and what it is called, by name."""
    codes = [key.removeprefix(_ACTION) for key in catalogue() if key.startswith(_ACTION)]
    found = {code: _action(t, code) for code in (*codes, *_steps())}
    return sorted(found.items(), key=lambda each: each[1])


def _worded(t: Texts, kind: str, name: str, before: object, after: object) -> Difference:
    """Return a change in words; a state of a bureau's own lifecycle stays as it is."""
    states = _states().get(kind, {}) if name == "state" else {}
    old, new = (
        t.pick(states[code].zh, states[code].en)
        if isinstance(code, str) and code in states
        else audit_words.shown(t, code, name)
        for code in (before, after)
    )
    return Difference(word(t, "field", name), old, new)


@cache
def _steps() -> Mapping[str, Name]:
    reports, disputes = report_table.table().steps, dispute_table.table().steps
    return {
        **{code: each.name for code, each in lifecycle.shipped().transitions.items()},
        **{f"report_{code}": each.transition.name for code, each in reports.items()},
        **{f"dispute_{code}": each.transition.name for code, each in disputes.items()},
    }


@cache
def _states() -> Mapping[str, Mapping[str, Name]]:
    return {
        "membership": {code: each.name for code, each in lifecycle.shipped().states.items()},
        "report": report_table.table().states,
        "dispute": dispute_table.table().states,
        "ticket": {
            code: Name(**catalogue()[f"tickets.{code}"]) for code in ("open", "answered", "closed")
        },
    }


def differences(before: object, after: object) -> Iterator[tuple[str, object, object]]:
    """Yield what differs between the values before and after: name, and both values."""
    old, new = _values(before), _values(after)
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield name, old.get(name), new.get(name)


def _values(found: object) -> Mapping[str, Any]:
    if found is None:
        return {}
    return found if isinstance(found, dict) else {"": found}
