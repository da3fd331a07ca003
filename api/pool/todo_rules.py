"""Which event opens, closes and tells what: todos.toml, read and checked."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from api.messages import catalogue
from api.pool import policy
from api.pool.errors import BadTable
from api.pool.lifecycle import Lifecycle
from api.pool.roles import ROLES

_FIELDS = {"roles", "roles_from", "object", "due", "term", "href"}
_RULE_FIELDS = {"event", "where", "close", "close_one", "open", "then", "tell"}
_MEMBERS = frozenset(ROLES) - {"system", "sysadmin", "secadmin", "auditor"}
_LONGEST_OBJECT = 200


@dataclass(frozen=True, slots=True)
class TodoKind:
    """A kind of to-do; see the head of todos.toml."""

    name: str
    roles: tuple[str, ...]
    roles_from: str | None
    object: tuple[str, ...]
    due: str | None
    term: str | None
    href: str

    def whose(self, payload: Mapping[str, Any], machine: Lifecycle) -> tuple[str, ...]:
        """Return the roles that a to-do of this kind falls to."""
        if self.roles_from is None:
            return self.roles
        given = payload.get(self.roles_from)
        named = [str(each) for each in given] if isinstance(given, list) else []
        if self.roles_from == "steps":
            taken = [machine.transitions[each] for each in named if each in machine.transitions]
            named = [role for each in taken for role in each.who]
        return tuple(sorted(set(named) & _MEMBERS))

    def object_of(self, payload: Mapping[str, Any]) -> str:
        """Return what tells a to-do of this kind from another."""
        given = [payload.get(each) for each in self.object]
        said = " ".join(str(each) for each in given if each is not None)
        return said.strip()[:_LONGEST_OBJECT]

    def due_of(self, payload: Mapping[str, Any]) -> date | None:
        """Return the last day that the event names, if it does."""
        given = payload.get(self.due) if self.due else None
        try:
            return date.fromisoformat(given) if isinstance(given, str) else None
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Rule:
    """What follows from an event; see the head of todos.toml."""

    event: str
    where: Mapping[str, Sequence[Any]]
    close: tuple[str, ...]
    close_one: tuple[str, ...]
    open: tuple[str, ...]
    then: tuple[str, ...]
    tell: tuple[str, ...]

    def fits(self, event: str, payload: Mapping[str, Any]) -> bool:
        """Tell whether an event is one of this rule."""
        return event == self.event and all(
            payload.get(field) in values for field, values in self.where.items()
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """The whole table."""

    kinds: Mapping[str, TodoKind]
    rules: tuple[Rule, ...]
    channels: Mapping[str, tuple[str, ...]]
    above: Mapping[str, str]
    quiet: frozenset[str]

    def following(self, event: str, payload: Mapping[str, Any]) -> list[Rule]:
        """Return the rules that an event fits, in the order of the file."""
        return [rule for rule in self.rules if rule.fits(event, payload)]


@cache
def shipped() -> Rules:
    """Return the table as shipped."""
    return read(files("api.pool").joinpath("todos.toml").read_text(encoding="utf-8"))


def read(text: str) -> Rules:
    """Read a table; raises BadTable with what is wrong in which part of it."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadTable(f"the table of to-dos is no TOML: {error}") from error
    kinds = {name: _kind(name, each) for name, each in given.get("kind", {}).items()}
    rules = tuple(_rule(each, kinds) for each in given.get("rule", ()))
    above = dict(given.get("raise", {}))
    if strange := sorted((set(above) | set(above.values())) - _MEMBERS):
        raise BadTable(f"table of to-dos: raise names the role {strange[0]}")
    if _has_circle(above):
        raise BadTable("table of to-dos: raise goes in a circle")
    channels = {name: tuple(each) for name, each in given.get("channels", {}).items()}
    if unknown := sorted(set(channels) - {"email", "sms"}):
        raise BadTable(f"table of to-dos: there is no channel {unknown[0]}")
    quiet = frozenset(given.get("quiet", ()))
    if loud := sorted(quiet & {each.event for each in rules}):
        raise BadTable(f"table of to-dos: {loud[0]} is quiet and has a rule")
    return Rules(kinds, rules, channels, above, quiet)


def _kind(name: str, given: Mapping[str, Any]) -> TodoKind:
    place = f"table of to-dos: kind {name}"
    if unknown := sorted(given.keys() - _FIELDS):
        raise BadTable(f"{place} has no field {unknown[0]}")
    if ("roles" in given) == ("roles_from" in given):
        raise BadTable(f"{place} needs roles or roles_from")
    if strange := sorted(set(given.get("roles", ())) - _MEMBERS):
        raise BadTable(f"{place} names the role {strange[0]}")
    term = given.get("term")
    known = policy.keys()
    if term is not None and term not in known:
        raise BadTable(f"{place}: the policy has no key {term}")
    if missing := [key for key in (f"todo.{name}", f"todo_do.{name}") if key not in catalogue()]:
        raise BadTable(f"{place}: there is no text {missing[0]}")
    return TodoKind(
        name=name,
        roles=tuple(given.get("roles", ())),
        roles_from=given.get("roles_from"),
        object=tuple(given.get("object", ())),
        due=given.get("due"),
        term=term,
        href=given["href"],
    )


def _rule(given: Mapping[str, Any], kinds: Mapping[str, TodoKind]) -> Rule:
    place = f"table of to-dos: rule of {given.get('event')}"
    if unknown := sorted(given.keys() - _RULE_FIELDS):
        raise BadTable(f"{place} has no field {unknown[0]}")
    lists = {
        name: tuple(given.get(name, ())) for name in ("close", "close_one", "open", "then", "tell")
    }
    named = [each for name in ("close", "close_one", "open", "then") for each in lists[name]]
    if strange := [each for each in named if each not in kinds]:
        raise BadTable(f"{place} names the kind {strange[0]}")
    if lists["tell"] and f"told.{given['event']}" not in catalogue():
        raise BadTable(f"{place}: there is no text told.{given['event']}")
    return Rule(event=given["event"], where=given.get("where", {}), **lists)


def _has_circle(above: Mapping[str, str]) -> bool:
    for role in above:
        seen, level = {role}, above.get(role)
        while level is not None:
            if level in seen:
                return True
            seen.add(level)
            level = above.get(level)
    return False
