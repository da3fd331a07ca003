"""What reports are as data: kinds, states, steps, and what is asked beside the figures."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from api.pool.lifecycle import Name, Transition
from api.pool.policy import keys
from api.pool.roles import ROLES

_NEEDS = {"complete", "other", "measured", "rerun_done"}


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a report; `needs` must hold beside role and state."""

    transition: Transition
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """What is asked; form is count, amount, text, or the words that it may be."""

    code: str
    name: Name
    form: str | tuple[str, ...]
    optional: bool
    carry: bool


@dataclass(frozen=True, slots=True)
class Table:
    """All of reports.toml."""

    kinds: Mapping[str, Name]
    states: Mapping[str, Name]
    steps: Mapping[str, Step]
    words: Mapping[str, Name]
    _fields: tuple[tuple[Field, tuple[str, ...]], ...]
    _annex1: Mapping[str, tuple[Field, ...]]

    def fields(self, kind: str, factory_kind: str) -> tuple[Field, ...]:
        """Return what a report of a kind asks a factory beside its figures."""
        found = tuple(field for field, kinds in self._fields if kind in kinds)
        return found + (self._annex1.get(factory_kind, ()) if kind in ("Q", "Y") else ())

    def leaving(self, state: str) -> tuple[Step, ...]:
        """Return the steps out of a state."""
        return tuple(each for each in self.steps.values() if state in each.transition.sources)


@cache
def table() -> Table:
    """Return the shipped table; raises ValueError for one that names what there is not."""
    found = tomllib.loads(files("api.pool").joinpath("reports.toml").read_text(encoding="utf-8"))
    states = _names(found["state"])
    annex1 = found["annex1"]
    return Table(
        kinds=_names(found["kind"]),
        states=states,
        steps={each["id"]: step_of(each, states) for each in found["step"]},
        words=_names(found["word"]),
        _fields=tuple((_field(each), tuple(each["kinds"])) for each in found["field"]),
        _annex1={
            kind: tuple(
                Field(f"annex1.{code}", Name(**name), tuple(annex1["words"]), False, True)
                for code, name in annex1[kind].items()
            )
            for kind in ("discrete", "process")
        },
    )


def step_of(given: Mapping[str, Any], states: Mapping[str, Name]) -> Step:
    """Read a step; raises ValueError for a role, state, term or need that there is not."""
    needs = tuple(given.get("needs", ()))
    unknown = {*given["from"], given["to"]} - states.keys()
    unknown |= set(given["who"]) - ROLES.keys()
    unknown |= set(needs) - _NEEDS
    unknown |= ({given["deadline"]} - keys().keys()) if "deadline" in given else set()
    if unknown:
        raise ValueError(f"step {given['id']} names {sorted(unknown)[0]}")
    transition = Transition(
        transition_id=given["id"],
        sources=tuple(given["from"]),
        to=given["to"],
        name=Name(**given["name"]),
        who=tuple(given["who"]),
        guards=(),
        deadline=given.get("deadline"),
        extends=False,
        documents=(),
        adverse=given.get("adverse", False),
        confirmed_by=(),
        source="",
    )
    return Step(transition, needs)


def _names(given: Mapping[str, Mapping[str, str]]) -> dict[str, Name]:
    return {code: Name(**name) for code, name in given.items()}


def _field(given: Mapping[str, Any]) -> Field:
    form: str | Sequence[str] = given["form"]
    return Field(
        given["code"],
        Name(**given["name"]),
        form if isinstance(form, str) else tuple(form),
        given.get("optional", False),
        given.get("carry", False),
    )
