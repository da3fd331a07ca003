"""What can go wrong while Millpond is put together and run.

DeployError
├── ProgramMissing
├── AlreadyRunning
├── StartFailed
├── WorkerLost
├── PortTaken
├── DatabaseNotNamed
├── FileNotReadable
├── NotSeparate
├── AuditBroken
├── BackupFailed
├── BackupDamaged
├── RestoreRefused
├── RestoreFailed
└── NothingFormed
"""


class DeployError(Exception):
    """Millpond could not be started or stopped; the message says what to do."""


class ProgramMissing(DeployError):
    """A program that Millpond runs is not installed; run `make setup`."""


class AlreadyRunning(DeployError):
    """Another process runs from the same folder; stop that one first (Ctrl-C in its terminal)."""


class StartFailed(DeployError):
    """A program ended or did not answer in time; its log says why."""


class WorkerLost(DeployError):
    """A process that did part of the work was killed; start again with more memory."""


class PortTaken(DeployError):
    """Another program listens on the port; name another one."""


class DatabaseNotNamed(DeployError):
    """No database is named; give --database URL or set MILLPOND_DATABASE_URL."""


class FileNotReadable(DeployError):
    """A file cannot be read; the message names it and says why."""


class NotSeparate(DeployError):
    """One person would hold two offices, or two one; the message says who holds it."""


class AuditBroken(DeployError):
    """The audit's chain does not hold; compare with a backup from before."""


class NothingFormed(DeployError):
    """There is no figure to show yet; the message says what makes one."""


class BackupFailed(DeployError):
    """The backup was not made, and nothing of it is left; the message says why."""


class BackupDamaged(DeployError):
    """The file is no whole backup; take another one."""


class RestoreRefused(DeployError):
    """The backup does not go into this database, which is as it was; the message says why."""


class RestoreFailed(DeployError):
    """The database is not as the backup says; make an empty one and restore again."""
