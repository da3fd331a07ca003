"""Methods over inspections and lots.

References
----------
[1] ISO 7870-2:2013, control charts for individual values: centre ± 2.66 × mean moving range.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from kpi.annex1.basis import Answer, Floats, Footprint, as_number, hours, judged, shared, text
from kpi.annex1.tables import Rule
from kpi.errors import NotComputable
from kpi.reasons import because
from store.records import StoredRecord


def integrated(seen: Footprint, rule: Rule) -> Answer:
    """Results come from a device; one that does not say where from was typed."""
    rows = seen.some("inspection", rule)
    if not any(text(each, "origin") for each in rows):
        raise NotComputable(because("no_inspection_origin"))
    good = [each for each in rows if text(each, "origin") == "device"]
    proven, numbers, against = shared(rows, good, rule.limits["least_share"])
    return judged(proven, numbers, kind="inspection", shown=good, against=against)


def control_charts(seen: Footprint, rule: Rule) -> Answer:
    """Values outside the limits of an individuals chart [1] were followed by a quality alarm.

    The charts are computed here; a factory's own are not sent, so that its reactions have to show
    that it has them.
    """
    charts, signals = {}, []
    for name, values in _series(seen.some("inspection", rule)).items():
        if len(values) < rule.limits["least_values"]:
            continue
        outside = _outside(np.array([value for _, value in values]), rule.limits["moving_range"])
        charts[name] = {"values": len(values), "outside": int(outside.sum())}
        signals += [record for (record, _), is_out in zip(values, outside, strict=True) if is_out]
    if not charts:
        least = int(rule.limits["least_values"])
        raise NotComputable(because("few_measurements", least=least))
    if not signals:
        raise NotComputable(because("no_signal"))
    alarms = [
        each.at for each in seen.records.get("alarm", ()) if text(each, "category") == "quality"
    ]
    within = hours(rule.limits["reaction_h"])
    good = [each for each in signals if any(each.at <= at <= each.at + within for at in alarms)]
    proven, numbers, against = shared(
        signals, good, rule.limits["least_share"], characteristics=charts
    )
    return judged(proven, numbers, kind="inspection", shown=good, against=against)


def _series(rows: list[StoredRecord]) -> dict[str, list[tuple[StoredRecord, float]]]:
    """Return measured values in order of time by machine, operation and characteristic."""
    found = defaultdict(list)
    for row in sorted(rows, key=lambda each: each.at):
        for name, value in _measured(row):
            found[f"{text(row, 'asset')} {text(row, 'operation')} {name}"].append((row, value))
    return found


def _measured(row: StoredRecord) -> Iterator[tuple[str, float]]:
    """Yield the characteristics of an inspection that have a value."""
    given = row.body.get("measurements")
    for each in given if isinstance(given, list) else ():
        value = as_number(each.get("value")) if isinstance(each, Mapping) else None
        if value is not None:
            yield str(each.get("characteristic")), value


def _outside(values: Floats, factor: float) -> npt.NDArray[np.bool_]:
    centre, moving_range = values.mean(), np.abs(np.diff(values)).mean()
    outside: npt.NDArray[np.bool_] = np.abs(values - centre) > factor * moving_range
    return outside


def traced(seen: Footprint, rule: Rule) -> Answer:
    """Of lots picked by the hash of their number, material, process and inspection are found."""
    lots = {
        str(text(each, "lot")): each
        for each in seen.some("inspection", rule)
        if text(each, "operation") == "final"
    }
    if not lots:
        raise NotComputable(because("no_final_lot"))
    material = {text(each, "lot") for each in seen.records.get("lot_genealogy", ())}
    process = {text(each, "lot") for each in seen.records.get("job", ())}
    if not material and not process:
        raise NotComputable(because("no_genealogy"))
    picked = sorted(lots, key=lambda lot: sha256(lot.encode()).digest())[: int(rule.limits["lots"])]
    rows = [lots[lot] for lot in picked]
    good = [lots[lot] for lot in picked if lot in material and lot in process]
    proven, numbers, against = shared(rows, good, rule.limits["least_share"])
    return judged(proven, numbers, kind="inspection", shown=good, against=against)
