"""Restoring a backup into an empty database, and seeing that all of it holds."""

import os
import subprocess
import tempfile
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import store
import store.migrate
from deploy.backups import file as files
from deploy.backups.making import Tell, told
from deploy.backups.programs import complaint, feed, program, running
from deploy.errors import RestoreFailed, RestoreRefused
from store import audit, registry
from store.backup import Target, analyze, content, database_words, environment, restoring, target


@dataclass(slots=True)
class Verified:
    """What was worked out again after a restore, and what does not hold."""

    batches: int = 0
    rows: int = 0
    entries: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def restore(url: str, path: Path, tell: Tell) -> tuple[files.Manifest, Verified]:
    """Fill an empty database from a backup, bring it up to date and verify every chain in it.

    Raises BackupDamaged, RestoreRefused, ProgramMissing, RestoreFailed, StoreError and OSError.
    What was begun and failed is taken back, so that the database is empty still.
    """
    with files.opened(path) as backup:
        manifest = backup.manifest
        with closing(store.connect(url)) as conn:
            found = target(conn)
        _refuse(manifest, found)
        _fill(url, backup, found.postgresql, tell)
    with closing(store.connect(url)) as conn:
        holds = content(conn)
        store.migrate.migrate(conn)
        analyze(conn)
        verified = verify(conn, tell)
    if holds != manifest.content:
        said = f"the backup says that it holds {manifest.content}, and there is {holds}"
        verified.problems.insert(0, said)
    return manifest, verified


def verify(conn: store.Connection, tell: Tell) -> Verified:
    """Work out again the hash of each batch, each chain of batches, and that of the audit."""
    from kpi.provenance import ledger  # slow to import

    found = Verified()
    for factory in registry.factories(conn):
        told_of = partial(tell, f"batches of {factory.code} verified")
        signed = ledger.check(conn, factory.factory_id, None, told_of)
        found.batches += signed.batches
        found.rows += signed.rows
        found.notes += signed.incomplete
        found.problems += [each.said for each in signed.problems]
        found.problems += [f"{each.batch.name}: its rows were altered" for each in signed.altered]
        found.problems += [each.said for each in ledger.foreign_keys(conn, factory.factory_id)]
    chain = audit.verify(conn)
    found.entries = chain.entries
    if chain.broken_id is not None:
        found.problems.append(f"the audit's chain breaks at entry {chain.broken_id}: {chain.why}")
    return found


def _refuse(manifest: files.Manifest, found: Target) -> None:
    """Raise RestoreRefused when the backup does not go into this database."""
    if found.occupied_by is not None:
        raise RestoreRefused(
            f"the database is not empty, it has the table {found.occupied_by}: make a new one "
            "(createdb) and name that"
        )
    if manifest.migration not in store.migrate.names():
        raise RestoreRefused(
            f"the backup has the migration {manifest.migration}, which this version of Millpond "
            f"does not know: use version {manifest.millpond} or newer"
        )
    if found.postgresql < manifest.postgresql:
        raise RestoreRefused(
            f"the backup comes from PostgreSQL {manifest.postgresql}, and the server is "
            f"{found.postgresql}: use the same version or a newer one"
        )
    here = [found.timescaledb] if found.timescaledb else list(found.timescaledb_offered)
    if manifest.timescaledb not in here:
        raise RestoreRefused(
            f"the backup comes from TimescaleDB {manifest.timescaledb}, and the server has "
            f"{', '.join(here) or 'none'}: install {manifest.timescaledb} there, restore, and "
            "then ALTER EXTENSION timescaledb UPDATE"
        )
    if not found.is_superuser:
        raise RestoreRefused(
            "TimescaleDB lets only a superuser restore: have an administrator of the server run "
            "ALTER ROLE … SUPERUSER for this role, restore, and then ALTER ROLE … NOSUPERUSER"
        )


def _fill(url: str, backup: files.Backup, server: int, tell: Tell) -> None:
    command = [
        program("pg_restore", server),
        f"--dbname={database_words(url)}",
        # Whoever restores owns what is restored.
        "--no-owner",
        "--exit-on-error",
        "--single-transaction",
    ]
    settings = environment(url)
    with tempfile.TemporaryDirectory() as scratch, restoring(url, backup.manifest.timescaledb):
        errors = Path(scratch) / "errors"
        with running(
            command,
            os.environ | settings,
            errors,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        ) as process:
            feed(process, told(backup, "bytes restored", tell))
            if process.wait() != 0:
                raise RestoreFailed(
                    f"nothing was restored: {complaint(errors, 'pg_restore')}; the database is "
                    "empty still"
                )
