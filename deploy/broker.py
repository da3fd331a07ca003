"""A private MQTT broker (mosquitto) that lives as long as the process using it."""

import signal
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from deploy.children import Child
from deploy.errors import ProgramMissing
from deploy.places import write_private
from deploy.service import Service

PROGRAM = Path("/usr/sbin/mosquitto")

# By default mosquitto keeps 1000 messages for a client that is away and drops the rest without
# telling the publisher, which got its acknowledgement. The raised limits hold what a collector
# misses while it restarts; beyond them `$SYS/broker/publish/messages/dropped` counts the loss.
_CONFIG = """\
# Written at every start.
listener {port} {address}
allow_anonymous true
max_queued_messages 100000
max_inflight_messages 1000
persistence true
persistence_location {folder}/
autosave_interval 10
sys_interval 5
connection_messages false
log_dest stderr
log_timestamp_format %Y-%m-%dT%H:%M:%S%z
log_type error
log_type warning
log_type notice
log_type information
"""


class EmbeddedBroker(Service):
    """A broker in a folder of its own, on loopback only, open to every local program.

    What it holds for absent clients survives a stop; a broker that is killed loses what came in
    during the last ten seconds.
    """

    name = "Millpond's broker"
    account_name = "mosquitto"
    start_timeout_s = 20.0

    @property
    def url(self) -> str:
        """The address for MQTT clients, `mqtt://127.0.0.1:PORT`."""
        return f"mqtt://{self.host}:{self.port}"

    def _check_installed(self) -> None:
        if not PROGRAM.exists():
            raise ProgramMissing("mosquitto is not installed: run `make setup`")

    def _prepare(self, opened: ExitStack) -> None:
        """Nothing: the broker makes its own files."""

    def _start_child(self) -> Child:
        config = self._folder / "mosquitto.conf"
        text = _CONFIG.format(port=self.port, address=self.host, folder=self._folder)
        write_private(config, text, self._account)
        return Child(
            "mosquitto",
            [str(PROGRAM), "-c", str(config)],
            account=self._account,
            folder=self._folder,
            stop_signal=signal.SIGTERM,
        )

    def _readiness(self, child: Child) -> Callable[[], bool]:
        return partial(_says_running, child.log_path)

    def _port_was_taken(self, log: str) -> bool:
        return "Address already in use" in log


def _says_running(log_path: Path) -> bool:
    return any(line.endswith(" running") for line in log_path.read_text().splitlines())
