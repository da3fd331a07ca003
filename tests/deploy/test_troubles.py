"""Troubles of the sample factories on their whole way: rows, batches, database, facts, findings."""

from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, datetime

import pytest

import simulators.scenarios
import store
from deploy.demo.history import Sender
from kpi import jobs
from kpi.jobs.finding_job import check_factory
from simulators import clock, history
from simulators.model import Scenario, Trouble
from simulators.plant import Plant, build
from store import batches, findings, plans, registry
from tests.support.database import cloned_database

AS_OF = datetime.fromisoformat("2026-03-10T10:37:20+08:00")
# Order lines that are shipped in a month were due some time before or after it.
_BOOKS_US = 100 * clock.DAY_US


@dataclass(frozen=True)
class Story:
    """A plant and the months, counted from its renovation, that were sent and checked."""

    plant: Plant
    months: tuple[int, ...]
    found: set[tuple[str, str, str, str]]

    def of(self, *severities: str) -> set[tuple[str, str, str, str]]:
        """Return month, rule, severity and subject of what was found."""
        return {each for each in self.found if each[2] in severities}

    def answers(self, month: int, rules: set[str]) -> set[tuple[str, str]]:
        """Return what some rules said in a month: rule and severity."""
        name = f"{clock.add_months(self.plant.renovation, month):%Y-%m}"
        return {(each[1], each[2]) for each in self.found if each[0] == name and each[1] in rules}

    @property
    def expected(self) -> set[tuple[str, str, str, str]]:
        """Return what the truth of the plant foresees for these months."""
        months = {f"{clock.add_months(self.plant.renovation, each):%Y-%m}" for each in self.months}
        return {
            (each["month"], each["rule"], each["severity"], each["subject"])
            for each in self.plant.truth()["findings"]
            if each["month"] in months
        }


def _told(server: str, scenario: Scenario, *months: int) -> Story:
    """Send whole months of a scenario through batches, and check each."""
    plant = build(scenario, AS_OF, 2)
    found = set()
    with cloned_database(server) as url, closing(store.connect(url)) as conn:
        plans.load_plan(conn, plant.plan())
        factory = registry.factory_by_code(conn, scenario.factory.code)
        firsts = [clock.add_months(plant.renovation, each) for each in months]
        for first in firsts:
            _send(conn, plant, first)
        jobs.run_facts(url, AS_OF)
        for first in firsts:
            check_factory(conn, factory, AS_OF, first)
            found |= {
                (f"{first:%Y-%m}", each.rule, each.severity, each.subject)
                for each in findings.listed(conn, factory.factory_id, month=first)
            }
    return Story(plant, months, found)


def _send(conn: store.Connection, plant: Plant, first: date) -> None:
    start, end = (
        clock.midnight_us(clock.day_number(each)) for each in (first, clock.add_months(first, 1))
    )
    books = ("order_line", "stock_balance", "energy_invoice")
    sent = [
        history.record(each)
        for each in plant.events
        if start <= each.sent_us < end
        or (each.kind in books and start - _BOOKS_US <= each.sent_us < end + _BOOKS_US)
    ]
    sender = Sender(conn, plant.scenario.factory.code, "history")
    tag_ids = sender.tag_ids([tag.name for tag in plant.tags])
    for batch in sender.cut(tag_ids, history.rows(plant, start, end, sent)):
        batches.accept(conn, batch)


@pytest.fixture(scope="module")
def machining(database_server: str) -> Story:
    """The factory whose signals were tampered with, and the honest month after that."""
    return _told(database_server, simulators.scenarios.load("machining"), 9, 10, 11)


@pytest.fixture(scope="module")
def fibre(database_server: str) -> Story:
    """The factory that lost its link for two days."""
    return _told(database_server, simulators.scenarios.load("fibre"), 8)


@pytest.fixture(params=["machining", "fibre"])
def told(request: pytest.FixtureRequest) -> Story:
    """Either of them."""
    found: Story = request.getfixturevalue(request.param)
    return found


def test_declared_troubles_lead_to_exactly_their_findings(told: Story) -> None:
    assert told.expected
    assert told.expected - told.found == set()
    fails = {each for each in told.expected if each[2] == "fail"}
    assert told.of("fail") == fails


def test_each_trouble_of_a_scenario_is_foreseen_by_its_truth(told: Story) -> None:
    rules = {each["rule"] for each in told.plant.truth()["findings"]}
    of_kind = {"frozen": "P08", "reset": "P19", "replayed": "P09", "unpowered": "P01"}
    declared = {each.kind for each in told.plant.scenario.trouble}
    assert {of_kind[kind] for kind in declared if kind in of_kind} <= rules
    assert ("skewed" in declared) == ("P22" in rules)
    assert bool(told.plant.scenario.links.loss) == ("Q01" in rules)


# What papers, nameplates, meters, movements and books have to say of an honest plant.
RULES = {
    *("Q06", "Q07", "Q09", "Q10", "P01", "P02", "P03", "P06", "P07"),
    *("P13", "P14", "P15", "P18", "P20"),
}


def test_an_honest_month_passes_the_rules_on_books_meters_and_nameplates(machining: Story) -> None:
    assert machining.answers(11, RULES) == {(rule, "pass") for rule in RULES}


def test_books_that_claim_too_much_are_told(database_server: str) -> None:
    """Jobs that claim a tenth more than was made, and an invoice of a tenth more energy."""
    troubles = (
        Trouble("inflated", "MES", 10, 1, hours=24 * 31, times=1.1),
        Trouble("misbilled", "EM01", 10, 1, hours=24 * 31, times=1.1),
    )
    scenario = replace(simulators.scenarios.load("fibre"), trouble=troubles)
    told = _told(database_server, scenario, 10)
    assert {(each[1], each[3]) for each in told.expected} == {
        *(("P13", "PTA"), ("P13", "MEG")),
        ("P15", "DL-200001-202601:electricity"),
    }
    assert told.of("fail") == told.expected
    honest = RULES - {"P13", "P15"}
    assert told.answers(10, honest) == {(rule, "pass") for rule in honest}
