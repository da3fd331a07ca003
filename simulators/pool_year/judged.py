"""Which verdicts the deliveries of the year deserve, by the bureau's words for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from simulators.pool_year.days import months_on
from simulators.pool_year.scenario import Deliveries, Factory, Year

# Of a report of deliveries: what counts as the same, and up to which share it is merely off.
_SAME, _OFF = 0.01, 0.10


@dataclass(frozen=True, slots=True)
class Verdict:
    """Both words on the twelve months that end before a day; a later report changes one of them."""

    factory: str
    end: date
    fulfilment: str
    consistency: str


def verdicts(year: Year) -> set[Verdict]:
    """Return every verdict of the year, before and after what was reported of it."""
    return {each for factory in year.factories for each in _verdicts(year, factory)}


def _verdicts(year: Year, factory: Factory) -> Iterator[Verdict]:
    if factory.deliveries is None:
        return
    end = months_on(factory.deliveries.first, 12)
    while end <= year.last:
        word = fulfilment(factory.deliveries, end)
        yield Verdict(factory.code, end, word, "unknown")
        if reported(factory, end) is not None:
            yield Verdict(factory.code, end, word, consistency(factory, end))
        end = months_on(end, 1)


def share(deliveries: Deliveries, end: date) -> float:
    """Return the share of lines on time over the twelve months that end before a day."""
    months = [months_on(end, -number) for number in range(1, 13)]
    # Of the months before the first one nothing is known.
    known = [month for month in months if month >= deliveries.first]
    return sum(map(deliveries.on_time, known)) / (deliveries.lines * len(known))


def fulfilment(deliveries: Deliveries, end: date) -> str:
    """Return how much of the promised improvement is kept, as a word."""
    gained = share(deliveries, end) - deliveries.before
    kept = gained / (deliveries.expected - deliveries.before)
    words = ((1.05, "over"), (0.95, "met"), (0.5, "partly"), (0.0, "missed"))
    return next((word for least, word in words if kept >= least), "worse")


def reported(factory: Factory, end: date) -> date | None:
    """Return the day on which the year that ends so was reported on, if it was."""
    for report in factory.reports:
        if report.kind == "Q" and months_on(report.start, 3) == end:
            return next((act.on for act in report.acts if act.do == "submit"), None)
    return None


def consistency(factory: Factory, end: date) -> str:
    """Return whether the report of a year says what is so, as a word."""
    assert factory.deliveries is not None
    so = share(factory.deliveries, end)
    (report,) = [
        each for each in factory.reports if each.kind == "Q" and months_on(each.start, 3) == end
    ]
    apart = abs((so if report.claims is None else report.claims) - so)
    if apart <= _SAME:
        return "same"
    return "off" if apart - _SAME <= _OFF * so else "false"
