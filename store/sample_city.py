"""Filling a database with a sample city: rows in bulk, past the gateways and the jobs."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from store.db import Connection, transaction
from store.pgcopy import PG_EPOCH_US, encode
from store.queries import query

Table = Literal["figures", "verdicts", "reports", "findings"]

_COPIES: dict[Table, str] = {
    "figures": "city_figures",
    "verdicts": "city_verdicts",
    "reports": "city_reports",
    "findings": "city_findings",
}


def factories(conn: Connection, prefix: str) -> list[tuple[int, str]]:
    """Return number and code of the factories whose code begins so, by code."""
    with transaction(conn):
        rows = conn.execute(query("city_factories"), {"prefix": prefix})
        return [(row[0], row[1]) for row in rows]


def equip(conn: Connection, factory_ids: Sequence[int]) -> list[tuple[int, int]]:
    """Give factories a machine, a meter and a gateway each; return assets with their factory."""
    with transaction(conn):
        rows = conn.execute(query("city_equipment"), {"factories": list(factory_ids)})
        return [(row[0], row[1]) for row in rows]


def heard(conn: Connection, last: Mapping[int, datetime]) -> None:
    """Say when each factory's gateway was last heard of."""
    with transaction(conn):
        values = {"factories": list(last), "ats": list(last.values())}
        conn.execute(query("city_batches"), values)


def figure_numbers(conn: Connection, count: int) -> int:
    """Take numbers for so many figures and return the first of them."""
    with transaction(conn):
        row = conn.execute(query("city_figure_numbers"), {"count": count}).fetchone()
    assert row is not None
    return int(row[1])


def copy(conn: Connection, table: Table, rows: Iterable[Sequence[Any]]) -> int:
    """Add rows in the order of the statement's columns and return how many there were."""
    count = 0
    with transaction(conn), conn.cursor().copy(query(_COPIES[table])) as out:
        for row in rows:
            out.write_row(row)
            count += 1
    return count


def copy_facts(conn: Connection, columns: Mapping[str, npt.NDArray[Any]]) -> None:
    """Add hour facts; the columns stand in the statement's order, hours as µs since 1970."""
    found = dict(columns) | {"hour": columns["hour"] - np.int64(PG_EPOCH_US)}
    with transaction(conn), conn.cursor().copy(query("city_facts")) as out:
        for piece in encode(found):
            out.write(piece)


def analyze(conn: Connection) -> None:
    """Let the database look at what was filled in."""
    with transaction(conn):
        conn.execute(query("city_analyze"))
