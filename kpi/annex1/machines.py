"""Methods over machines: networked, states, parameters, sensors."""

import numpy as np

from kpi.annex1.basis import Answer, Footprint, judged
from kpi.annex1.tables import Rule
from kpi.errors import NotComputable
from kpi.reasons import because
from store.registry import Asset

_DAY_S = 86_400.0


def connected(seen: Footprint, rule: Rule) -> Answer:
    """A device is networked with enough of the day heard of on enough production days."""
    produced = seen.production_days(rule)
    least_days = int(rule.limits["least_days"])
    if produced.sum() < least_days:
        raise NotComputable(
            because("few_production_days", count=int(produced.sum()), least=least_days)
        )
    days = {
        asset.code: int(
            (
                produced & (seen.daily(asset, "known_s", rule) >= rule.limits["day_share"] * _DAY_S)
            ).sum()
        )
        for asset in seen.key_equipment
    }
    networked = sorted(code for code, count in days.items() if count >= least_days)
    share = len(networked) / len(days)
    numbers = {"devices": len(days), "networked": len(networked), "share": share, "days": days}
    return judged(share >= rule.limits["least_share"], numbers, tags=_tags(seen, set(days)))


def states(seen: Footprint, rule: Rule) -> Answer:
    """A device is monitored where its state is known for nearly all of its calendar time."""
    with_state = {tag.asset_id for tag in seen.evidence.plan.tags if tag.role == "state"}
    equipment = seen.key_equipment
    if not with_state & {asset.asset_id for asset in equipment}:
        raise NotComputable(because("no_state_of_key_equipment"))
    known = {
        asset.code: _known(seen, rule, asset) if asset.asset_id in with_state else 0.0
        for asset in equipment
    }
    monitored = [code for code, share in known.items() if share >= rule.limits["known"]]
    share = len(monitored) / len(known)
    numbers = {"devices": len(known), "monitored": len(monitored), "share": share, "known": known}
    return judged(
        share >= rule.limits["least_share"], numbers, tags=_tags(seen, set(known), "state")
    )


def _known(seen: Footprint, rule: Rule, asset: Asset) -> float:
    heard = seen.daily(asset, "known_s", rule)
    unknown = seen.daily(asset, "unknown_s", rule)
    return float(np.minimum(heard, _DAY_S - unknown).sum() / (_DAY_S * len(heard)))


def parameters(seen: Footprint, rule: Rule) -> Answer:
    """The process tags of the plan are declared; captured is one with good values nearly always."""
    declared = [tag.name for tag in seen.evidence.plan.tags if tag.role == "process"]
    if not declared:
        raise NotComputable(because("no_process_tag"))
    shares = {name: seen.tag_shares.get(name, 0.0) for name in declared}
    captured = [name for name, share in shares.items() if share >= rule.limits["complete"]]
    share = len(captured) / len(declared)
    numbers = {"declared": len(declared), "captured": len(captured), "share": share}
    against = sorted(set(declared) - set(captured))
    return judged(
        share >= rule.limits["least_share"], numbers, tags=sorted(declared), tags_against=against
    )


def sensors(seen: Footprint, rule: Rule) -> Answer:
    """Each line has sensors of several kinds of quantity that gave values, told by their units."""
    lines = {asset.asset_id: asset.line for asset in seen.evidence.plan.assets if asset.line}
    if not lines:
        raise NotComputable(because("no_line"))
    kind_of = {unit: kind for kind, units in rule.words.items() for unit in units}
    kinds: dict[str, set[str]] = {line: set() for line in lines.values()}
    used = []
    for tag in seen.evidence.plan.tags:
        if tag.role == "process" and tag.asset_id in lines and seen.tag_shares.get(tag.name, 0):
            kind = kind_of.get(tag.unit)
            if kind is not None:
                kinds[lines[tag.asset_id]].add(kind)
                used.append(tag.name)
    least = rule.limits["least_kinds"]
    numbers = {"lines": {line: sorted(found) for line, found in kinds.items()}}
    return judged(all(len(each) >= least for each in kinds.values()), numbers, tags=sorted(used))


def _tags(seen: Footprint, codes: set[str], role: str | None = None) -> list[str]:
    """Return the tags of some assets."""
    wanted = {asset.asset_id for asset in seen.evidence.plan.assets if asset.code in codes}
    return sorted(
        tag.name
        for tag in seen.evidence.plan.tags
        if tag.asset_id in wanted and role in (None, tag.role)
    )
