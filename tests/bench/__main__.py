"""Measure, and print one table; how the numbers turn out does not change the exit status.

`--minutes 5` runs the steady streams for so long; without it they take half a minute each.
`--only WORD` leaves out what has another name: accepting, modbus, collecting, facts, refreshing,
pool, sharing, memory, sustained. `--machines 100` and `--factories 1000` give memory, and
refreshing and pool, their full size; without them they are small.
"""

import argparse
import sys
from collections.abc import Callable, Iterable

from rich.console import Console
from rich.table import Table

from deploy.errors import DeployError
from store.errors import StoreError
from tests.bench import (
    accepting,
    collecting,
    facts,
    modbus_requests,
    pool,
    recomputing,
    refreshing,
    sustained,
)
from tests.bench.ratio import Ratio
from tests.support.database import ensure_template, scratch_home, throwaway_cluster

_IN_MEMORY = 10  # machines
_WIDTH = 132  # wide enough for a row a line, also where no terminal says its own


def main() -> int:
    """Return 0 once everything was measured, 1 where it cannot be."""
    asked = _arguments()
    console = Console(width=_WIDTH)
    try:
        with throwaway_cluster(scratch_home("bench")) as cluster:
            ensure_template(cluster.url())
            ways: dict[str, Callable[[], Iterable[Ratio]]] = {
                "accepting": lambda: accepting.measure(cluster.url()),
                "modbus": modbus_requests.measure,
                "collecting": lambda: collecting.measure(cluster.url()),
                "facts": lambda: facts.measure(cluster.url()),
                "refreshing": lambda: refreshing.measure(cluster.url(), asked.factories),
                "pool": lambda: pool.measure(cluster.url(), asked.factories),
                "sharing": lambda: recomputing.sharing(cluster.url()),
            }
            wanted = [way for name, way in ways.items() if asked.only in (None, name)]
            if ratios := [ratio for way in wanted for ratio in way()]:
                console.print(_table(ratios))
            if asked.only in (None, "memory"):
                for line in recomputing.memory(cluster.url(), asked.machines):
                    console.print(line)
            if asked.only in (None, "sustained"):
                for stream in sustained.measure(cluster.url(), asked.minutes):
                    console.print(str(stream))
    except (DeployError, StoreError, RuntimeError) as error:
        print(f"the measurement cannot run: {error}", file=sys.stderr)
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--minutes", type=float, default=0.5)
    parser.add_argument("--machines", type=int, default=3)
    parser.add_argument("--factories", type=int, default=50)
    names = ("accepting", "modbus", "collecting", "facts", "refreshing", "pool", "sharing")
    parser.add_argument("--only", choices=(*names, "memory", "sustained"))
    return parser.parse_args()


def _table(ratios: list[Ratio]) -> Table:
    table = Table(title="Ratios, median of the repeats")
    for name in ("what", "against"):
        table.add_column(name)
    for name in ("ratio", "lowest", "highest", "at least", "holds", "of this machine"):
        table.add_column(name, justify="right")
    for ratio in ratios:
        table.add_row(
            ratio.what,
            ratio.against,
            f"{ratio.value:.2f}",
            f"{min(ratio.values):.2f}",
            f"{max(ratio.values):.2f}",
            f"{ratio.target:.2f}",
            "yes" if ratio.holds else "no",
            ratio.note,
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
