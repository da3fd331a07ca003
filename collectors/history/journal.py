"""How far each file was imported, so that an interrupted import goes on where it stopped.

It only saves time: the spool knows each piece that it has taken, and the database each row.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Progress:
    """Rows of a file that are in the spool or beyond; is_done once there are no more."""

    rows: int = 0
    is_done: bool = False


class Journal:
    """The progress of files by their content and the table that maps it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files = _read(path)

    def progress(self, name: str) -> Progress:
        """Return how far a file is."""
        return self._files.get(name, Progress())

    def note(self, name: str, progress: Progress) -> None:
        """Keep how far a file is, over whatever happens next."""
        self._files[name] = progress
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_name(f"{self._path.name}.new")
        text = json.dumps({name: asdict(one) for name, one in self._files.items()})
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)


def _read(path: Path) -> dict[str, Progress]:
    try:
        found: Mapping[str, dict[str, int]] = json.loads(path.read_text(encoding="utf-8"))
        return {name: Progress(one["rows"], bool(one["is_done"])) for name, one in found.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}
