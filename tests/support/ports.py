"""Ports for servers that a test starts later, or again, on a port that it chose before."""

import os
import random
from contextlib import suppress
from itertools import count

from deploy.errors import PortTaken
from deploy.ports import require_free

# Below what systems give to connections and to whoever asks for any port: nobody gets one of these
# between its choice and the start of its server, nor while that server is away.
_FIRST, _ROOM, _MOST_WORKERS = 12_000, 2_500, 8
_TRIES = 500

_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _MOST_WORKERS
# Runs beside each other on one machine begin at different places.
_places = count(random.SystemRandom().randrange(_ROOM))


def free_port() -> int:
    """Return a loopback TCP port that nobody listens on and that was not given out lately.

    Workers in parallel have a range each.
    """
    for _ in range(_TRIES):
        port = _FIRST + _worker * _ROOM + next(_places) % _ROOM
        with suppress(PortTaken):
            require_free(port)
            return port
    raise AssertionError(f"{_TRIES} ports in a row are taken")
