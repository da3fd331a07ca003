"""Reading a lifecycle file as people wrote it: every fault with its line."""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from api.pool.errors import BadTable
from api.pool.guards import GUARDS
from api.pool.policy import keys
from api.pool.roles import ROLES

_HEADS = ("version", "initial", "warning", "reentry", "document", "state", "transition")
_STATE = {
    "code": str, "name": dict, "about": dict, "colour": str, "final": bool, "removal": bool,
}  # fmt: skip
_TRANSITION = {
    "id": str, "from": list, "to": str, "name": dict, "who": list, "guards": list,
    "deadline": str, "extends": bool, "documents": list, "adverse": bool,
    "confirmed_by": list, "source": str,
}  # fmt: skip
_OPTIONAL = {
    "about", "final", "removal", "deadline", "extends", "documents", "adverse", "confirmed_by",
}  # fmt: skip
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_HEARD = {"told", "heard"}
_ENTERPRISE = {"ent_approver"}
_OFFICERS = {"county_officer", "county_leader", "city_officer", "city_leader"}
_TERMS = {"d", "workday", "month", "year"}


def read_file(text: str) -> dict[str, Any]:
    """Return the content of a lifecycle file that holds every rule; raises BadTable."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadTable(f"the lifecycle is no TOML: {error}") from error
    _Reading(text, found).check()
    return found


class _Reading:
    """One file while it is checked: knows the line of what it complains about."""

    def __init__(self, text: str, found: Mapping[str, Any]) -> None:
        self._lines = text.splitlines()
        self._found = found

    def check(self) -> None:
        """Raise BadTable for the first thing that is wrong."""
        for head in _HEADS:
            if head not in self._found:
                raise BadTable(f"the lifecycle lacks {head}")
        if unknown := sorted(self._found.keys() - set(_HEADS)):
            self._refuse(unknown[0], f"there is no section {unknown[0]}")
        self._check_lists()
        for number, each in enumerate(self._found["state"]):
            self._check_fields("state", number, each, _STATE, "code")
        for number, each in enumerate(self._found["transition"]):
            self._check_fields("transition", number, each, _TRANSITION, "id")
        self._check_names()
        for number, each in enumerate(self._found["transition"]):
            self._check_transition(number, each)
        self._check_ways()

    def _check_lists(self) -> None:
        for head, kind in (("state", list), ("transition", list), ("reentry", dict),
                           ("document", dict), ("version", str)):  # fmt: skip
            if not isinstance(self._found[head], kind) or not self._found[head]:
                self._refuse(head, f"{head} must not be empty")

    def _check_fields(
        self, what: str, number: int, row: Mapping[str, Any], fields: Mapping[str, type], key: str
    ) -> None:
        place = (what, number)
        for name in row:
            if name not in fields:
                self._refuse(name, f"a {what} has no field {name}", place)
        for name, kind in fields.items():
            if name not in row and name not in _OPTIONAL:
                self._refuse("", f"a {what} lacks {name}", place)
            if name in row and not isinstance(row[name], kind):
                self._refuse(name, f"{name} has the wrong form", place)
            if kind is list and not all(isinstance(each, str) for each in row.get(name, ())):
                self._refuse(name, f"{name} must be a list of names", place)
        if not _CODE.fullmatch(row[key]):
            self._refuse(key, f"{key} must be a lower-case word, not {row[key]!r}", place)
        for name in ("name", "about"):
            said = row.get(name, row["name"])
            if set(said) != {"zh", "en"} or not all(said.values()):
                self._refuse(name, f"{name} must say zh and en", place)
        if sum(each.get(key) == row[key] for each in self._found[what]) > 1:
            self._refuse(row[key], f"{what} {row[key]} stands there twice", place)

    def _check_names(self) -> None:
        states = self._states()
        for head in ("initial", "warning"):
            if self._found[head] not in states or states[self._found[head]].get("final"):
                self._refuse(head, f"{head} must be a state that is not final")
        for code, name in self._found["document"].items():
            if not isinstance(name, dict) or set(name) != {"zh", "en"}:
                self._refuse(code, f"document {code} must say zh and en")
        for code, key in self._found["reentry"].items():
            if not states.get(code, {}).get("final"):
                self._refuse(code, f"reentry: {code} is no final state")
            self._check_term(code, key, None)

    def _check_transition(self, number: int, row: Mapping[str, Any]) -> None:
        place, states = ("transition", number), self._states()
        known: tuple[tuple[str, Sequence[str], Callable[[str], bool], str], ...] = (
            ("from", row["from"], lambda name: name in states, "state"),
            ("to", [row["to"]], lambda name: name in states, "state"),
            ("who", row["who"], lambda name: name in ROLES, "role"),
            ("confirmed_by", row.get("confirmed_by", ()), lambda name: name in ROLES, "role"),
            ("guards", row["guards"], lambda name: name in GUARDS, "guard"),
            ("documents", row.get("documents", ()), lambda name: name in self._found["document"],
             "document"),
        )  # fmt: skip
        for field, names, is_known, what in known:
            for name in names:
                if not is_known(name):
                    self._refuse(field, f"{row['id']}: there is no {what} {name!r}", place)
        if not row["from"] or not row["who"]:
            self._refuse("", f"{row['id']}: from and who must not be empty", place)
        if "deadline" in row:
            self._check_term("deadline", row["deadline"], place)
        if row.get("extends") and ("deadline" not in row or row["from"] != [row["to"]]):
            self._refuse(
                "extends", f"{row['id']}: only a step that stays in its state extends", place
            )
        self._check_rules(row, place)

    def _check_rules(self, row: Mapping[str, Any], place: tuple[str, int]) -> None:
        states, name = self._states(), row["id"]
        ends = {(each, row["to"]) for each in row["from"]}
        machine = {
            (self._found["initial"], self._found["warning"]),
            (self._found["warning"], self._found["initial"]),
        }
        if "system" in row["who"] and not ends <= machine:
            self._refuse("who", f"{name}: the system only sets and clears a warning", place)
        if others := set(row["who"]) - _OFFICERS - _ENTERPRISE - {"system"}:
            self._refuse("who", f"{name}: {min(others)} moves no membership", place)
        if others := set(row.get("confirmed_by", ())) - _OFFICERS:
            self._refuse("confirmed_by", f"{name}: {min(others)} confirms nothing", place)
        if set(row["who"]) & _ENTERPRISE and not row.get("confirmed_by"):
            self._refuse("who", f"{name}: an officer confirms what an enterprise asks for", place)
        if states[row["to"]].get("removal") and not set(row["guards"]) >= _HEARD:
            self._refuse("guards", f"{name}: nobody is removed without told and heard", place)
        if states[row["to"]].get("removal") and not row.get("adverse"):
            self._refuse("adverse", f"{name}: a removal is adverse", place)
        for source in row["from"]:
            if states[source].get("final"):
                self._refuse("from", f"{name}: nobody leaves the final state {source}", place)

    def _check_term(self, field: str, key: object, place: tuple[str, int] | None) -> None:
        found = keys().get(str(key))
        if found is None:
            self._refuse(field, f"there is no policy key {key!r}", place)
        elif found.unit not in _TERMS:
            self._refuse(field, f"the policy key {key} is no term", place)

    def _check_ways(self) -> None:
        steps = self._found["transition"]
        reached, grown = {self._found["initial"]}, 0
        while grown != len(reached):
            grown = len(reached)
            reached |= {each["to"] for each in steps if reached & set(each["from"])}
        for number, state in enumerate(self._found["state"]):
            code, place = state["code"], ("state", number)
            if code not in reached:
                self._refuse("code", f"no step leads to the state {code}", place)
            leaves = any(code in each["from"] and each["to"] != code for each in steps)
            if not state.get("final") and not leaves:
                self._refuse("code", f"no step leads out of the state {code}", place)

    def _states(self) -> dict[str, Mapping[str, Any]]:
        return {each["code"]: each for each in self._found["state"]}

    def _refuse(self, field: str, what: str, place: tuple[str, int] | None = None) -> None:
        raise BadTable(f"lifecycle line {self._line(field, place)}: {what}")

    def _line(self, field: str, place: tuple[str, int] | None) -> int:
        """Return the number of the line that sets a field of the n-th table of a kind."""
        first, last = 0, len(self._lines)
        if place is not None:
            heads = [
                number
                for number, line in enumerate(self._lines)
                if line.strip().startswith(f"[[{place[0]}]]")
            ]
            first = heads[place[1]] if place[1] < len(heads) else 0
            after = [
                number
                for number in range(first + 1, last)
                if self._lines[number].lstrip().startswith("[")
            ]
            last = after[0] if after else last
        pattern = re.compile(rf"\s*\[*{re.escape(field)}\b")
        for number in range(first, last):
            if field and pattern.match(self._lines[number]):
                return number + 1
        return first + 1
