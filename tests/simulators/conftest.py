"""One plant of each scenario, placed at a fixed time, and its whole history."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pytest

from simulators import scenarios
from simulators.history import Chunk
from simulators.noise import Floats, Integers
from simulators.plant import Plant, build

AS_OF = datetime.fromisoformat("2026-03-10T10:37:20+08:00")


@dataclass(frozen=True, eq=False)
class Past:
    """The history of a plant with its chunks joined."""

    plant: Plant
    chunks: list[Chunk]
    tag_index: Integers
    ts_us: Integers
    value: Floats
    status: Integers
    records: list[dict[str, Any]]

    def rows(self, name: str, *, good: bool = True) -> tuple[Integers, Floats]:
        """Return the instants and values of one tag."""
        index = next(at for at, tag in enumerate(self.plant.tags) if tag.name == name)
        chosen = self.tag_index == index
        if good:
            chosen &= self.status == 0
        return self.ts_us[chosen], self.value[chosen]

    def latest(self, kind: str) -> list[dict[str, Any]]:
        """Return the last version of every record of one kind."""
        found = {each["key"]: each["body"] for each in self.records if each["kind"] == kind}
        return list(found.values())


def past_of(plant: Plant) -> Past:
    """Return the whole history of a plant."""
    chunks = list(plant.history())
    return Past(
        plant,
        chunks,
        np.concatenate([each.tag_index for each in chunks]).astype(np.int64),
        np.concatenate([each.ts_us for each in chunks]),
        np.concatenate([each.value for each in chunks]),
        np.concatenate([each.status for each in chunks]).astype(np.int64),
        [record for each in chunks for record in each.records],
    )


@pytest.fixture(scope="session")
def machining() -> Plant:
    """The machining shop."""
    return build(scenarios.load("machining"), AS_OF)


@pytest.fixture(scope="session")
def fibre() -> Plant:
    """The fibre plant."""
    return build(scenarios.load("fibre"), AS_OF)


@pytest.fixture(scope="session", params=["machining", "fibre"])
def plant(request: pytest.FixtureRequest) -> Plant:
    """Either plant."""
    found: Plant = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def machining_past(machining: Plant) -> Past:
    """The history of the machining shop."""
    return past_of(machining)


@pytest.fixture(scope="session")
def fibre_past(fibre: Plant) -> Past:
    """The history of the fibre plant."""
    return past_of(fibre)


@pytest.fixture(scope="session", params=["machining", "fibre"])
def past(request: pytest.FixtureRequest) -> Past:
    """The history of either plant."""
    found: Past = request.getfixturevalue(f"{request.param}_past")
    return found
