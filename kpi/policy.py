"""Verdict policies: dated tolerances, each with a version and a source.

A policy is data (tables/verdict_policy.toml), so that a changed tolerance is a new entry beside
the old one and not a change of what was decided under it.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any

from kpi.errors import BadTable


@dataclass(frozen=True, slots=True)
class Tolerance:
    """By how much a report may differ: the larger of both, absolute in the figure's unit."""

    absolute: float = 0.0
    relative: float = 0.0

    def around(self, value: float) -> float:
        """Return the allowed difference from a verified value, in its unit."""
        return max(self.absolute, self.relative * abs(value))


@dataclass(frozen=True, slots=True)
class Policy:
    """What verdicts are given by; the shares of fulfilment count from 0 (before) to 1 (promised).

    `planned_down_share` and `product_mix` are the changes from which before and after are not
    comparable, both as shares.
    """

    version: str
    valid_from: date
    source: str
    least_coverage: float
    over_from: float
    met_from: float
    partly_from: float
    off_within: float
    planned_down_share: float
    product_mix: float
    by_kpi: Mapping[str, Tolerance]
    by_unit: Mapping[str, Tolerance]

    def tolerance(self, kpi: str, unit: str) -> Tolerance:
        """Return the tolerance of a KPI, else that of its unit, else that of all other units."""
        return self.by_kpi.get(kpi) or self.by_unit.get(unit) or self.by_unit["other"]


@cache
def policies() -> tuple[Policy, ...]:
    """Return the policies that came with this version, oldest first."""
    file = resources.files("kpi").joinpath("tables", "verdict_policy.toml")
    return read(file.read_text(encoding="utf-8"))


def policy_on(day: date, known: Sequence[Policy] | None = None) -> Policy:
    """Return the policy that applies on a local day; before the first one, the first."""
    found = policies() if known is None else known
    return [found[0], *(each for each in found if each.valid_from <= day)][-1]


def read(text: str) -> tuple[Policy, ...]:
    """Read a policy table; raises BadTable with the policy and what is wrong with it."""
    given = tomllib.loads(text).get("policy", [])
    if not given:
        raise BadTable("the policy table has no [[policy]]; add one with version and valid_from")
    found = [_policy(number, each) for number, each in enumerate(given, 1)]
    for earlier, later in pairwise(found):
        if later.valid_from <= earlier.valid_from:
            raise BadTable(f"policy {later.version} must be valid later than {earlier.version}")
    if len({each.version for each in found}) < len(found):
        raise BadTable("two policies have one version; give each change a version of its own")
    return tuple(found)


def _policy(number: int, given: Mapping[str, Any]) -> Policy:
    try:
        found = Policy(
            version=str(given["version"]),
            valid_from=given["valid_from"],
            source=str(given["source"]),
            least_coverage=float(given["least_coverage"]),
            over_from=float(given["fulfilment"]["over_from"]),
            met_from=float(given["fulfilment"]["met_from"]),
            partly_from=float(given["fulfilment"]["partly_from"]),
            off_within=float(given["consistency"]["off_within"]),
            planned_down_share=float(given["comparability"]["planned_down_share"]),
            product_mix=float(given["comparability"]["product_mix"]),
            by_kpi={kpi: Tolerance(**each) for kpi, each in given["tolerance"].items()},
            by_unit={unit: Tolerance(**each) for unit, each in given["unit"].items()},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadTable(f"policy {number} of the policy table is not whole: {error!r}") from error
    _check(found)
    return found


def _check(policy: Policy) -> None:
    place = f"policy {policy.version}"
    if not policy.source.strip():
        raise BadTable(f"{place}: source must name where the tolerances come from")
    if not 0 < policy.partly_from < policy.met_from <= 1 <= policy.over_from:
        raise BadTable(f"{place}: must hold 0 < partly_from < met_from <= 1 <= over_from")
    if "other" not in policy.by_unit:
        raise BadTable(f"{place}: unit must have a line for other")
    shares = {
        "least_coverage": policy.least_coverage,
        "off_within": policy.off_within,
        "planned_down_share": policy.planned_down_share,
        "product_mix": policy.product_mix,
    }
    for name, share in shares.items():
        if not 0 < share <= 1:
            raise BadTable(f"{place}: {name} is {share:g} but must be above 0 and at most 1")
    for name, each in {**policy.by_kpi, **policy.by_unit}.items():
        if each.absolute < 0 or not 0 <= each.relative <= 1:
            raise BadTable(f"{place}: the tolerance of {name} must not be below 0 or above 100 %")
