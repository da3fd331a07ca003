"""Starts an embedded service, prints its process id and waits to be killed.

Run by tests as `python -m tests.deploy.starter postgres|broker HOME`.
"""

import signal
import sys
from pathlib import Path

from deploy.broker import EmbeddedBroker
from deploy.embedded import EmbeddedPostgres
from deploy.service import Service


def main() -> None:
    """Start the service named on the command line."""
    kind, home = sys.argv[1:]
    service: Service = (
        EmbeddedPostgres(Path(home), durable=False)
        if kind == "postgres"
        else EmbeddedBroker(Path(home))
    )
    with service:
        print(service.pid, flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
