"""A shift of a machine as it really was, what it sent, and what of that arrived.

A machine sends its state when it changes, and once more a heartbeat later (polls make that up to
a quarter late); its registers are read on the quarter hour. Any of these rows may be lost, those of
one register without those of another. Two losses leave no trace at all and are the only ones kept
out: that of a row of the state between two rows which did arrive no further apart than a row is
due, and that of all readings of a register from before a reset until it has passed where it stood;
nothing tells then that there was more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from hypothesis import assume
from hypothesis import strategies as st

from kpi.facts import AssetPlan
from kpi.figures import Estimate, Period
from kpi.figures.equipment import oee
from store.registry import MonitoringPlan, Tag
from tests.kpi.builders import (
    GOOD,
    IDLE,
    REJECT,
    REWORK,
    RUN,
    SETUP,
    START,
    STATE,
    STOPPED,
    TOTAL,
    Row,
    asset,
    asset_plan,
    facts,
    monitoring_plan,
    planned,
    tag,
)
from tests.kpi.evidence import evidence

END = 240
STEP = 15
QUARTERS = END // STEP
CYCLE_S = 60.0
_HEARTBEAT, _DUE = 15.0, 18.75
_DAY = START.date()

# The registers that the good units of a machine can follow from.
COUNTED = ((TOTAL, REJECT), (TOTAL, GOOD), (GOOD, REJECT), (TOTAL, REJECT, REWORK))
# More than a shift makes, so that a register turns over once at most between two readings.
_MODULUS = 400


@dataclass(frozen=True)
class Register:
    """What a register gained by quarter, and how it came to show something else.

    `resets` are the pieces that it shows at the end of a quarter in which it began anew.
    """

    gained: tuple[int, ...]
    begin: int = 0
    modulus: int | None = None
    resets: tuple[tuple[int, int], ...] = ()

    @property
    def shown(self) -> list[int]:
        """The readings; a register starts anew only where it shows more than it gains then."""
        resets, found = dict(self.resets), [self.begin]
        for quarter, gained in enumerate(self.gained):
            anew = quarter in resets and found[-1] > gained
            now = min(resets[quarter], gained) if anew else found[-1] + gained
            found.append(now if self.modulus is None else now % self.modulus)
        return found

    def arrived(self, kept: frozenset[int]) -> frozenset[int]:
        """Return which readings arrived, with the losses undone that leave no trace."""
        shown, numbers = self.shown, sorted(kept)
        unseen = [
            between
            for one, other in pairwise(numbers)
            if self.modulus is None
            and sum(self.gained[one:other]) != shown[other] - shown[one] >= 0
            for between in range(one, other)
        ]
        return frozenset([*numbers, *unseen])


@dataclass(frozen=True)
class Kept:
    """Which rows arrived: numbers of rows of the state, and quarters by register."""

    states: frozenset[int]
    counts: Mapping[int, frozenset[int]]

    def __or__(self, other: "Kept") -> "Kept":
        counts = {number: each | other.counts[number] for number, each in self.counts.items()}
        return Kept(self.states | other.states, counts)


_ALL = frozenset(range(QUARTERS + 1))
EVERYTHING = Kept(frozenset(range(60)), dict.fromkeys((TOTAL, GOOD, REJECT, REWORK), _ALL))


@dataclass(frozen=True)
class Shift:
    """What a machine really did in four hours: its states by minute, and pieces by quarter."""

    states: tuple[int, ...]
    registers: Mapping[int, Register]
    # How late each heartbeat may come [min].
    late: float = 0.0

    def __repr__(self) -> str:
        """Say the states by where they change, as a failing example is read."""
        changes = [
            (at, self.states[at])
            for at in range(280)
            if self.states[at] != ([-1, *self.states][at])
        ]
        return f"Shift({changes}, {self.registers}, {self.late})"

    @property
    def truth(self) -> dict[str, float]:
        """What the figures would be if nothing were lost."""
        planned_s, run_s = 60.0 * END, 60.0 * self.states[:END].count(RUN)
        pieces = {number: sum(each.gained) for number, each in self.registers.items()}
        bad = pieces.get(REJECT, 0) + pieces.get(REWORK, 0)
        total = pieces[TOTAL] if TOTAL in pieces else pieces[GOOD] + bad
        good = pieces.get(GOOD, total - bad)
        return {
            "oee": good * CYCLE_S / planned_s,
            "availability": run_s / planned_s,
            "performance": total * CYCLE_S / run_s,
            "quality": good / total,
        }

    @property
    def sent(self) -> list[Row]:
        """The rows of the state: each change, and heartbeats counted from the row before."""
        changes = [
            at for at in range(1, len(self.states)) if self.states[at] != self.states[at - 1]
        ]
        found: list[Row] = [(0.0, self.states[0])]
        while found[-1][0] < END:
            beat = found[-1][0] + _HEARTBEAT + self.late
            at = min([beat, *(each for each in changes if each > found[-1][0])])
            found.append((float(at), self.states[int(at)]))
        return found

    def arrived(self, kept: Kept) -> Kept:
        """Return what arrived, with the losses undone that leave no trace."""
        sent = self.sent
        numbers = sorted(number for number in kept.states if number < len(sent))
        unseen = [
            between
            for one, other in pairwise(numbers)
            if sent[other][0] - sent[one][0] <= _DUE
            for between in range(one, other)
        ]
        counts = {
            number: self.registers[number].arrived(each) if number in self.registers else each
            for number, each in kept.counts.items()
        }
        return Kept(frozenset([*numbers, *unseen]), counts)

    def rows(self, kept: Kept) -> dict[int, list[Row]]:
        """Return the rows that are kept."""
        found = {STATE: [row for number, row in enumerate(self.sent) if number in kept.states]}
        for number, each in self.registers.items():
            shown = each.shown
            found[number] = [(STEP * at, shown[at]) for at in sorted(kept.counts[number])]
        return found

    @property
    def tags(self) -> list[Tag]:
        """The tags of the machine; only a register that turns over has a rate to tell it by."""
        return [
            tag(STATE),
            *(
                tag(number)
                if each.modulus is None
                else tag(number, modulus=float(each.modulus), max_rate_per_s=1.0)
                for number, each in self.registers.items()
            ),
        ]

    @property
    def plan(self) -> MonitoringPlan:
        """The plan of a factory with this machine alone."""
        return monitoring_plan(
            assets=[asset(1, in_oee=True)], tags=self.tags, cycles={1: {1: CYCLE_S}}
        )


def verified(shift: Shift, kept: Kept) -> list[Estimate]:
    """Return the figures that follow from what is kept."""
    plan: AssetPlan = asset_plan(*shift.tags)
    found = facts(plan, shift.rows(kept), hours=4, calendar=planned((0, END)))
    sums = {name: float(column.sum()) for name, column in found.items()}
    period = Period("month", _DAY, _DAY.replace(day=_DAY.day + 1))
    return oee(evidence(shift.plan, {1: {_DAY: sums}}), period)


_TRUE_STATE = st.sampled_from([RUN, RUN, IDLE, SETUP, STOPPED])


@st.composite
def shifts(draw: st.DrawFn, *, resets: bool = True) -> Shift:
    """Return a shift that ran and made something, no quarter faster than ideal."""
    changes = draw(st.dictionaries(st.integers(1, 260), _TRUE_STATE, max_size=12))
    now, states = draw(_TRUE_STATE), []
    for minute in range(280):
        now = changes.get(minute, now)
        states.append(now)
    made = draw(st.lists(st.integers(0, 15), min_size=QUARTERS, max_size=QUARTERS))
    assume(sum(made) > 0 and RUN in states[:END])
    rejected = [draw(st.integers(0, each)) for each in made]
    reworked = [draw(st.integers(0, each)) for each in rejected]
    counted = draw(st.sampled_from(COUNTED))
    scrap = zip(rejected, reworked, strict=True)
    gained = {
        TOTAL: made,
        GOOD: [one - other for one, other in zip(made, rejected, strict=True)],
        REJECT: [one - other for one, other in scrap] if REWORK in counted else rejected,
        REWORK: reworked,
    }
    registers = {number: draw(_registers(tuple(gained[number]), resets)) for number in counted}
    return Shift(tuple(states), registers, draw(st.sampled_from([0.0, 0.2, 3.7])))


@st.composite
def _registers(draw: st.DrawFn, gained: tuple[int, ...], resets: bool) -> Register:
    begin = draw(st.integers(0, _MODULUS - 1))
    kind = draw(st.sampled_from(["plain", "turns over", *(["starts anew"] if resets else [])]))
    if kind == "starts anew":
        anew = draw(st.dictionaries(st.integers(0, QUARTERS - 1), st.integers(0, 15), max_size=3))
        return Register(gained, begin, resets=tuple(anew.items()))
    return Register(gained, begin, _MODULUS if kind == "turns over" else None)


@st.composite
def _readings(draw: st.DrawFn) -> frozenset[int]:
    """Return which readings of a register are kept: not before some time, nor after another."""
    first, last = draw(st.integers(0, 4)), draw(st.integers(QUARTERS - 8, QUARTERS))
    unread = draw(st.frozensets(st.integers(0, QUARTERS)))
    return frozenset(at for at in _ALL if first <= at <= last) - unread


@st.composite
def kept_rows(draw: st.DrawFn, *, apart: bool = True) -> Kept:
    """Return what arrives where single rows are lost, or many, of each register by itself."""
    lost = draw(st.frozensets(st.integers(0, 30), max_size=draw(st.sampled_from([2, 30]))))
    readings = draw(_readings())
    apart = apart and draw(st.booleans())
    counts = {number: draw(_readings()) if apart else readings for number in EVERYTHING.counts}
    return Kept(EVERYTHING.states - lost, counts)
