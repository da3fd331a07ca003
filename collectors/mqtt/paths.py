"""Paths into a JSON document: `data.value`, `list[0].v`, `"a key.with dots".v`, `values.*.v`.

A number steps into a list, or into an object that has such a key. One `*` stands for every member
of an object or a list, where a key of the gateway file allows it.
"""

import re
from typing import Any

from collectors.documents import NotDecoded

# None stands for every member.
Steps = tuple[str | None, ...]

_STEP = re.compile(r'(?:^|\.)(?:"(?P<quoted>[^"]+)"|(?P<bare>[^."\[\]\s]+))|\[(?P<place>\d+)\]')


def split(text: str) -> Steps:
    """Return the steps of a path; raises ValueError where it is none."""
    steps: list[str | None] = []
    position = 0
    while position < len(text):
        found = _STEP.match(text, position)
        if found is None:
            raise ValueError(f"{text} is no path")
        bare = found["bare"]
        steps.append(None if bare == "*" else found["quoted"] or bare or found["place"])
        position = found.end()
    if not steps or text.startswith((".", "[")):
        raise ValueError(f"{text} is no path")
    return tuple(steps)


def judge(text: str) -> str | None:
    """Judge a path to one place."""
    return _judge(text, 0)


def judge_members(text: str) -> str | None:
    """Judge a path that may lead to every member of one object or list."""
    return _judge(text, 1)


def _judge(text: str, most_stars: int) -> str | None:
    try:
        stars = split(text).count(None)
    except ValueError:
        return "must be keys joined by dots, such as data.value or list[0].v"
    if stars > most_stars:
        return "must hold one * at most" if most_stars else "must not hold *"
    return None


def walk(document: Any, steps: tuple[str | None, ...], shown: str) -> Any:
    """Return what stands at steps; raises NotDecoded with the path as the file shows it."""
    found = document
    for step in steps:
        if isinstance(found, dict) and step in found:
            found = found[step]
        elif isinstance(found, list) and step and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        else:
            raise NotDecoded(f"there is no {shown} in the payload")
    return found
