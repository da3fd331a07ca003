"""A folder that systems export into: new files are read once, in small pieces.

A file counts as whole when it looked the same at two looks in a row. It is remembered as read
when the spool has all of it; a crash before that reads it again, and the spool knows the pieces.
"""

import asyncio
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

from collectors.context import Context
from collectors.errors import SourceError, SourceUnreachable
from collectors.files.decode import Decoder, Reading, Rule
from collectors.files.folder import Done, Folder, memory_of
from collectors.files.lines import look_through, rows
from collectors.files.settings import FilesSource
from collectors.sample import Delivery, Refused

_SIGN_OF_LIFE_S = 1.0
_CLOSE_S = 5.0


class FilesAdapter:
    """One folder; probing only looks whether it can be read."""

    errors: tuple[type[Exception], ...] = (SourceError, OSError)

    def __init__(self, source: FilesSource, context: Context) -> None:
        self._source = source
        self._context = context
        self._path = context.folder / source.folder
        self._rules: list[Rule] = [*source.records, *source.values]
        self._tag_names = frozenset(tag.tag for tag in source.tags)
        self._folder: Folder | None = None
        self._waiting: list[Path] = []
        # Why files could not be read when that was last tried; it is told once.
        self._unreadable: dict[str, str] = {}
        self._look_due_s = 0.0
        self._reading: Generator[Delivery, None, None] | None = None
        self._step: asyncio.Task[Delivery | None] | None = None

    @property
    def tags(self) -> Sequence[str]:
        """The tags of this source."""
        return [tag.tag for tag in self._source.tags]

    async def open(self) -> None:
        """Look whether there is such a folder; raises SourceUnreachable."""
        if not self._path.is_dir():
            raise SourceUnreachable(f"there is no folder {self._path}; make it, or mount it")
        if self._context.probing:
            raise SourceUnreachable("this source waits for files and cannot be asked")
        patterns = [rule.pattern for rule in self._rules]
        memory = memory_of(self._context.state, self._source.name)
        self._folder = Folder(self._path, patterns, memory)
        self._look_due_s = 0.0

    async def receive(self) -> Delivery:
        """Return the next piece of a file; empty when there was none for a while."""
        if self._step is None:
            self._step = asyncio.create_task(asyncio.to_thread(self._next))
        await asyncio.wait((self._step,), timeout=_SIGN_OF_LIFE_S)
        if not self._step.done():
            return Delivery()
        step, self._step = self._step, None
        delivery = step.result()
        if delivery is None:
            wait_s = self._look_due_s - time.monotonic()
            await asyncio.sleep(min(max(wait_s, 0.0), _SIGN_OF_LIFE_S))
        return delivery or Delivery()

    async def close(self) -> None:
        """Let go of the file in hand; it is read again from its beginning."""
        step, self._step = self._step, None
        if step is not None:
            await asyncio.wait((step,), timeout=_CLOSE_S)
            await asyncio.gather(step, return_exceptions=True)
        reading, self._reading = self._reading, None
        if reading is not None:
            await asyncio.to_thread(reading.close)
        self._waiting, self._folder = [], None

    # --- in a thread, one step at a time ---------------------------------------------------------

    def _next(self) -> Delivery | None:
        """Return the next piece, None when there is nothing to read now; raises OSError."""
        assert self._folder is not None
        if self._reading is None and not self._waiting:
            if time.monotonic() < self._look_due_s:
                return None
            self._look_due_s = time.monotonic() + self._source.poll_s
            self._waiting = self._folder.due()
        if self._reading is None and self._waiting:
            self._reading = self._read(self._folder, self._waiting.pop(0))
        if self._reading is None:
            return None
        delivery = next(self._reading, None)
        if delivery is None:
            self._reading = None
        return delivery

    def _read(self, folder: Folder, path: Path) -> Generator[Delivery, None, None]:
        look = folder.take(path)
        if look is None:
            return
        rule = next(one for one in self._rules if fnmatchcase(path.name, one.pattern))
        last = folder.last_read(path) or Done(0, 0, "")
        sha256, pieces = "", list(last.pieces)
        try:
            survey = look_through(path, rule.encoding)
            sha256 = survey.sha256
            if sha256 != last.sha256:
                reading = Reading(path.name, look.mtime_ns, last.sha256, last.pieces)
                decoder = Decoder(path.name, rule, self._tag_names, self._context.zone, reading)
                pieces = decoder.pieces
                with closing(rows(path, survey.encoding, rule.delimiter)) as found:
                    yield from decoder.deliveries(found)
        except OSError as error:
            # One file that cannot be read, or not now, keeps nothing from the others.
            reason = f"{path.name} cannot be read: {error.strerror}"
            if self._unreadable.get(path.name) != reason:
                self._unreadable[path.name] = reason
                yield Delivery(refused=[Refused(reason, path.name)])
            folder.leave(path)
            return
        self._unreadable.pop(path.name, None)
        done = Done(look.size, look.mtime_ns, sha256, tuple(pieces))
        yield Delivery(stored=partial(folder.finish, path, done))
