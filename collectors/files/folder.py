"""What lies in a folder, what of it is whole and new, and what was read before.

Files are only looked at and read. What was read is remembered in a file of the gateway's own.
"""

import json
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import quote

_MOST_FILES = 100_000


@dataclass(frozen=True, slots=True)
class Look:
    """How a file looked from outside: its length in bytes and when it was last written [ns]."""

    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Done:
    """A file that was read: how it looked then, what was in it, and the hashes of its pieces."""

    size: int
    mtime_ns: int
    sha256: str
    pieces: tuple[str, ...] = ()


class Folder:
    """The files of a folder that match one of some patterns, oldest first."""

    def __init__(self, path: Path, patterns: Sequence[str], memory: Path) -> None:
        self._path = path
        self._patterns = patterns
        self._memory = memory
        self._done = _remembered(memory)
        self._seen: dict[str, Look] = {}
        self._in_hand: set[str] = set()
        # Files are looked for in one thread, and finished in another.
        self._lock = threading.Lock()

    def due(self) -> list[Path]:
        """Return the files that are new and that nobody wrote to since the last look.

        Raises OSError where the folder cannot be read.
        """
        looks = dict(self._looks())
        whole = [name for name, look in looks.items() if self._seen.get(name) == look]
        self._seen = looks
        with self._lock:
            for name in self._done.keys() - looks.keys() - self._in_hand:
                del self._done[name]
            due = [name for name in whole if self._is_new(name) and name not in self._in_hand]
        due.sort(key=lambda name: (looks[name].mtime_ns, name))
        return [self._path / name for name in due]

    def take(self, path: Path) -> Look | None:
        """Take a file in hand and return how it looks; None where it is gone."""
        try:
            found = path.stat()
        except OSError:
            return None
        with self._lock:
            self._in_hand.add(path.name)
        return Look(found.st_size, found.st_mtime_ns)

    def leave(self, path: Path) -> None:
        """Let go of a file that could not be read: it is due again at the next look."""
        with self._lock:
            self._in_hand.discard(path.name)

    def last_read(self, path: Path) -> Done | None:
        """Return what a file of this name held when it was last read to its end."""
        with self._lock:
            return self._done.get(path.name)

    def finish(self, path: Path, done: Done) -> None:
        """Remember over a restart that a file was read."""
        with self._lock:
            self._in_hand.discard(path.name)
            self._done[path.name] = done
            text = json.dumps({name: asdict(one) for name, one in self._done.items()})
        self._memory.parent.mkdir(parents=True, exist_ok=True)
        draft = self._memory.with_name(f"{self._memory.name}.new")
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._memory)

    def _is_new(self, name: str) -> bool:
        done, look = self._done.get(name), self._seen[name]
        return done is None or (done.size, done.mtime_ns) != (look.size, look.mtime_ns)

    def _looks(self) -> list[tuple[str, Look]]:
        found: list[tuple[str, Look]] = []
        with os.scandir(self._path) as entries:
            for entry in entries:
                if len(found) >= _MOST_FILES:
                    break
                if any(fnmatchcase(entry.name, each) for each in self._patterns):
                    with suppress(OSError):
                        look = entry.stat()
                        if entry.is_file():
                            found.append((entry.name, Look(look.st_size, look.st_mtime_ns)))
        return found


def memory_of(state: Path, source: str) -> Path:
    """Return where a source remembers the files that it has read."""
    return state / f"{quote(source, safe='')}.files.json"


def _remembered(memory: Path) -> dict[str, Done]:
    try:
        found = json.loads(memory.read_text(encoding="utf-8"))
        return {
            name: Done(**(one | {"pieces": tuple(one.get("pieces", ()))}))
            for name, one in found.items()
        }
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError):
        # Without it files are read again, which adds nothing: the spool and the store know them.
        return {}
