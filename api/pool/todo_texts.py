"""What to-dos and messages say: templates of api/texts/todos.toml and the names in their places."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

from api import kpis
from api.language import LANGUAGES, Language
from api.messages import catalogue
from api.pool.evidence import kinds as evidence_kinds
from api.pool.lifecycle import Lifecycle
from store.todos import Names

_LONGEST = 500
_MISSING = "—"


def names(payload: Mapping[str, Any], machine: Lifecycle) -> Names:
    """Return what an event says, by language: words for codes where there are any."""
    found: dict[str, dict[str, str]] = {}
    for language in LANGUAGES:
        said = {
            key: str(value)[:_LONGEST]
            for key, value in payload.items()
            if isinstance(value, str | int | float) and not isinstance(value, bool)
        }
        if (step := machine.transitions.get(str(payload.get("transition")))) is not None:
            said["transition"] = getattr(step.name, language)
        for field in ("from", "to"):
            if (state := machine.states.get(str(payload.get(field)))) is not None:
                said[field] = getattr(state.name, language)
        if (kind := evidence_kinds().get(str(payload.get("kind")))) is not None:
            said["kind"] = getattr(kind, language)
        if kpis.known(str(payload.get("kpi"))):
            said["kpi"] = kpis.by_id(str(payload["kpi"])).name(language)
        if isinstance(payload.get("said"), Mapping):
            said["said"] = str(payload["said"].get(language, ""))[:_LONGEST]
            if "comment" in said:  # of the machine, which comments in both languages
                said["comment"] = said["said"]
        found[language] = said
    return found


def todo(kind: str, language: Language, given: Names) -> str:
    """Return what is to be done."""
    return _filled(f"todo.{kind}", language, given.get(language, {}))


def parts(kind: str, language: Language, given: Names) -> tuple[str, str]:
    """Return what is to be done, and apart from it the comment that it ends in, if there is one."""
    whole, said = todo(kind, language, given), given.get(language, {}).get("comment", "")
    if not said or not whole.endswith(said):
        return whole, ""
    return whole.removesuffix(said).rstrip("：；:; "), said


def button(kind: str, language: Language) -> str:
    """Return what the way to a to-do is called."""
    return _filled(f"todo_do.{kind}", language, {})


def of_todo(kind: str, given: Names, due: date | None, *, estimated: bool) -> Names:
    """Return the names for a message about a to-do."""
    found: dict[str, dict[str, str]] = {}
    for language in LANGUAGES:
        day = _MISSING if due is None else due.isoformat()
        if due is not None and estimated:
            day = _filled("message.estimated", language, {"day": day})
        found[language] = {"what": todo(kind, language, given), "due": day}
    return found


def message(template: str, language: Language, factory: str, given: Names) -> str:
    """Return the text of a message about a factory."""
    key = template if template.startswith("told.") else f"message.{template}"
    return _filled(key, language, {**given.get(language, {}), "factory": factory})


def digest(language: Language, count: int) -> str:
    """Return what a letter with several messages is about."""
    return _filled("message.digest", language, {"count": str(count)})


def _filled(key: str, language: Language, said: Mapping[str, str]) -> str:
    # Templates change; a message that was sent under an older one lacks a name, not the page.
    entry = catalogue().get(key)
    if entry is None:
        return key
    return entry[language].format_map(defaultdict(lambda: _MISSING, said))
