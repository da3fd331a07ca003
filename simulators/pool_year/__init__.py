"""A year of a small pool, and all that a correct system must make of it, to the day.

The truth is found by walking through the scenario, by code that shares nothing with the rules that
it tests. Nights are at 01:30 local; what people do on a day they do by day, so that the next night
is the first to see it.
"""

from simulators.pool_year.asked import Notice, Todo, notices, todos
from simulators.pool_year.filed import Filing, filings
from simulators.pool_year.judged import Verdict, verdicts
from simulators.pool_year.lettered import Letter, letters
from simulators.pool_year.scenario import Factory, Year, load
from simulators.pool_year.stays import proposals
from simulators.pool_year.warned import Expected, warnings

__all__ = [
    "Expected", "Factory", "Filing", "Letter", "Notice", "Todo", "Verdict", "Year", "filings",
    "letters", "load", "notices", "proposals", "todos", "verdicts", "warnings",
]  # fmt: skip
