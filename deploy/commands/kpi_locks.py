"""`millpond kpi lock`, `unlock` and `locks`."""

from contextlib import closing
from dataclasses import asdict
from getpass import getuser
from typing import Annotated

import typer

import store
from deploy.commands.common import DatabaseOption, JsonOption, console, database_url, print_json
from deploy.commands.output import folding
from store import locks, registry

_Factory = Annotated[str, typer.Argument(help="Code of the factory.")]
_Period = Annotated[str, typer.Argument(help="A month, 2026-03, or a year, 2025-04..2026-03.")]
_Actor = Annotated[
    str | None, typer.Option("--actor", help="Who does it; by default the account's name.")
]


def lock(
    factory: _Factory, period: _Period, actor: _Actor = None, database: DatabaseOption = None
) -> None:
    """Settle a closed period: its figures stay, whatever comes later stands beside them.

    Example: `millpond kpi lock DEMO-FIBRE 2026-03`
    """
    with closing(store.connect(database_url(database))) as conn:
        locks.lock(conn, _settled(conn, factory, period), actor or getuser())
    print(f"locked {period} of {factory}")


def unlock(
    factory: _Factory,
    period: _Period,
    reason: Annotated[str, typer.Option(help="Why the figures may change; it is kept.")],
    actor: _Actor = None,
    database: DatabaseOption = None,
) -> None:
    """Open a settled period again, for a reason; the next refresh forms its figures anew.

    Example: `millpond kpi unlock DEMO-FIBRE 2026-03 --reason "meter exchange was filed late"`
    """
    with closing(store.connect(database_url(database))) as conn:
        locks.unlock(conn, _settled(conn, factory, period), actor or getuser(), reason)
    print(f"unlocked {period} of {factory}; `millpond kpi refresh` forms its figures again")


def listed(
    factory: _Factory,
    ended: Annotated[bool, typer.Option("--all", help="Also locks that were ended.")] = False,
    as_json: JsonOption = False,
    database: DatabaseOption = None,
) -> None:
    """List settled periods and the new values that stand beside their figures.

    Example: `millpond kpi locks DEMO-FIBRE`
    """
    from kpi.provenance.basis import named_period  # slow to import
    from kpi.reasons import said

    with closing(store.connect(database_url(database))) as conn:
        found = registry.factory_by_code(conn, factory)
        held = locks.locks(conn, found.factory_id, ended_too=ended)
        pending = locks.pending(conn, found.factory_id)
    if as_json:
        from kpi.reasons import published

        waiting = [published(asdict(one)) for one in pending]
        print_json({"locks": [asdict(one) for one in held], "pending": waiting})
        return
    table = folding("period", "locked by", "at", "unlocked by", "at", "reason")
    for one in held:
        table.add_row(
            named_period(one.period_kind, one.period_start, one.period_end),
            *(one.locked_by, f"{one.locked_at:%Y-%m-%d %H:%M}", one.unlocked_by or ""),
            f"{one.unlocked_at:%Y-%m-%d %H:%M}" if one.unlocked_at else "",
            one.reason or "",
        )
    if held:
        console.print(table)
    else:
        print(f"no period of {factory} is locked")
    for new in pending:
        period = named_period(new.period_kind, new.period_start, new.period_end)
        value = (
            said(new.reason, "en")
            if new.point is None
            else f"{new.point:.6g} {new.unit}".removesuffix(" 1")
        )
        print(f"{new.kpi} {period} would be: {value}")


def _settled(conn: store.Connection, code: str, period: str) -> locks.Settled:
    from kpi.provenance.basis import period as read  # slow to import

    factory = registry.factory_by_code(conn, code)
    return locks.Settled(factory.factory_id, *read(period))
