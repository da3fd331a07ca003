"""The sample factories, one TOML file each."""

import tomllib
from importlib.resources import files

from simulators.errors import ScenarioError
from simulators.model import Scenario
from simulators.reading import read


def names() -> list[str]:
    """Return the names of the scenarios that can be loaded."""
    return ["machining", "fibre"]


def load(name: str) -> Scenario:
    """Return a scenario by name; ScenarioError lists the names there are."""
    if name not in names():
        raise ScenarioError(f"no scenario {name!r}; there are: {', '.join(names())}")
    text = (files(__package__) / f"{name}.toml").read_text(encoding="utf-8")
    return read(Scenario, tomllib.loads(text), name)
