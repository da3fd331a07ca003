"""A private PostgreSQL cluster with TimescaleDB that lives as long as the process using it."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from deploy.children import Child, first_number, wait_until_ended
from deploy.errors import ProgramMissing, StartFailed
from deploy.places import as_account, write_private
from deploy.ports import LOOPBACK
from deploy.service import Service

INSTALLATIONS = Path("/usr/lib/postgresql")
USER = "millpond"

_SOCKET_PATH_BYTES = 107  # sun_path of Linux holds 108 with the closing zero
_SOCKET_NAME = ".s.PGSQL.65535"

# For two cores and 4 GB upwards. Shared memory is System V's because /dev/shm of a container is
# often too small for a parallel query.
_SETTINGS = {
    "shared_preload_libraries": "timescaledb",
    "timescaledb.max_background_workers": "4",
    "timescaledb.telemetry_level": "off",
    "listen_addresses": LOOPBACK,
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "max_worker_processes": "16",
    "password_encryption": "scram-sha-256",
    "shared_buffers": "512MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1500MB",
    "dynamic_shared_memory_type": "sysv",
    "max_wal_size": "4GB",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "max_locks_per_transaction": "256",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C.UTF-8",
    "lc_monetary": "C.UTF-8",
    "lc_numeric": "C.UTF-8",
    "lc_time": "C.UTF-8",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}

# Data of a test or a demo need not survive a power cut, and a worker of TimescaleDB that connects
# to a template database would keep it from being cloned.
_PERISHABLE = {
    "timescaledb.max_background_workers": "0",
    "shared_buffers": "256MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


def programs(major: int | None = None) -> Path:
    """Return the folder of the newest PostgreSQL programs that have TimescaleDB.

    `major` asks for the version that made an existing cluster. Raises ProgramMissing.
    """
    found = {
        int(folder.name): folder / "bin"
        for folder in INSTALLATIONS.glob("[0-9]*")
        if folder.name.isdecimal()
        and (folder / "bin" / "postgres").exists()
        and (folder / "lib" / "timescaledb.so").exists()
    }
    if not found:
        raise ProgramMissing("PostgreSQL with TimescaleDB is not installed: run `make setup`")
    if major is None:
        return found[max(found)]
    if major not in found:
        raise ProgramMissing(
            f"the cluster was made by PostgreSQL {major}, which is no longer installed with "
            "TimescaleDB: install it again, or remove the cluster's folder"
        )
    return found[major]


class EmbeddedPostgres(Service):
    """A cluster in a folder of its own, on loopback and a Unix socket only.

    `durable=False` trades safety in a power cut for speed.
    """

    name = "Millpond's database"
    account_name = "postgres"

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        super().__init__(home)
        self._durable = durable
        self._password = ""
        self._socket_folder = home

    def url(self, dbname: str = "postgres") -> str:
        """Return the libpq URL of a database of this cluster, password included."""
        return f"postgresql://{USER}:{self._password}@{LOOPBACK}:{self.port}/{dbname}"

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _check_installed(self) -> None:
        programs()

    def _prepare(self, opened: ExitStack) -> None:
        self._create_cluster()
        self._drop_stale_pid_file()
        self._socket_folder = self._short_folder(opened)

    def _create_cluster(self) -> None:
        password_file = self._folder / "password"
        if (self._data / "PG_VERSION").exists():
            self._password = password_file.read_text().strip()
            return
        self._password = secrets.token_hex(24)
        write_private(password_file, self._password + "\n", self._account)
        unfinished = self._folder / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._initdb(unfinished, password_file)
        unfinished.rename(self._data)

    def _initdb(self, target: Path, password_file: Path) -> None:
        command = [
            *as_account(self._account),
            "--pdeathsig=SIGKILL",
            "--",
            str(programs() / "initdb"),
            f"--pgdata={target}",
            f"--username={USER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-instructions",
            *([] if self._durable else ["--no-sync"]),
        ]
        made = subprocess.run(
            command, cwd=self._folder, capture_output=True, text=True, check=False, timeout=120
        )
        if made.returncode != 0:
            reason = made.stderr.strip().splitlines() or ["no output"]
            raise StartFailed(f"the database could not be created: {reason[-1]}")

    def _drop_stale_pid_file(self) -> None:
        """Remove what a killed server left: its pid may be somebody else's by now.

        PostgreSQL would refuse to start then. A server that still runs here is waited for.
        """
        pid_file = self._data / "postmaster.pid"
        wait_until_ended("PostgreSQL", first_number(pid_file), self._data)
        pid_file.unlink(missing_ok=True)

    def _short_folder(self, opened: ExitStack) -> Path:
        if len(os.fsencode(self._folder / _SOCKET_NAME)) <= _SOCKET_PATH_BYTES:
            return self._folder
        short = Path(tempfile.mkdtemp(prefix="millpond-", dir="/tmp"))
        opened.callback(shutil.rmtree, short, ignore_errors=True)
        if self._account is not None:
            os.chown(short, self._account.uid, self._account.gid)
        return short

    def _configure(self) -> None:
        settings = _SETTINGS | ({} if self._durable else _PERISHABLE)
        settings |= {"port": str(self.port), "unix_socket_directories": str(self._socket_folder)}
        text = "# Written at every start: changes belong into postgresql.auto.conf.\n"
        for name, value in settings.items():
            quoted = value.replace("'", "''")
            text += f"{name} = '{quoted}'\n"
        write_private(self._data / "postgresql.conf", text, self._account)

    def _start_child(self) -> Child:
        self._configure()
        version = first_number(self._data / "PG_VERSION")
        return Child(
            "PostgreSQL",
            [str(programs(version) / "postgres"), "-D", str(self._data)],
            account=self._account,
            folder=self._folder,
            stop_signal=signal.SIGINT,  # PostgreSQL's fast shutdown: sessions are ended
        )

    def _readiness(self, child: Child) -> Callable[[], bool]:
        return partial(_says_ready, self._data / "postmaster.pid", child.pid)

    def _port_was_taken(self, log: str) -> bool:
        return "could not bind" in log


def _says_ready(pid_file: Path, pid: int) -> bool:
    """Read the server's state from its pid file, as pg_ctl does."""
    try:
        lines = pid_file.read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"
