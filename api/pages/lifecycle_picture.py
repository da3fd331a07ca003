"""The states of a membership as a diagram: boxes in columns by how far they are from the entry."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.messages import Texts
from api.pages.membership_view import said
from api.pool.lifecycle import Lifecycle
from store.memberships import Taken

_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _EDGE = 128, 46, 56, 18, 8


@dataclass(frozen=True, slots=True)
class Box:
    """A state: where it is drawn, and whether the membership is or was there."""

    x: int
    y: int
    name: str
    mark: str
    is_now: bool
    is_passed: bool
    is_next: bool


@dataclass(frozen=True, slots=True)
class Arrow:
    """A way from one state to another."""

    path: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Diagram:
    """The whole diagram, with what it says in words."""

    width: int
    height: int
    box_width: int
    box_height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    alt: str


def picture(t: Texts, machine: Lifecycle, state: str, taken: Sequence[Taken]) -> Diagram:
    """Return the diagram with the present state, those that were passed, and those next to it."""
    columns = _columns(machine)
    places = {
        code: (_EDGE + x * (_WIDTH + _GAP_X), _EDGE + y * (_HEIGHT + _GAP_Y))
        for x, column in enumerate(columns)
        for y, code in enumerate(column)
    }
    passed = {each for one in taken for each in (one.from_state, one.to_state) if each} - {state}
    following = {each.to for each in machine.leaving(state)} - {state}
    ways = dict.fromkeys(
        (source, each.to)
        for each in machine.transitions.values()
        for source in each.sources
        if source != each.to
    )
    tallest = max(len(column) for column in columns)
    return Diagram(
        width=2 * _EDGE + len(columns) * (_WIDTH + _GAP_X) - _GAP_X,
        height=2 * _EDGE + tallest * (_HEIGHT + _GAP_Y) - _GAP_Y,
        box_width=_WIDTH,
        box_height=_HEIGHT,
        boxes=tuple(
            _box(t, machine, code, place, (state, passed, following))
            for code, place in places.items()
        ),
        # The open ones last, so that no other line covers them.
        arrows=tuple(
            sorted(
                (Arrow(_way(places[a], places[b]), a == state) for a, b in ways),
                key=lambda each: each.is_open,
            )
        ),
        alt=t(
            "membership.picture_alt",
            state=_names(t, machine, {state}),
            passed=_names(t, machine, passed),
            next=_names(t, machine, following),
        ),
    )


def _columns(machine: Lifecycle) -> list[list[str]]:
    """Return the states by how many steps lead there from the entry; final ones come last."""
    far = {machine.initial: 0}
    queue = [machine.initial]
    for code in queue:
        for each in machine.leaving(code):
            if each.to not in far:
                far[each.to] = far[code] + 1
                queue.append(each.to)
    last = max((far[code] for code in far if not machine.states[code].final), default=0) + 1
    columns: list[list[str]] = [[] for _ in range(last + 1)]
    for code, state in machine.states.items():
        columns[last if state.final else far[code]].append(code)
    return [column for column in columns if column]


def _box(
    t: Texts,
    machine: Lifecycle,
    code: str,
    place: tuple[int, int],
    seen: tuple[str, set[str], set[str]],
) -> Box:
    state, passed, following = seen
    mark = ""
    if code == state:
        mark = t("membership.here")
    elif code in passed:
        mark = t("membership.passed")
    return Box(
        x=place[0],
        y=place[1],
        name=said(t, machine.states[code].name),
        mark=mark,
        is_now=code == state,
        is_passed=code in passed,
        is_next=code in following,
    )


def _names(t: Texts, machine: Lifecycle, codes: set[str]) -> str:
    names = [said(t, each.name) for code, each in machine.states.items() if code in codes]
    return t.pick("、", ", ").join(names) or t("membership.none")


def _way(source: tuple[int, int], target: tuple[int, int]) -> str:
    """Return the path of an arrow from the side of one box to the side of another."""
    (x1, y1), (x2, y2) = source, target
    if x1 == x2:
        # Beside the column, so that it crosses no box between them.
        side, bow = x1 + _WIDTH, x1 + _WIDTH + _GAP_X // 2
        down = y1 < y2
        a, b = y1 + _HEIGHT * (2 if down else 1) // 3, y2 + _HEIGHT * (1 if down else 2) // 3
        return f"M{side} {a}C{bow} {a} {bow} {b} {side} {b}"
    forth = x1 < x2
    a, b = (x1 + _WIDTH, x2) if forth else (x1, x2 + _WIDTH)
    # Ways forth leave above the middle, ways back below it.
    shift = -_HEIGHT // 6 if forth else _HEIGHT // 6
    c, d = y1 + _HEIGHT // 2 + shift, y2 + _HEIGHT // 2 + shift
    middle = (a + b) // 2
    return f"M{a} {c}C{middle} {c} {middle} {d} {b} {d}"
