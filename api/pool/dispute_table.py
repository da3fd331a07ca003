"""What disputes are as data: their states and steps."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from api.pool.lifecycle import Name
from api.pool.report_table import Step, step_of

FINAL = frozenset({"settled", "withdrawn"})


@dataclass(frozen=True, slots=True)
class Table:
    """The states and steps of disputes."""

    states: Mapping[str, Name]
    steps: Mapping[str, Step]


@cache
def table() -> Table:
    """Return the shipped table; raises ValueError for one that names what there is not."""
    found = tomllib.loads(files("api.pool").joinpath("disputes.toml").read_text(encoding="utf-8"))
    states = {code: Name(**name) for code, name in found["state"].items()}
    steps = {each["id"]: step_of({"to": each["from"][0]} | each, states) for each in found["step"]}
    stays = {each["id"] for each in found["step"] if "to" not in each}
    return Table(states, {
        name: replace(each, transition=replace(each.transition, to="")) if name in stays else each
        for name, each in steps.items()
    })  # fmt: skip
