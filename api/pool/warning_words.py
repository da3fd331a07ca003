"""The numbers of a rule as people read them: those of a KPI as its own pages show them."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from api import kpis
from api.formats import kpi_value, percent, signed_percent
from api.kpis import Kpi
from kpi.plausibility import rules

# Numbers that are values of the KPI that stands beside them, and those that are shares of a whole.
_VALUES = ("reported", "verified", "before")
_SHARES = ("share", "least")
_DAY = timedelta(days=1)


def shown(numbers: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Return the numbers of a rule with words, units and percent, in zh or en."""
    found = dict(numbers)
    if "period_end" in found:
        # Periods end before a day; people name their last one.
        found["period_end"] = (date.fromisoformat(found["period_end"]) - _DAY).isoformat()
    if found.get("rule") in rules():
        check = rules()[found["rule"]]
        found["rule"] = f"{check.id} {check.name_en if language == 'en' else check.name_zh}"
    for name in _SHARES:
        if isinstance(found.get(name), int | float):
            found[name] = percent(found[name], 1 if name == "share" else 0)
    if kpis.known(str(found.get("kpi"))):
        kpi = kpis.by_id(found["kpi"])
        found["kpi"] = kpi.name(language)
        for name in _VALUES:
            if name in found:
                found[name] = _value(kpi, found[name], language)
        if isinstance(found.get("deviation"), int | float):
            found["deviation"] = signed_percent(found["deviation"])
    return found


def bare(numbers: Mapping[str, Any]) -> str:
    """Return numbers that no sentence is known for."""
    return ", ".join(f"{name} = {value}" for name, value in numbers.items())


def _value(kpi: Kpi, given: Any, language: str) -> str:
    if isinstance(given, list):
        return " → ".join(_value(kpi, each, language) for each in given)
    text = kpi_value(kpi, given)
    return text if given is None else f"{text} {kpi.shown_unit(language)}"
