"""The whole demo as `make demo-check` runs it; it takes both cores, so it is the last test."""

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import simulators.scenarios
import store
from deploy.demo.city import DATABASE
from deploy.demo.words import WORDS
from deploy.embedded import EmbeddedPostgres
from deploy.places import remove_folder
from kpi.annex1.assess import SOURCES
from kpi.annex1.tables import rules
from kpi.calendar import add_months
from kpi.jobs.annex1_job import collect_evidence
from simulators.model import Scenario
from store import figures, registry
from store.figures import Figure
from tests.deploy.demo_run import demo, watched
from tests.support.database import scratch_home
from tests.support.waiting import wait_for

DEADLINE_S = 400.0
AGREED = WORDS["zh"]["agree"].format(count=r"(\d+)", agreed=r"(\d+)")
FINDINGS = WORDS["zh"]["foreseen"].format(count=r"(\d+)")
OVERSTATED, LOST_LINK = "machining", "fibre"


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for one demo."""
    folder = scratch_home("demo")
    yield folder
    for name in ("postgres", "broker"):
        remove_folder(folder / name)
    remove_folder(folder)


def test_the_sample_city_is_verified_to_its_truth(home: Path, tmp_path: Path) -> None:
    with watched(demo(home, "--check"), tmp_path / "output") as running:
        wait_for(lambda: running.process.poll() is not None, "the end of the demo", DEADLINE_S)
        code = running.wait_until_all_ended()
        said = running.said()
    assert code == 0, said
    _check_output(said)
    with EmbeddedPostgres(home / "postgres") as cluster:
        _check_lost_link(cluster.url(DATABASE))
        _check_evidence(cluster.url(DATABASE))


def _check_output(said: str) -> None:
    lines = said.splitlines()
    assert [line for line in lines if not line.strip()] == []
    assert len([line for line in lines if line.startswith("✓ ")]) >= 4
    agreed = re.fullmatch(AGREED, lines[-1])
    assert agreed, lines[-1]
    assert agreed[1] == agreed[2]
    assert int(agreed[1]) > 500
    told = [re.fullmatch(FINDINGS, line) for line in lines]
    (found,) = [each for each in told if each]
    assert int(found[1]) > 10
    sections = _sections(said)
    assert "不一致" in sections[OVERSTATED]
    assert "有偏差" in sections[OVERSTATED]
    assert "不一致" not in sections[LOST_LINK]


def _sections(said: str) -> dict[str, str]:
    """Return what the one table says of each scenario."""
    assert said.count("└") == 1
    names = {name: _scenario(name).factory.name_zh for name in simulators.scenarios.names()}
    starts = {name: said.index(title) for name, title in names.items()}
    ends = [*starts.values(), said.index("└")]
    return {
        name: said[start : min(end for end in ends if end > start)]
        for name, start in starts.items()
    }


def _scenario(name: str) -> Scenario:
    return simulators.scenarios.load(name)


def _check_lost_link(url: str) -> None:
    """Two days without a link leave a hole in that month, and the bounds say how much it hides."""
    (loss,) = _scenario(LOST_LINK).links.loss
    assert loss.hours >= 48
    with closing(store.connect(url)) as conn:
        lost, other = (
            {each.period_start: each for each in _months(conn, name, "oee")}
            for name in (LOST_LINK, OVERSTATED)
        )
        factory = registry.factory_by_code(conn, _scenario(LOST_LINK).factory.code)
    month = add_months(factory.renovated_on, loss.month)
    assert lost[month].coverage < 0.97
    assert lost[month].coverage < other[month].coverage
    assert _width(lost[month]) > 2 * _width(other[month])
    whole = [each for start, each in lost.items() if start != month and _is_closed(start, lost)]
    assert lost[month].coverage < min(each.coverage for each in whole)
    assert _width(lost[month]) > max(_width(each) for each in whole)


def _check_evidence(url: str) -> None:
    """Every method that any data support has an answer, and most of them prove their claim."""
    supported = {name for name, rule in rules().items() if rule.unsupported is None}
    with closing(store.connect(url)) as conn:
        for name in (OVERSTATED, LOST_LINK):
            factory = registry.factory_by_code(conn, _scenario(name).factory.code)
            judged = {
                each.method: each.verdict
                for each in collect_evidence(conn, factory, datetime.now(UTC))
                if each.method in supported and each.method != SOURCES
            }
            # Around Spring Festival a month has too few working days to call a device networked.
            silent = {method for method, said in judged.items() if said == "not_computable"}
            assert silent <= {"EV-CONN"}
            assert sum(said == "proven" for said in judged.values()) >= 20
            assert judged["EV-WMS"] == ("not_proven" if name == OVERSTATED else "proven")


def _is_closed(start: date, months: dict[date, Figure]) -> bool:
    return start != max(months)


def _months(conn: store.Connection, scenario: str, kpi: str) -> list[Figure]:
    factory = registry.factory_by_code(conn, _scenario(scenario).factory.code)
    return figures.latest(conn, factory.factory_id, kpi=kpi, period_kind="month")


def _width(figure: Figure) -> float:
    assert figure.low is not None
    assert figure.high is not None
    return figure.high - figure.low
