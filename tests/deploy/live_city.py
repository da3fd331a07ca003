"""The demo without its past: one live plant and the pages, until Ctrl-C or SIGTERM.

Run by tests as `python -m tests.deploy.live_city URL MQTT_PORT HOME PAGE_PORT`.
"""

import sys
from contextlib import ExitStack, closing
from pathlib import Path

from rich.console import Console

import simulators.scenarios
import store
from deploy.demo import city, live
from deploy.demo.steps import Steps
from deploy.signals import stopped_by_sigterm
from simulators.plant import build
from store import plans

SCENARIO = "fibre"


def main() -> None:
    """Load the plan, go live and stay."""
    url, mqtt_port, home, page_port = sys.argv[1:]
    as_of = live.utc_now()
    with closing(store.connect(url)) as conn:
        plans.load_plan(conn, build(simulators.scenarios.load(SCENARIO), as_of).plan())
    console = Console(width=100)
    with ExitStack() as opened:
        opened.enter_context(stopped_by_sigterm())
        plants = live.live_plants([SCENARIO], as_of, int(mqtt_port), url, Path(home))
        city.go_live(opened, Steps(console), plants, url)
        city.stay(opened, console, url, int(page_port))


if __name__ == "__main__":
    main()
