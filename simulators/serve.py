"""Serves one plant live: python -m simulators.serve --scenario machining --as-of ISO ...

SIGTERM and SIGINT stop it; SIGUSR1 cuts the machine network (OPC UA and Modbus) and, sent
again, joins it.
"""

import argparse
import asyncio
import json
import logging
import signal
import sys
from datetime import datetime

from simulators import scenarios
from simulators.errors import SimulatorError
from simulators.live import Live, build_live, wall_clock_us

# Together less than the three seconds within which a stop is promised.
_STOP_S = 2.5


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; return 0, or 1 after one line that says what is wrong."""
    options = _parser().parse_args(arguments)
    # On loopback the server offers no security on purpose and need not say so each time.
    logging.getLogger("asyncua").setLevel(logging.ERROR)
    try:
        asyncio.run(_serve(options))
    except (SimulatorError, OSError, RuntimeError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 1
    return 0


async def _serve(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    scenario = scenarios.load(options.scenario)
    live = Live(await asyncio.to_thread(build_live, scenario, options.as_of, wall_clock_us()))
    toggles: set[asyncio.Task[None]] = set()

    def toggle() -> None:
        # One at a time: a second signal during a change is the sender's mistake.
        if not any(not task.done() for task in toggles):
            toggles.clear()
            toggles.add(loop.create_task(live.toggle_link()))

    try:
        ports = await live.start(options.opcua_port, options.modbus_port, options.mqtt_port)
        loop.add_signal_handler(signal.SIGUSR1, toggle)
        ready = {"ready": True, "opcua_port": ports.opcua, "modbus_port": ports.modbus}
        print(json.dumps(ready), flush=True)
        await live.run(stop)
    finally:
        await asyncio.wait_for(live.stop(), _STOP_S)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="simulators.serve", description=__doc__)
    parser.add_argument("--scenario", required=True, choices=scenarios.names())
    parser.add_argument("--as-of", required=True, type=_moment, help="ISO time with its offset")
    parser.add_argument("--mqtt-port", required=True, type=int, help="broker on 127.0.0.1")
    parser.add_argument("--opcua-port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--modbus-port", type=int, default=0, help="0 takes a free port")
    return parser


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError("give the offset too, such as 2026-11-22T08:00:00+08:00")
    return moment


if __name__ == "__main__":
    sys.exit(main())
