"""What entries of the audit hold, as people read it: words for codes, no raw numbers or lists."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from api import kpis
from api.exports.kinds import kinds as letters
from api.formats import NOTHING, local_minute
from api.messages import Texts, catalogue
from api.pool import evidence, lifecycle, report_table, warnings
from api.pool.lifecycle import Name

_HASH = re.compile(r"[0-9a-f]{64}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d\S*")
_HASH_SHOWN = 12
_DIGITS = 6
# Fields whose value is a code, and what such codes are codes of.
_CODED = {
    "kpi", "rule", "kind", "documents", "falls_to", "role", "roles", "transition", "moves_to",
    "level", "state", "subject",
}  # fmt: skip


def word(t: Texts, section: str, code: str) -> str:
    """Return the word for a code; one that has none is shown itself."""
    key = f"{section}.{code}"
    return t(key) if key in catalogue() else code


def about(t: Texts, kind: str, key: str) -> str:
    """Return the thing that an entry is about: its kind, and its number or what it is called."""
    said = " ".join(named(t, each) for each in key.split(" "))
    return f"{word(t, 'kind', kind)} {said}"


def named(t: Texts, code: str) -> str:
    """Return what a code is called, whatever it is a code of; one that nobody knows is itself."""
    for found in (
        warnings.rules().get(code),
        letters().get(code),
        evidence.kinds().get(code),
        report_table.table().kinds.get(code),
        _name_of_step(code),
    ):
        if found is not None:
            return t.pick(found.zh, found.en)
    if kpis.known(code):
        return kpis.by_id(code).name(t.language)
    return word(t, "role", code)


def shown(t: Texts, value: object, field: str = "") -> str | None:
    """Return a value as it is read; None where there is none.

    A number is rounded and a hash is cut short: the interface gives both whole.
    """
    if value is None:
        return None
    if isinstance(value, bool):
        return t("policy.yes") if value else t("policy.no")
    if isinstance(value, float):
        return f"{value:.{_DIGITS}g}"
    if isinstance(value, str):
        return _text(t, value, field)
    if isinstance(value, Mapping):
        return _of_mapping(t, value)
    if isinstance(value, list):
        return t("audit.and").join(filter(None, (shown(t, each, field) for each in value)))
    return str(value)


def _of_mapping(t: Texts, value: Mapping[str, Any]) -> str:
    if value.keys() == {"zh", "en"}:
        return t.pick(str(value["zh"]), str(value["en"]))
    return t("audit.semicolon").join(_parts(t, value))


def _parts(t: Texts, value: Mapping[str, Any]) -> Iterator[str]:
    for name, each in value.items():
        said = shown(t, each, name)
        if said:
            yield f"{word(t, 'field', name)}{t('audit.colon')}{said}"


def _text(t: Texts, value: str, field: str) -> str:
    if _HASH.fullmatch(value):
        return f"{value[:_HASH_SHOWN]}…"
    if _MOMENT.fullmatch(value):
        return _moment(value)
    if field in _CODED:
        return named(t, value)
    return value or NOTHING


def _moment(value: str) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    return value if moment.tzinfo is None else local_minute(moment)


def _name_of_step(code: str) -> Name | None:
    step = lifecycle.shipped().transitions.get(code)
    return None if step is None else step.name
