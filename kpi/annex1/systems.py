"""Methods over business systems: sources in use, documents that flow, plans, codes."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from kpi.annex1.basis import Answer, Footprint, amount, hours, judged, shared, text
from kpi.annex1.tables import Claim, Rule
from kpi.errors import NotComputable
from kpi.reasons import because
from store.records import StoredRecord


def sources(seen: Footprint, rule: Rule, *, claim: Claim) -> Answer:
    """Each system of the claim sent a record on nearly every production day, and lately."""
    kinds = {name: rule.words[name] for name in claim.systems if name in rule.words}
    if not kinds:
        raise NotComputable(because("no_kind_of_system", systems=claim.systems))
    produced = seen.production_days(rule)
    by_system = {
        name: [record for kind in each for record in seen.within(kind, rule)]
        for name, each in kinds.items()
    }
    used = {name: _use(seen, rule, rows, produced) for name, rows in by_system.items()}
    least = rule.limits["least_share"]
    proven = all(each.fresh and each.day_share >= least for each in used.values())
    numbers = {
        "production_days": int(produced.sum()),
        "systems": {name: asdict(each) for name, each in used.items()},
        "not_told": [name for name in claim.systems if name not in kinds],
    }
    names = sorted({kind for each in kinds.values() for kind in each})
    shown = [record for rows in by_system.values() for record in rows]
    return judged(proven, numbers, kind=", ".join(names), shown=shown)


@dataclass(frozen=True, slots=True)
class _Use:
    """How much of the production days a system sent records on, and whether lately."""

    records: int
    day_share: float
    newest: str | None
    fresh: bool


def _use(
    seen: Footprint, rule: Rule, rows: Sequence[StoredRecord], produced: npt.NDArray[np.bool_]
) -> _Use:
    start, end = seen.window(rule)
    days = np.zeros(len(produced), np.bool_)
    for row in rows:
        # Days have 24 h: no factory of the register changes its clocks.
        days[(row.at - start) // timedelta(days=1)] = True
    newest = max((row.at for row in rows), default=None)
    return _Use(
        records=len(rows),
        day_share=float((days & produced).sum() / produced.sum()),
        newest=None if newest is None else newest.isoformat(),
        fresh=newest is not None and end - newest <= hours(rule.limits["fresh_h"]),
    )


@dataclass(frozen=True, slots=True)
class _Pair:
    """Documents of one system that name one of another, and whether their times can be."""

    kind: str
    system: str
    name: str
    to_kind: str
    to_system: str
    to_name: str
    in_order: Callable[[StoredRecord, StoredRecord, timedelta], bool]


_PAIRS = (
    # A plan begins before the day after its order line is due.
    _Pair(
        *("plan_operation", "APS", "order_line", "order_line", "ERP", "line"),
        lambda plan, line, _: plan.at < line.at + timedelta(days=1),
    ),
    _Pair(
        *("job", "MES", "work_order", "plan_operation", "APS", "work_order"),
        lambda job, plan, early: job.at >= plan.at - early,
    ),
    _Pair(
        *("stock_move", "WMS", "work_order", "job", "MES", "work_order"),
        lambda move, job, _: text(move, "direction") != "in" or move.at >= job.at,
    ),
    _Pair(*("stock_move", "WMS", "order_line", "order_line", "ERP", "line"), lambda *_: True),
)


@dataclass(frozen=True, slots=True)
class _Found:
    """The documents that name another, and those of them that name one that is not there."""

    pair: _Pair
    naming: Sequence[StoredRecord]
    broken: Sequence[StoredRecord]

    @property
    def named(self) -> int:
        """Return how many documents name another."""
        return len(self.naming)


def _pairs(seen: Footprint, rule: Rule) -> list[_Found]:
    """Look up the documents that others name; raises NotComputable where none names any."""
    early = timedelta(days=rule.limits["early_days"])
    found = []
    for pair in _PAIRS:
        known: dict[str | None, list[StoredRecord]] = defaultdict(list)
        for record in seen.records.get(pair.to_kind, ()):
            known[text(record, pair.to_name)].append(record)
        naming = [each for each in seen.within(pair.kind, rule) if text(each, pair.name)]
        broken = [
            each
            for each in naming
            if not any(
                pair.in_order(each, other, early) for other in known.get(text(each, pair.name), ())
            )
        ]
        if naming:
            found.append(_Found(pair, naming, broken))
    if not found:
        raise NotComputable(because("no_reference"))
    return found


def flow(seen: Footprint, rule: Rule) -> Answer:
    """Documents that name one of the neighbouring system find it, with times that can be."""
    found = _pairs(seen, rule)
    shares = {
        f"{each.pair.kind}.{each.pair.name} → {each.pair.to_kind}": {
            "named": each.named,
            "share": 1 - len(each.broken) / each.named,
        }
        for each in found
    }
    proven = all(each["share"] >= rule.limits["least_share"] for each in shares.values())
    return _linked(proven, {"pairs": shares}, found)


def _linked(proven: bool, numbers: Mapping[str, Any], found: Sequence[_Found]) -> Answer:
    kinds = ", ".join(sorted({each.pair.kind for each in found}))
    broken = {(each.pair, record.key) for each in found for record in each.broken}
    shown = [
        record for each in found for record in each.naming if (each.pair, record.key) not in broken
    ]
    against = [record for each in found for record in each.broken]
    return judged(proven, numbers, kind=kinds, shown=shown, against=against)


def linked(seen: Footprint, rule: Rule) -> Answer:
    """Several kinds of systems name each other's documents, and hardly any reference is broken."""
    found = _pairs(seen, rule)
    systems = {
        name
        for each in found
        if len(each.broken) < each.named
        for name in (each.pair.system, each.pair.to_system)
    }
    named, broken = sum(each.named for each in found), sum(len(each.broken) for each in found)
    proven = (
        len(systems) >= rule.limits["least_systems"] and broken / named < rule.limits["most_broken"]
    )
    numbers = {"systems": sorted(systems), "references": named, "broken_share": broken / named}
    return _linked(proven, numbers, found)


