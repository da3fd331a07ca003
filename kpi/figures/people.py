"""Records of people and of development projects, as the figures read them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from kpi.errors import NotComputable
from kpi.formulas.checks import non_negative
from kpi.reasons import because


@dataclass(frozen=True, slots=True)
class Project:
    """A development project from its approval to its first release; local dates."""

    key: str
    approved: date
    released: date | None
    cancelled: date | None
    product_class: str | None

    @property
    def days(self) -> int | None:
        """Return the days from approval to release, None while it runs or when it was given up."""
        return None if self.released is None else (self.released - self.approved).days


def employees(body: Mapping[str, Any]) -> tuple[date, float]:
    """Return the first of a month and the people employed at its end; raises NotComputable."""
    given = body.get("employees")
    if isinstance(given, str) and given.isdecimal():
        given = int(given)
    return _day("month", f"{body.get('month')}-01"), non_negative("employees", given)


def project(body: Mapping[str, Any]) -> Project:
    """Return a project; one that was released before its approval raises NotComputable."""
    found = Project(
        key=str(body.get("project")),
        approved=_day("approved_on", body.get("approved_on")),
        released=_optional_day("released_on", body.get("released_on")),
        cancelled=_optional_day("cancelled_on", body.get("cancelled_on")),
        product_class=_text(body.get("class")),
    )
    if found.days is not None and found.days < 0:
        raise NotComputable(because("released_before_approved"))
    return found


def _text(given: object) -> str | None:
    return str(given) if isinstance(given, str | int) else None


def _optional_day(name: str, given: Any) -> date | None:
    return None if given is None else _day(name, given)


def _day(name: str, given: Any) -> date:
    try:
        return date.fromisoformat(given)
    except (TypeError, ValueError) as error:
        raise NotComputable(because("no_date", name=name, given=repr(given))) from error
