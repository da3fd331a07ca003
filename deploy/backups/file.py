"""The file of a backup: a tar with what it is (JSON), the dump, and the dump's SHA-256.

`tar -xf FILE` gives the three by hand, and the dump is one that every pg_restore reads.
"""

import hashlib
import json
import os
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from deploy.backups.programs import chunks
from deploy.errors import BackupDamaged, BackupFailed
from store.backup import Content

DUMP = "database.dump"
_MANIFEST = "backup.json"
_SUM = "database.dump.sha256"
_FORMAT = 1
_BLOCK = 512


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself: when it was made, from which versions, how much it holds."""

    made_at: str
    millpond: str
    migration: str
    postgresql: int
    timescaledb: str
    content: Content
    format: int = _FORMAT


def write(path: Path, manifest: Manifest, dump: Iterable[bytes]) -> int:
    """Write a backup beside its final name, open to its owner alone; return the dump's bytes.

    It has the final name once it is whole and on disk (`finish`). Raises FileExistsError.
    """
    with open(unfinished(path), "xb", opener=_private) as file:
        _member(file, _MANIFEST, json.dumps(asdict(manifest), indent=2).encode() + b"\n")
        head = file.tell()
        file.write(bytes(_BLOCK))
        sha256, size = hashlib.sha256(), 0
        for chunk in dump:
            file.write(chunk)
            sha256.update(chunk)
            size += len(chunk)
        file.write(bytes(-size % _BLOCK))
        _member(file, _SUM, f"{sha256.hexdigest()}  {DUMP}\n".encode())
        file.write(bytes(2 * _BLOCK))
        file.seek(head)
        file.write(_header(DUMP, size))
        file.flush()
        os.fsync(file.fileno())
    return size


def unfinished(path: Path) -> Path:
    """Return the name under which a backup is written."""
    return path.with_name(f"{path.name}.unfinished")


def finish(path: Path) -> None:
    """Give a backup its final name; raises BackupFailed when that was taken meanwhile."""
    try:
        os.link(unfinished(path), path)
    except FileExistsError as error:
        raise BackupFailed(f"{path} is there already and stays as it is") from error
    unfinished(path).unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@dataclass(frozen=True, slots=True)
class Backup:
    """An open backup: what it says of itself, and where in the file its dump lies."""

    manifest: Manifest
    size: int
    sha256: str
    _file: IO[bytes]
    _start: int

    def dump(self) -> Iterator[bytes]:
        """Yield the dump; raises BackupDamaged when it is not what was written.

        Its last piece is given only when all of it is known to be sound.
        """
        self._file.seek(self._start)
        sha256, last = hashlib.sha256(), b""
        for chunk in chunks(self._file, self.size):
            sha256.update(chunk)
            if last:
                yield last
            last = chunk
        if sha256.hexdigest() != self.sha256:
            raise BackupDamaged(
                f"{self._file.name} was altered or damaged after it was written: its dump has "
                "another SHA-256 than it had; take another backup"
            )
        yield last


@contextmanager
def opened(path: Path) -> Iterator[Backup]:
    """Open a backup for the length of the block; raises BackupDamaged and OSError."""
    with open(path, "rb") as file:
        try:
            with tarfile.open(fileobj=file, mode="r:") as archive:
                members = {each.name: each for each in archive}
                manifest = _manifest(_content(archive, members[_MANIFEST]))
                sha256 = _content(archive, members[_SUM]).split()[0].decode()
                dump = members[DUMP]
        except (tarfile.TarError, KeyError, ValueError, TypeError, IndexError) as error:
            raise BackupDamaged(
                f"{path} is no whole backup of Millpond; take another one"
            ) from error
        yield Backup(manifest, dump.size, sha256, file, dump.offset_data)


def _manifest(text: bytes) -> Manifest:
    said: dict[str, Any] = json.loads(text)
    if said["format"] != _FORMAT:
        raise BackupDamaged(
            f"the backup has format {said['format']}, which this version of Millpond does not "
            "know; restore it with the version that made it or a newer one"
        )
    return Manifest(**said | {"content": Content(**said["content"])})


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    found = archive.extractfile(member)
    if found is None:
        raise ValueError(f"{member.name} is no file")
    return found.read()


def _member(file: IO[bytes], name: str, content: bytes) -> None:
    file.write(_header(name, len(content)))
    file.write(content + bytes(-len(content) % _BLOCK))


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info.tobuf(format=tarfile.GNU_FORMAT)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
