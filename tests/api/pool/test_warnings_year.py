"""A simulated year, night by night: exactly the warnings and proposals that its truth names."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

import pytest

import store
from api.pool import membership, night, settings, workdays
from api.pool.workdays import ZONE
from simulators import pool_year
from simulators.pool_year import Expected, Factory, Year
from store import memberships, warnings
from tests.api.pool.feeds import Feed
from tests.api.pool.pooled import CLERK, Pooled
from tests.store.samples import with_plan

_DAY = timedelta(days=1)
_PEOPLE = ("示例甲", "示例乙")


@dataclass
class World:
    """One factory of the scenario in the database, and the people who act on it."""

    pooled: Pooled
    feed: Feed
    script: Factory
    findings: dict[str, int] = field(default_factory=dict)

    @classmethod
    def load(cls, conn: store.Connection, script: Factory, year: Year) -> "World":
        """Let the factory enter and send what it sends, as far as it does not come late."""
        pooled = Pooled(conn, with_plan(conn, script.code, machines=1), factory=script.code)
        with store.transaction(conn):
            policy = settings.current(conn, year.entered)
            membership.enter(
                conn, CLERK, pooled.factory_id, year.entered, policy,
                comment="", now=_at(year.entered, time(9)),
            )  # fmt: skip
        feed = Feed(conn, pooled.factory_id, script.code)
        first = year.entered
        for stop in script.stops:
            feed.stop(*stop["span"], stop["filed"])
        for begins, ends in script.silent:
            feed.facts(first, begins)
            first = ends + _DAY
        feed.facts(first, year.last + _DAY)
        for each in script.shares:
            feed.facts(each["span"][0], each["span"][1] + _DAY, each["share"])
        for day in year.days:
            if not script.is_silent(day):
                feed.heard(_at(day, time(0, 30)))
        return cls(pooled, feed, script)

    def before_night(self, day: date) -> None:
        """Let come what comes before the night of a day."""
        for first, last in self.script.silent:
            if last + _DAY == day and not self.script.is_stopped(first):
                self.feed.facts(first, day)
        for each in self.script.verdicts:
            if each["on"] == day:
                self.feed.verdict("oee", each["end"], each["word"])
        for each in self.script.reports:
            if each["on"] == day:
                self.feed.report("oee", each["end"], day)
                self.feed.verdict("oee", each["end"], "met", each["word"])
        for each in self.script.findings:
            if each["found"] == day:
                self.findings[each["check"]] = self.feed.finding(each["check"], each["month"], day)
            if each["cleared"] == day:
                self.feed.finding_cleared(self.findings[each["check"]], day)

    def by_day(self, day: date) -> None:
        """Let people do what they do on a day."""
        self.pooled.now = _at(day, time(10))
        for each in self.script.accidents:
            if each["on"] == day:
                self.pooled.record("county_officer", "accident", what="safety", document="示例文号")
            if each["ordered"] == day:
                self.pooled.move("city_officer", "order_rectification", "期满未消除")
            if each["passed"] == day:
                self.pooled.record("ent_filler", "rectification_report")
                self.pooled.record("county_officer", "site_check", people=_PEOPLE, passed=True)
                self.pooled.move("city_leader", "pass_rectification")


@pytest.fixture
def year() -> Year:
    """The scenario."""
    return pool_year.load()


def test_a_year_leads_to_exactly_the_warnings_and_proposals_of_its_truth(
    db: store.Connection, year: Year
) -> None:
    worlds = [World.load(db, each, year) for each in year.factories]
    for day in year.days:
        for world in worlds:
            world.before_night(day)
        found = night.run(db, _at(day, time(1, 30)))
        assert found is not None
        assert found.failures == {}
        for world in worlds:
            world.by_day(day)
    assert set(_made(db)) == pool_year.truth(year)
    assert len(list(_made(db))) == len(pool_year.truth(year))
    # Whoever has nothing open is where everybody begins, and by the machine's steps alone.
    for world in worlds:
        assert world.pooled.membership().state == "cultivating"
    (calm,) = [each for each in worlds if each.script.code == "calm"]
    assert len(memberships.steps(db, calm.pooled.membership().membership_id)) == 1


def test_the_truth_of_the_year_names_every_kind_of_warning(year: Year) -> None:
    truth = pool_year.truth(year)
    assert {each.rule for each in truth} == {
        "silent", "completeness", "worse", "inconsistent", "implausible", "accident",
        "deadline_passed",
    }  # fmt: skip
    assert all(each.factory != "calm" for each in truth)
    assert Expected("silent", "silent", date(2026, 3, 13), date(2026, 3, 21)) in truth
    assert Expected("worse", "deadline_passed", date(2026, 8, 6), date(2026, 10, 6)) in truth


def _made(db: store.Connection) -> Iterator[Expected]:
    for warned in warnings.listed(db, cleared=True, most=1000):
        ended = warned.cleared_at and workdays.today(warned.cleared_at)
        yield Expected(warned.factory, warned.rule, workdays.today(warned.fired_at), ended)
    for proposed in warnings.proposals(db, ended=True, most=1000):
        ended = proposed.ended_at and workdays.today(proposed.ended_at)
        yield Expected(proposed.factory, proposed.rule, workdays.today(proposed.made_at), ended)


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, ZONE)
