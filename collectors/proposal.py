"""What browsing proposes: assets with their tags, as a gateway file and as a part of a plan."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from collectors import states

# Of these roles an asset has one tag at most; of process values it may have many.
SINGLE_ROLES = ("state", "total_count", "good_count", "reject_count", "energy", "power")
PROCESS = "process"
_HEARTBEAT_S = 900

_ENERGY_UNITS = frozenset({"kWh", "MWh", "Wh", "MJ", "GJ"})
_POWER_UNITS = frozenset({"kW", "W"})


@dataclass(frozen=True, slots=True)
class ProposedTag:
    """One tag: its role and unit in the plan, the keys of its protocol, and why it is proposed.

    scheme names the states of a state tag; seen is the value met while browsing.
    """

    tag: str
    role: str
    unit: str
    keys: Mapping[str, Any]
    scheme: str | None = None
    about: str = ""
    seen: str | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """A machine or robot as it names itself; nothing here is guessed, None means not told."""

    code: str
    name: str
    kind: str
    path: str
    specifications: tuple[str, ...] = ()
    manufacturer: str | None = None
    model: str | None = None
    serial: str | None = None
    product_instance_uri: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """An asset, the tags proposed for it, and what a person should know."""

    asset: Asset
    tags: tuple[ProposedTag, ...]
    notes: tuple[str, ...] = field(default=())


def role_by_unit(unit: str) -> str:
    """Return the role that a value's unit suggests: energy, power, else a process value."""
    if unit in _ENERGY_UNITS:
        return "energy"
    return "power" if unit in _POWER_UNITS else PROCESS


def plan_part(proposals: Iterable[Proposal]) -> dict[str, Any]:
    """Return assets and state_maps as a monitoring plan has them (docs/plan.md)."""
    found = list(proposals)
    schemes = {tag.scheme for each in found for tag in each.tags if tag.scheme is not None}
    return {
        "state_maps": {scheme: states.bucket_map(scheme) for scheme in sorted(schemes)},
        "assets": [_plan_asset(each) for each in found],
    }


def _plan_asset(proposal: Proposal) -> dict[str, Any]:
    asset = proposal.asset
    name = asset.name
    if asset.manufacturer and asset.model:
        name = f"{asset.name} ({asset.manufacturer} {asset.model})"
    return {
        "code": asset.code,
        "name_zh": name,
        "name_en": name,
        "kind": asset.kind,
        "serial": asset.serial,
        "in_oee": any(tag.role == "state" for tag in proposal.tags),
        "tags": [
            {
                "name": tag.tag,
                "role": tag.role,
                "unit": tag.unit,
                "heartbeat_s": _HEARTBEAT_S,
                "state_map": tag.scheme if tag.role == "state" else None,
            }
            for tag in proposal.tags
        ],
    }
