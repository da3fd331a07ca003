"""Reading a TOML table into its dataclass, with one problem for each thing that is wrong."""

import difflib
import math
import types
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from collectors.config.lines import Place, key_lines, line_of
from collectors.errors import Problem

T = TypeVar("T")

_KINDS = {str: "a text in quotes", int: "a whole number", float: "a number", bool: "true or false"}


@dataclass
class Findings:
    """The problems of one file, each with the line of the key that it is about."""

    path: Path
    lines: dict[Place, int]
    problems: list[Problem] = field(default_factory=list)

    @classmethod
    def of(cls, path: Path, text: str) -> "Findings":
        """Start with no problems for a file whose text tomllib accepted."""
        return cls(path, key_lines(text))

    def add(self, place: Place, message: str) -> None:
        """Note a problem at a key or, where it is missing, at the table around it."""
        self.problems.append(Problem(self.path, line_of(self.lines, place), message))


def read_table(cls: type[T], raw: object, place: Place, findings: Findings) -> T | None:
    """Return the dataclass that a table describes, or None after noting why it cannot be read."""
    if not isinstance(raw, Mapping):
        findings.add(place, f"{_shown(place).strip('[]')} must be a table: {_shown(place)}")
        return None
    before = len(findings.problems)
    known = {_key(spec): spec for spec in fields(cls)}  # type: ignore[arg-type]  # T is a dataclass
    shown = {key: _quoted(key) for key in known}
    meant = note_unknown_keys(raw, shown, place, findings)
    hints = get_type_hints(cls)
    values: dict[str, Any] = {}
    for key, spec in known.items():
        if key in raw:
            at = (*place, key)
            values[spec.name] = _read_value(spec, hints[spec.name], raw[key], at, findings)
        elif spec.default is MISSING and key not in meant:
            findings.add(place, f'{_shown(place)} lacks "{key}"')
    return cls(**values) if len(findings.problems) == before else None


def note_unknown_keys(
    raw: Mapping[str, Any], allowed: Mapping[str, str], place: Place, findings: Findings
) -> set[str]:
    """Note each key that is not among those allowed; returns those that were probably meant.

    allowed holds how each of them is shown, a section with its brackets.
    """
    names = sorted(allowed)
    # What stands there already is hardly what another key was meant to be.
    missing = [name for name in names if name not in raw]
    meant = set()
    for key, value in raw.items():
        if key not in names:
            nearest = _nearest(key, missing) or _nearest(key, names)
            rest = f"{_hint(nearest and allowed[nearest])}; allowed: {', '.join(names)}"
            is_section = not place and _is_section(value)
            unknown = f"section {_section(key, value)}" if is_section else f"key {_quoted(key)}"
            findings.add((*place, key), f"unknown {unknown} in {_shown(place)}{rest}")
            if nearest:
                meant.add(nearest)
    return meant


def not_allowed(word: str, allowed: Iterable[str]) -> str:
    """Return what to say of a word that is not among those allowed."""
    names = list(allowed)
    nearest = _nearest(word, names)
    return f"is not allowed{_hint(nearest and _quoted(nearest))}; allowed: {', '.join(names)}"


def _quoted(word: str) -> str:
    return f'"{word}"'


def _key(spec: "Field[Any]") -> str:
    return str(spec.metadata.get("table", spec.name))


def _nearest(word: str, names: list[str]) -> str | None:
    lower = {name.lower(): name for name in names}
    close = difflib.get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    return lower[close[0]] if close else None


def _hint(meant: str | None) -> str:
    return f"; did you mean {meant}?" if meant else ""


def _is_section(value: object) -> bool:
    tables = value if isinstance(value, list) else [value]
    return bool(tables) and all(isinstance(each, Mapping) for each in tables)


def _section(key: str, value: object) -> str:
    return f"[[{key}]]" if isinstance(value, list) else f"[{key}]"


def _shown(place: Place) -> str:
    names = ".".join(str(part) for part in place if isinstance(part, str))
    if not names:
        return "the file"
    return f"[[{names}]]" if isinstance(place[-1], int) else f"[{names}]"


def _read_value(
    spec: "Field[Any]", hint: Any, raw: object, place: Place, findings: Findings
) -> object:
    if "table" in spec.metadata:
        return _read_tables(get_args(hint)[0], raw, place, findings)
    if "judge" in spec.metadata:
        wrong = spec.metadata["judge"](raw)
    else:
        wrong = _wrong_type(hint, raw) or _wrong_value(spec, raw)
    if wrong:
        findings.add(place, f"{place[-1]} = {_written(raw)} {wrong}")
    return float(raw) if hint is float and isinstance(raw, int) else raw


def _read_tables(cls: type[T], raw: object, place: Place, findings: Findings) -> tuple[T, ...]:
    if not isinstance(raw, list):
        findings.add(place, f"{place[-1]} must be written as [[{_shown(place).strip('[]')}]]")
        return ()
    found = (read_table(cls, table, (*place, index), findings) for index, table in enumerate(raw))
    return tuple(table for table in found if table is not None)


def _wrong_type(hint: Any, raw: object) -> str | None:
    if get_origin(hint) is Literal:
        allowed = get_args(hint)
        return None if raw in allowed else not_allowed(str(raw), allowed)
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(option for option in get_args(hint) if option is not type(None))
    accepted = (int, float) if hint is float else hint
    if not isinstance(raw, accepted) or (isinstance(raw, bool) and hint is not bool):
        return f"must be {_KINDS[hint]}"
    if isinstance(raw, float) and not math.isfinite(raw):
        return "must be a finite number"
    return None


def _wrong_value(spec: "Field[Any]", raw: Any) -> str | None:
    rules = spec.metadata
    if "choices" in rules and raw not in rules["choices"]:
        return not_allowed(raw, rules["choices"])
    low, high = rules.get("at_least"), rules.get("at_most")
    if (low is not None and raw < low) or (high is not None and raw > high):
        return f"must lie between {low} and {high}"
    judged: str | None = rules["form"](raw) if "form" in rules else None
    return judged


def _written(raw: object) -> str:
    if isinstance(raw, bool):
        return str(raw).lower()
    if isinstance(raw, Mapping):
        return "{…}"
    if isinstance(raw, list):
        return "[…]"
    return _quoted(raw) if isinstance(raw, str) else str(raw)