def scheduled(seen: Footprint, rule: Rule) -> Answer:
    """A system made most of the plan and planned again; adherence is shown beside it."""
    plans = seen.some("plan_operation", rule)
    auto = [each for each in plans if text(each, "origin") == "auto"]
    again = [each for each in plans if each.version > 1 or text(each, "cause")]
    starts: dict[tuple[str | None, str | None], StoredRecord] = {
        (text(job, "work_order"), text(job, "operation")): job
        for job in seen.records.get("job", ())
        if text(job, "started_at")
    }
    kept = [
        job.at <= ends
        for each in plans
        if (job := starts.get((text(each, "work_order"), text(each, "operation")))) is not None
        and (ends := seen.time(each, "ends_at")) is not None
    ]
    adherence = sum(kept) / len(kept) if kept else None
    proven, numbers, against = shared(
        plans, auto, rule.limits["least_share"], replanned=len(again), adherence=adherence
    )
    return judged(
        proven and bool(again), numbers, kind="plan_operation", shown=auto, against=against
    )


def finite_capacity(seen: Footprint, rule: Rule) -> Answer:
    """No resource has more planned operations at a time than it can do."""
    by_resource: dict[str | None, list[StoredRecord]] = defaultdict(list)
    for each in seen.some("plan_operation", rule):
        by_resource[text(each, "resource")].append(each)
    over: list[StoredRecord] = []
    for plans in by_resource.values():
        over += _over_capacity(seen, plans)
    numbers = {"resources": len(by_resource), "over_capacity": len(over)}
    shown = [each for plans in by_resource.values() for each in plans]
    return judged(not over, numbers, kind="plan_operation", shown=shown, against=over)


def _over_capacity(seen: Footprint, plans: Sequence[StoredRecord]) -> list[StoredRecord]:
    """Return the operations that begin while the resource is full."""
    running: list[StoredRecord] = []
    found = []
    for each in sorted(plans, key=lambda plan: plan.at):
        ends = [seen.time(other, "ends_at") for other in running]
        running = [other for other, end in zip(running, ends, strict=True) if end and end > each.at]
        running.append(each)
        if len(running) > (amount(each, "capacity") or 1):
            found.append(each)
    return found


_CODED = ("job", "alarm", "maintenance", "recipe_download")


def codes(seen: Footprint, rule: Rule) -> Answer:
    """The machine codes in the records of several systems are those of the plan."""
    rows = [each for kind in _CODED for each in seen.within(kind, rule) if text(each, "asset")]
    if not rows:
        raise NotComputable(because("no_machine_named"))
    known = {asset.code for asset in seen.evidence.plan.assets}
    good = [each for each in rows if text(each, "asset") in known]
    proven, numbers, against = shared(rows, good, rule.limits["least_share"])
    unknown = sorted({str(text(each, "asset")) for each in against})[:50]
    return judged(
        *(proven, numbers | {"unknown": unknown}),
        kind=", ".join(_CODED),
        shown=good,
        against=against,
    )


def customers(seen: Footprint, rule: Rule) -> Answer:
    """Orders came in over an on-line channel in each month."""
    lines = [each for each in seen.some("order_line", rule) if text(each, "channel")]
    if not lines:
        raise NotComputable(because("no_channel"))
    online = [
        each
        for each in lines
        if any(word in str(text(each, "channel")).lower() for word in rule.words["channels"])
    ]
    by_month = {f"{first:%Y-%m}": 0 for first in seen.months(rule)}
    for each in online:
        by_month[f"{seen.month(each.at):%Y-%m}"] += 1
    numbers = {"lines": len(lines), "online_by_month": by_month}
    return judged(all(by_month.values()), numbers, kind="order_line", shown=online)
