"""How the verbs of `millpond kpi` word a figure for a person."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from deploy.commands.common import console

# A terminal of fewer columns gets the id of a KPI alone; its name is in the forms for programs.
_WIDE = 110


def is_wide() -> bool:
    """Tell whether there is room for names in Chinese and for revisions."""
    return console.width >= _WIDE


def titled(title: str) -> Table:
    """Return a table of figures, tight enough for 80 columns."""
    return Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, collapse_padding=True, pad_edge=False
    )


def covered(key_equipment: Mapping[str, Any] | None) -> Iterator[RenderableType]:
    """Yield for how much of the registered key equipment an OEE speaks."""
    from api.messages import Texts
    from api.pages.words import key_equipment as words

    if key_equipment is not None:
        yield Text(f"  oee: {words(Texts('en'), key_equipment)}")


def named(kpi_id: str, unit: str) -> tuple[str, str]:
    """Return the name of a KPI and the unit that a person reads; English is shorter."""
    from api import kpis

    if not kpis.known(kpi_id):
        return kpi_id, unit
    found = kpis.by_id(kpi_id)
    return found.zh, found.shown_unit_zh if is_wide() else found.shown_unit_en


def amount(kpi_id: str, found: float | None) -> str:
    """Return a value in the unit that a person reads."""
    from api import kpis
    from api.formats import NOTHING, kpi_value

    if not kpis.known(kpi_id):
        return NOTHING if found is None else f"{found:g}"
    return kpi_value(kpis.by_id(kpi_id), found)
