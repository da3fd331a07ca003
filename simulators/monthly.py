"""Monthly books beside cost and stock: people, output value, energy invoices, projects."""

from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean, median

import numpy as np

from simulators import clock, noise
from simulators.energy import Feed
from simulators.events import Event
from simulators.finance import Month
from simulators.model import Meter
from simulators.model_systems import Books, Invoice, People

_HOUR_US = 3600 * clock.SECOND_US
YUAN_PER_UNIT = 10_000.0


@dataclass(frozen=True, slots=True)
class Project:
    """A development project by its number; local dates."""

    project: str
    approved_on: date
    released_on: date

    @property
    def days(self) -> int:
        """Return the days from approval to release."""
        return (self.released_on - self.approved_on).days


def employees(people: People, stream: int, first: date, renovation: date) -> int:
    """Return the people employed at the end of the month that starts on a first of month."""
    base = people.before if first < renovation else people.after
    moved = float(noise.uniform(stream, first.year * 12 + first.month))
    return base + round(0.02 * base * (2 * moved - 1))


def output_value_yuan(books: Books, month: Month) -> int:
    """Return the value of a month's output at constant prices."""
    return round(month.cogs_yuan * books.value_of_cogs)


def projects(books: Books, stream: int, first: date, last: date, renovation: date) -> list[Project]:
    """Return the projects released in the years of [first, last], in order of their release."""
    rules, found = books.research, []
    for year in range(first.year, last.year + 1):
        for number in range(rules.releases_a_year):
            share = noise.uniform(stream, year, number, [0, 1]).tolist()
            whole = number + 0.1 + 0.8 * share[0]
            released = date(year, 1, 1) + timedelta(days=int(364 * whole / rules.releases_a_year))
            usual = rules.days_before if released < renovation else rules.days_after
            days = round(usual * (0.85 + 0.3 * share[1]))
            name = f"RD{year % 100}-{number + 1:02d}"
            found.append(Project(name, released - timedelta(days=days), released))
    return [each for each in found if first <= each.released_on <= last]


def headcount(counts: dict[date, int], first: date, end: date) -> float:
    """Return the mean of the month-ends of [first, end)."""
    return fmean(count for month, count in counts.items() if first <= month < end)


def rd_cycle(found: list[Project], first: date, end: date) -> float | None:
    """Return the median days of the projects released in [first, end), of three at least."""
    days = [each.days for each in found if first <= each.released_on < end]
    return float(median(days)) if len(days) >= 3 else None


def month_events(books: Books, month: Month, people: int) -> list[Event]:
    """Return what the books of a closed month say of people and output."""
    name, day = f"{month.first:%Y-%m}", month.last_day.isoformat()
    closing = _closing_us(month.first)
    crew = {
        "month": name,
        "day": day,
        "employees": people,
        "agency": people // 20,
        "production": round(people * books.people.production_share),
    }
    value = {
        "month": name,
        "day": day,
        "value_yuan": output_value_yuan(books, month),
        "price_year": books.price_year,
    }
    return [
        Event(closing + 3 * _HOUR_US, "erp/headcount", "headcount", name, day, crew),
        Event(closing + 4 * _HOUR_US, "erp/output_value", "output_value", name, day, value),
    ]


def invoice_event(
    invoice: Invoice, meter: Meter, feed: Feed, first: date, times: float = 1.0
) -> Event:
    """Return the supplier's invoice of a month: what truly flowed, in the meter's unit.

    It bills so many times that, where a trouble makes it wrong.
    """
    closing = _closing_us(first)
    edges = np.array([clock.midnight_us(clock.day_number(first)), closing], np.int64)
    quantity = round(float(np.diff(feed.total(edges))[0]) * times, 1)
    last = clock.add_months(first, 1) - timedelta(days=1)
    body = {
        "id": f"{invoice.number}-{first:%Y%m}:{meter.carrier}",
        "invoice": f"{invoice.number}-{first:%Y%m}",
        "carrier": meter.carrier,
        "first_day": first.isoformat(),
        "last_day": last.isoformat(),
        "quantity": quantity,
        "unit": meter.unit,
        "amount_yuan": round(quantity * invoice.price_yuan, 2),
        "meter": meter.code,
        "green_quantity": round(quantity * invoice.green_share, 1),
    }
    sent_us = closing + 2 * clock.DAY_US + 10 * _HOUR_US
    key = str(body["id"])
    return Event(sent_us, "erp/energy_invoice", "energy_invoice", key, last.isoformat(), body)


def project_event(project: Project) -> Event:
    """Return the release of a project, sent on its morning."""
    released = project.released_on.isoformat()
    body = {
        "project": project.project,
        "class": "常规",
        "approved_on": project.approved_on.isoformat(),
        "released_on": released,
    }
    sent_us = clock.midnight_us(clock.day_number(project.released_on)) + 9 * _HOUR_US
    return Event(sent_us, "plm/rd_project", "rd_project", project.project, released, body)


def _closing_us(first: date) -> int:
    return clock.midnight_us(clock.day_number(clock.add_months(first, 1)))
