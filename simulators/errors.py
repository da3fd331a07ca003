"""What can go wrong in a simulated plant.

SimulatorError
├── ScenarioError     the scenario file is wrong
└── BeyondHorizon     an instant was asked for that the plant was not built to reach
"""


class SimulatorError(Exception):
    """A simulated plant cannot do what was asked."""


class ScenarioError(SimulatorError):
    """A scenario file is wrong; the message names the key and what is expected there."""


class BeyondHorizon(SimulatorError):
    """The plant was built for a shorter time; build it again with a later horizon."""
