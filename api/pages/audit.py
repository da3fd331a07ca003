"""The page of what was done: who, what, and the difference it made."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

import store.audit
from api.database import TheDatabase
from api.formats import local_minute
from api.identity import Caller, needs
from api.language import TheLanguage
from api.messages import Texts, catalogue
from api.pages.templates import page
from api.permissions import Permission
from api.routes.audit import Before, Word
from api.routes.parameters import FactoryFilter
from store.audit import Entry

router = APIRouter()

_SHOWN = 50
_TIMEZONE = "Asia/Shanghai"


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
    factory: FactoryFilter = None,
    action: Word = None,
    before: Before = None,
    kind: Annotated[str | None, Query(max_length=64)] = None,
    key: Annotated[str | None, Query(max_length=64)] = None,
) -> HTMLResponse:
    """Show what was done in the caller's scope, newest first."""
    chosen = {"factory": factory or None, "action": action or None, "kind": kind, "key": key}
    with database.acting(caller) as conn:
        found = store.audit.entries(
            conn,
            factory=chosen["factory"],
            action=chosen["action"],
            kind=kind,
            key=key,
            before=before,
            most=_SHOWN + 1,
        )
    shown, t = found[:_SHOWN], Texts(language)
    older = None
    if len(found) > _SHOWN:
        values = {name: value for name, value in chosen.items() if value}
        older = "/audit?" + urlencode(values | {"before": shown[-1].entry_id})
    return page(
        request, "audit.html", rows=[row(t, each) for each in shown], chosen=chosen, older=older
    )


def row(t: Texts, entry: Entry) -> Row:
    """Return an entry as a person reads it."""
    return Row(
        number=entry.entry_id,
        at=local_minute(entry.at, _TIMEZONE),
        actor=entry.actor,
        role=_word(t, "role", entry.role),
        action=_word(t, "action", entry.action),
        about=f"{_word(t, 'kind', entry.kind)} {entry.key}",
        factory=entry.factory,
        reason=entry.reason,
        differences=tuple(
            replace(each, name=_word(t, "field", each.name))
            for each in differences(entry.before, entry.after)
        ),
    )


def _word(t: Texts, section: str, code: str) -> str:
    """Return the word for a code; one that has none is shown itself."""
    key = f"{section}.{code}"
    return t(key) if key in catalogue() else code


def differences(before: object, after: object) -> tuple[Difference, ...]:
    """Return what differs between the values before and after, by name."""
    old, new = _values(before), _values(after)
    return tuple(
        Difference(name, _shown(old.get(name)), _shown(new.get(name)))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    )


def _values(found: object) -> Mapping[str, Any]:
    if found is None:
        return {}
    return found if isinstance(found, dict) else {"": found}


def _shown(value: object) -> str | None:
    return None if value is None else str(value)
