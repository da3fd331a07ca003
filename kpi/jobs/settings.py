"""When the jobs run and how patient they are: a TOML file, or the defaults."""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from kpi.errors import BadSchedule
from store.job_runs import Backoff


@dataclass(frozen=True, slots=True)
class Schedule:
    """The keys of the file; times in seconds."""

    # Between the starts of two turns.
    every_s: int = 60
    # How long after a failure an asset or factory is tried again; then twice as late each time.
    retry_first_s: int = 60
    retry_most_s: int = 21_600
    # How long runs stay listed.
    keep_runs_days: int = 90

    @property
    def backoff(self) -> Backoff:
        """Return when failed pieces are tried again."""
        return Backoff(self.retry_first_s, self.retry_most_s)


_RANGES = {
    "every_s": (1, 86_400),
    "retry_first_s": (1, 86_400),
    "retry_most_s": (1, 604_800),
    "keep_runs_days": (1, 3_650),
}


def load_schedule(path: Path) -> Schedule:
    """Read a schedule; raises BadSchedule that names the key and its range, or OSError."""
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSchedule(f"{path}: {error}") from error
    for name, value in given.items():
        if name not in _RANGES:
            known = ", ".join(each.name for each in fields(Schedule))
            raise BadSchedule(f"{path}: {name} is no key; the keys are {known}")
        least, most = _RANGES[name]
        if type(value) is not int or not least <= value <= most:
            raise BadSchedule(f"{path}: {name} is a whole number from {least} to {most}")
    found = Schedule(**given)
    if found.retry_most_s < found.retry_first_s:
        raise BadSchedule(f"{path}: retry_most_s is not below retry_first_s")
    return found
