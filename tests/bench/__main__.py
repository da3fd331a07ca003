"""Measure, and print one table; how the numbers turn out does not change the exit status."""

import sys

from rich.console import Console
from rich.table import Table

from deploy.errors import DeployError
from store.errors import StoreError
from tests.bench import accepting
from tests.bench.ratio import Ratio
from tests.support.database import ensure_template, throwaway_cluster

_WIDTH = 132  # wide enough for a row a line, also where no terminal says its own


def main() -> int:
    """Return 0 once everything was measured, 1 where it cannot be."""
    try:
        with throwaway_cluster() as cluster:
            ensure_template(cluster.url())
            ratios = list(accepting.measure(cluster.url()))
    except (DeployError, StoreError) as error:
        print(f"the measurement cannot run: {error}", file=sys.stderr)
        return 1
    Console(width=_WIDTH).print(_table(ratios))
    return 0


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
