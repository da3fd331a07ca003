"""Making a backup: pg_dump under a snapshot, and reading back what was written."""

import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from deploy.backups import file as files
from deploy.backups.programs import chunks, complaint, feed, program, running
from deploy.errors import BackupDamaged, BackupFailed
from store.backup import Source, environment, held

# What is done, how much of it, and of how much, where that is known.
Tell = Callable[[str, int, int | None], None]

SUFFIX = ".millpond"
_NAMED = re.compile(r"^millpond-\d{8}T\d{6}Z" + re.escape(SUFFIX) + "$")
_COUNTED = {"telemetry.batch": "batches", "kpi.figure": "figures", "audit.entry": "audit_entries"}
_COPY = re.compile(rb"^COPY ([\w.]+) \(")


def make(url: str, path: Path, tell: Tell) -> files.Manifest:
    """Write a backup of a database to a file that is not there yet, and check it.

    Raises BackupFailed, ProgramMissing, StoreUnavailable and OSError; then nothing is left of it.
    """
    if path.exists():
        raise BackupFailed(f"{path} is there already; a backup replaces no file: name another one")
    try:
        with held(url) as source:
            manifest = _manifest(source)
            size = files.write(path, manifest, _dump(url, source, tell))
        _check(files.unfinished(path), source.postgresql, size, tell)
    except FileExistsError as error:
        raise BackupFailed(
            f"{files.unfinished(path)} is there: another backup is being written, or was cut off; "
            "in that case remove it"
        ) from error
    except BaseException:
        files.unfinished(path).unlink(missing_ok=True)
        raise
    files.finish(path)
    return manifest


def named(folder: Path, now: datetime) -> Path:
    """Return the name of a backup that is made now in a folder."""
    return folder / f"millpond-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}{SUFFIX}"


def thin_out(folder: Path, keep: int) -> list[Path]:
    """Delete all but the newest backups among those that were named by us; return the deleted."""
    ours = sorted(path for path in folder.iterdir() if _NAMED.match(path.name))
    old = ours[: max(0, len(ours) - keep)]
    for path in old:
        path.unlink()
    return old


def _manifest(source: Source) -> files.Manifest:
    return files.Manifest(
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        millpond=version("millpond"),
        migration=source.migration,
        postgresql=source.postgresql,
        timescaledb=source.timescaledb,
        content=source.content,
    )


def _dump(url: str, source: Source, tell: Tell) -> Iterator[bytes]:
    command = [
        program("pg_dump", source.postgresql),
        "--format=custom",
        f"--snapshot={source.snapshot}",
        "--lock-wait-timeout=60s",
    ]
    with tempfile.TemporaryDirectory() as scratch:
        errors = Path(scratch) / "errors"
        settings = os.environ | environment(url)
        with running(
            command, settings, errors, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            done = 0
            for chunk in chunks(process.stdout):
                done += len(chunk)
                tell("bytes written", done, None)
                yield chunk
            if process.wait() != 0:
                raise BackupFailed(f"no backup was made: {complaint(errors, 'pg_dump')}")


def _check(path: Path, server: int, size: int, tell: Tell) -> None:
    """Read the file as a restore would, and count in it what the database held."""
    with files.opened(path) as backup:
        if backup.size != size:
            raise BackupFailed(f"{path} holds {backup.size} bytes of {size}: the disk lost some")
        found = count(backup, server, tell)
    content = backup.manifest.content
    for table, name in _COUNTED.items():
        if found.get(table) != getattr(content, name):
            raise BackupFailed(
                f"no backup was made: it holds {found.get(table)} rows of {table}, and the "
                f"database {getattr(content, name)}"
            )


def count(backup: files.Backup, server: int, tell: Tell) -> dict[str, int]:
    """Return how many rows of some tables a backup holds, reading all of it."""
    command = [program("pg_restore", server), "--data-only", "--file=-"]
    for table in _COUNTED:
        schema, _, name = table.partition(".")
        command += [f"--schema={schema}", f"--table={name}"]
    with tempfile.TemporaryDirectory() as scratch:
        errors = Path(scratch) / "errors"
        with running(
            command, dict(os.environ), errors, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            failure: list[BaseException] = []
            feeding = threading.Thread(target=_feed_all, args=(process, backup, tell, failure))
            feeding.start()
            assert process.stdout is not None
            found = _counted(process.stdout)
            code = process.wait()
            feeding.join()
        if failure:
            raise failure[0]
        if code != 0:
            raise BackupDamaged(f"the backup cannot be read: {complaint(errors, 'pg_restore')}")
    return found


def _feed_all(
    process: "subprocess.Popen[bytes]",
    backup: files.Backup,
    tell: Tell,
    failure: list[BaseException],
) -> None:
    """Give the program the dump, and read to its end even when the program has seen enough."""
    content = told(backup, "bytes read back", tell)
    try:
        feed(process, content)
        for _ in content:
            pass
    except BaseException as error:
        failure.append(error)
        process.terminate()


def told(backup: files.Backup, what: str, tell: Tell) -> Iterator[bytes]:
    """Yield a backup's dump and tell how far it is."""
    done = 0
    for chunk in backup.dump():
        done += len(chunk)
        tell(what, done, backup.size)
        yield chunk


def _counted(lines: Iterator[bytes]) -> dict[str, int]:
    found: dict[str, int] = {}
    table: str | None = None
    for line in lines:
        if table is None:
            if begun := _COPY.match(line):
                table = begun[1].decode()
                found[table] = 0
        elif line == b"\\.\n":
            table = None
        else:
            found[table] += 1
    return found
