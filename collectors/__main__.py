"""`python -m collectors FILE`: one gateway as one process, until SIGTERM or SIGINT."""

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from collectors import logs
from collectors.config.file import GatewayConfig, load
from collectors.errors import CollectorError
from collectors.gateway import run


def main(arguments: list[str]) -> int:
    """Run a gateway; returns 0 after a stop by signal, 1 with one plain message otherwise."""
    if len(arguments) != 1:
        print("usage: python -m collectors FILE", file=sys.stderr)
        return 2
    logs.set_up()
    try:
        config = load(Path(arguments[0]))
        asyncio.run(run_until_signalled(config))
    except CollectorError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


async def run_until_signalled(
    config: GatewayConfig, beat: Callable[[], None] = lambda: None
) -> None:
    """Run a gateway until SIGTERM or SIGINT; SIGHUP makes it read its file again at once.

    `beat` is called every second while it works.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    reload = asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    await run(config, stop=stop, reload=reload, beat=beat)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
