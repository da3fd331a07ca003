"""A private PostgreSQL cluster with TimescaleDB that lives as long as the process using it."""

import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.children import Child
from deploy.errors import ProgramMissing, StartFailed
from deploy.places import (
    Account,
    as_account,
    private_folder,
    remove_folder,
    service_account,
    sole_user,
    write_private,
)
from deploy.ports import LOOPBACK, free_port

INSTALLATIONS = Path("/usr/lib/postgresql")
USER = "millpond"

_START_TIMEOUT_S = 60.0
_START_TRIES = 5
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

# Data of a test need not survive a power cut, and a worker of TimescaleDB that connects to a
# template database would keep it from being cloned.
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


class EmbeddedPostgres:
    """A cluster in a folder of its own, on loopback and a Unix socket only.

    `home` is made at the first start. `durable=False` trades safety in a power cut for speed.
    Start it from a thread that lives as long as the cluster shall (see `Child`).
    """

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self.home = home
        self.port = 0
        self._durable = durable
        self._account: Account | None = None
        self._folder = home
        self._password = ""
        self._child: Child | None = None
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The process id of the running server, or None."""
        return self._child.pid if self._child else None

    def start(self) -> None:
        """Make the cluster if it is new, start it and return when it accepts connections.

        Raises AlreadyRunning when another process runs this cluster, ProgramMissing without an
        installed TimescaleDB, StartFailed with the reason when the server does not come up.
        """
        programs()
        self._account = service_account("postgres")
        self._folder = private_folder(self.home, self._account)
        with ExitStack() as opened:
            opened.enter_context(sole_user(self._folder, "Millpond's database"))
            self._create_cluster()
            self._wait_for_predecessor()
            socket_folder = self._socket_folder(opened)
            self._launch(socket_folder)
            self._open = opened.pop_all()

    def stop(self) -> None:
        """Stop the server and wait until it has ended; without effect when it does not run."""
        if self._child is not None:
            self._child.stop()
            self._child = None
        self._open.close()

    def remove(self) -> None:
        """Stop the server and delete the cluster with all its data."""
        self.stop()
        remove_folder(self.home)

    def url(self, dbname: str = "postgres") -> str:
        """Return the libpq URL of a database of this cluster, password included."""
        return f"postgresql://{USER}:{self._password}@{LOOPBACK}:{self.port}/{dbname}"

    @property
    def _data(self) -> Path:
        return self._folder / "data"

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

    def _wait_for_predecessor(self) -> None:
        """Wait until the server of a killed process is gone; drop the pid file it left.

        The pid in the file may be somebody else's by now: PostgreSQL would then refuse to start.
        """
        pid_file = self._data / "postmaster.pid"
        deadline = time.monotonic() + _START_TIMEOUT_S
        while (pid := _first_number(pid_file)) is not None and _runs_in(pid, self._data):
            if time.monotonic() > deadline:
                raise StartFailed(f"an earlier server (process {pid}) does not end; stop it first")
            time.sleep(0.05)
        pid_file.unlink(missing_ok=True)

    def _socket_folder(self, opened: ExitStack) -> Path:
        if len(os.fsencode(self._folder / _SOCKET_NAME)) <= _SOCKET_PATH_BYTES:
            return self._folder
        short = Path(tempfile.mkdtemp(prefix="millpond-", dir="/tmp"))
        opened.callback(shutil.rmtree, short, ignore_errors=True)
        if self._account is not None:
            os.chown(short, self._account.uid, self._account.gid)
        return short

    def _launch(self, socket_folder: Path) -> None:
        """Start the server; once more with another port when somebody took ours meanwhile."""
        for remaining in reversed(range(_START_TRIES)):
            self.port = free_port()
            self._configure(socket_folder)
            child = self._server()
            try:
                child.wait_until(partial(self._is_ready, child.pid), _START_TIMEOUT_S)
            except StartFailed:
                child.stop()
                if remaining and "could not bind" in child.log_path.read_text(errors="replace"):
                    continue
                raise
            except BaseException:
                child.stop()
                raise
            self._child = child
            return

    def _configure(self, socket_folder: Path) -> None:
        settings = _SETTINGS | ({} if self._durable else _PERISHABLE)
        settings |= {"port": str(self.port), "unix_socket_directories": str(socket_folder)}
        text = "# Written at every start: changes belong into postgresql.auto.conf.\n"
        for name, value in settings.items():
            quoted = value.replace("'", "''")
            text += f"{name} = '{quoted}'\n"
        write_private(self._data / "postgresql.conf", text, self._account)

    def _server(self) -> Child:
        version = _first_number(self._data / "PG_VERSION")
        return Child(
            "PostgreSQL",
            [str(programs(version) / "postgres"), "-D", str(self._data)],
            account=self._account,
            folder=self._folder,
            stop_signal=signal.SIGINT,  # PostgreSQL's fast shutdown: sessions are ended
        )

    def _is_ready(self, pid: int) -> bool:
        """Read the state from the pid file, as pg_ctl does: a port may be somebody else's."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _first_number(path: Path) -> int | None:
    try:
        match = re.match(r"\d+", path.read_text())
    except FileNotFoundError:
        return None
    return int(match.group()) if match else None


def _runs_in(pid: int, folder: Path) -> bool:
    """Say whether a living process has the folder as its current one, as a server's always is."""
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd")) == folder
    except OSError:
        return False
