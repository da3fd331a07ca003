"""The states of equipment as small integers; a controller's own numbers come from its map."""

IDLE, RUN, SETUP, STOP, PLANNED_DOWN = range(5)
NAMES = ("idle", "run", "setup", "stop", "planned_down")
CODES = {name: code for code, name in enumerate(NAMES)}
