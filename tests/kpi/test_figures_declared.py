"""Robots, retrofits, people and projects: what data show, what papers show, what is only said."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from kpi.figures import Estimate, estimates, figure
from kpi.figures.declared import headcount, rd_cycle, retrofits, robots
from store.records import StoredRecord
from store.registry import Asset, Declaration, MonitoringPlan
from tests.kpi.builders import asset, monitoring_plan
from tests.kpi.evidence import (
    AFTER_MARCH,
    MARCH,
    YEAR,
    Facts,
    bounds,
    each_day,
    evidence,
    one,
    record,
)

HEARD = {"known_s": 3600.0}
ONCE: Facts = {date(2026, 3, 5): HEARD}
TOO_LONG_AGO: Facts = {date(2026, 3, 1): HEARD}
SYSTEM = asset(9, "system")
ALL_YEAR = each_day(YEAR.start, YEAR.end, known_s=86_400.0)


def robot(number: int, serial: str | None = None) -> Asset:
    """A registered robot with a serial number of its own."""
    return asset(number, "robot", serial=serial or f"SN-{number}")


def declaring(plan: MonitoringPlan, *declarations: Declaration) -> MonitoringPlan:
    """The plan with what the factory declares."""
    return replace(plan, declarations=declarations)


def declared(kpi: str, value: float, basis: str, since: date = date(2026, 1, 1)) -> Declaration:
    """What a factory declares of a KPI."""
    return Declaration(kpi, since, value, basis, f"示例文件 {value:g}")


def count_robots(*assets: Asset, facts: dict[int, Facts]) -> Estimate:
    """The robots of March."""
    return one(robots(evidence(monitoring_plan(assets=assets), facts), MARCH), "robots")


def test_robots_count_by_serial_number_when_they_were_heard_of() -> None:
    same, silent, other = robot(2, "SN-1"), robot(3), asset(4, "machine", serial="SN-4")
    nameless = asset(5, "robot")
    facts = {1: ONCE, 2: ONCE, 3: TOO_LONG_AGO, 4: ONCE, 5: ONCE}
    found = count_robots(robot(1), same, silent, other, nameless, facts=facts)
    assert bounds(found) == (1, 1, 1)
    assert found.inputs["heard"] == ["A01"]
    assert (found.inputs["registered"], found.inputs["basis"]) == (4, "measured")


def test_silent_robots_of_a_factory_that_was_heard_of_are_none() -> None:
    assert bounds(count_robots(robot(1), SYSTEM, facts={9: ONCE})) == (0, 0, 0)


@pytest.mark.parametrize(
    ("assets", "reason"),
    [
        ([asset(1)], "no robot is registered"),
        ([robot(1)], "nothing was heard of the factory in the last 30 days"),
    ],
)
def test_without_robots_or_data_nobody_knows(assets: list[Asset], reason: str) -> None:
    found = count_robots(*assets, facts={1: TOO_LONG_AGO})
    assert found.point is None
    assert reason in (found.reason or "")


def equipment(number: int, **fields: Any) -> Asset:
    """Key equipment that was retrofitted, by a document."""
    given: dict[str, Any] = {
        "key_equipment": True,
        "serial": f"SN-{number}",
        "line": "L1",
        "retrofitted_on": date(2026, 1, 15),
        "retrofit_document": f"示例验收单 {number}",
    }
    return asset(number, **(given | fields))


def retrofitted(*assets: Asset, silent: tuple[int, ...] = ()) -> dict[str, Estimate]:
    """The retrofitted equipment and lines of March."""
    heard = [each.asset_id for each in assets if each.asset_id not in silent]
    found = retrofits(evidence(monitoring_plan(assets=assets), dict.fromkeys(heard, ONCE)), MARCH)
    return {each.kpi: each for each in found}


def test_retrofits_count_with_day_document_serial_number_and_data() -> None:
    found = retrofitted(
        equipment(1),
        equipment(2),
        equipment(3, line="L2"),
        equipment(4, line="L3", retrofit_document=None),
        equipment(5, line="L4"),
        equipment(6, line="L5", retrofitted_on=date(2026, 4, 1)),
        equipment(7, line="L6", retrofitted_on=None),
        equipment(8, line="L7", key_equipment=False),
        equipment(9, line="L8", serial=None),
        silent=(5,),
    )
    assert bounds(found["retrofitted_equipment"]) == (3, 3, 3)
    assert bounds(found["retrofitted_lines"]) == (2, 2, 2)
    inputs = found["retrofitted_lines"].inputs
    assert inputs["lines"] == ["L1", "L2"]
    assert inputs["counted"]["A01"] == "示例验收单 1"
    assert inputs["without_document"] == ["A04"]
    assert inputs["not_heard"] == ["A05", "A09"]
    assert inputs["basis"] == "documented"


def test_what_rests_on_a_paper_is_graded_b_at_best() -> None:
    found = retrofitted(equipment(1))["retrofitted_equipment"]
    made = figure(1, MARCH, found, AFTER_MARCH)
    assert (made.grade, made.point) == ("B", 1)


@pytest.mark.parametrize(
    ("assets", "silent", "reason"),
    [
        ([equipment(1, retrofitted_on=None)], (), "names no day"),
        ([equipment(1, retrofit_document=None)], (), "names no document"),
        ([equipment(1)], (1,), "was heard of"),
    ],
)
def test_no_retrofit_is_counted_by_default(
    assets: list[Asset], silent: tuple[int, ...], reason: str
) -> None:
    for each in retrofitted(*assets, silent=silent).values():
        assert each.point is None
        assert reason in (each.reason or "")
        assert "nothing is declared" in (each.reason or "")


def test_equipment_off_every_line_makes_no_line() -> None:
    found = retrofitted(equipment(1, line=None))
    assert bounds(found["retrofitted_equipment"]) == (1, 1, 1)
    assert "names no line" in (found["retrofitted_lines"].reason or "")


def test_the_newest_documented_declaration_counts_where_data_do_not_reach() -> None:
    plan = declaring(
        monitoring_plan(),
        declared("retrofitted_lines", 2, "documented", date(2025, 6, 1)),
        declared("retrofitted_lines", 3, "documented", date(2026, 1, 1)),
        declared("retrofitted_lines", 5, "documented", date(2026, 4, 1)),
        declared("retrofitted_equipment", 7, "declared"),
    )
    found = retrofits(evidence(plan), MARCH)
    lines = one(found, "retrofitted_lines")
    assert bounds(lines) == (3, 3, 3)
    assert (lines.inputs["basis"], lines.inputs["document"]) == ("documented", "示例文件 3")
    equipment_ = one(found, "retrofitted_equipment")
    assert equipment_.point is None
    assert "7 is only declared (示例文件 7)" in (equipment_.reason or "")
    assert equipment_.inputs["basis"] == "declared"


def people(*months: tuple[str, Any]) -> list[StoredRecord]:
    """Records of the people employed."""
    return [
        record(month, date.fromisoformat(f"{month}-01"), {"month": month, "employees": count})
        for month, count in months
    ]


TWELVE = [(f"{2025 + (at + 3) // 12}-{(at + 3) % 12 + 1:02}", 400 + at) for at in range(12)]


def test_headcount_is_the_mean_of_the_month_ends() -> None:
    given = evidence(monitoring_plan(), records={"headcount": people(*TWELVE)})
    assert bounds(headcount(given, YEAR)[0]) == (405.5, 405.5, 405.5)
    march = headcount(given, MARCH)[0]
    assert bounds(march) == (411, 411, 411)
    assert march.inputs == {"basis": "measured", "month_ends": {"2026-03": 411.0}}


@pytest.mark.parametrize("wrong", ["many", None, -1, True])
def test_a_month_without_a_readable_headcount_leaves_the_year_unknown(wrong: Any) -> None:
    rows = people(*TWELVE[:-1], ("2026-03", wrong))
    found = headcount(evidence(monitoring_plan(), records={"headcount": rows}), YEAR)[0]
    assert found.point is None
    assert "2026-03" in (found.reason or "")
    assert "2026-02" not in (found.reason or "")


def test_a_headcount_without_records_may_be_documented() -> None:
    plan = declaring(monitoring_plan(), declared("headcount", 410, "documented"))
    assert bounds(headcount(evidence(plan), MARCH)[0]) == (410, 410, 410)


def projects(*given: tuple[str, str, str | None], **fields: Any) -> list[StoredRecord]:
    """Records of projects: number, approved, released."""
    return [
        record(
            key,
            date.fromisoformat(released or approved),
            {"project": key, "approved_on": approved, "released_on": released, **fields},
        )
        for key, approved, released in given
    ]


THREE = projects(
    ("P1", "2025-11-01", "2026-03-01"),
    ("P2", "2026-01-01", "2026-03-31"),
    ("P3", "2026-02-01", "2026-03-03"),
)
OTHERS = projects(
    ("P4", "2025-01-01", "2026-04-01"),
    ("P5", "2025-01-01", "2026-02-28"),
    ("P6", "2026-03-02", None),
)


def cycle(rows: list[StoredRecord], *, heard: bool = True) -> Estimate:
    """The development cycle of March."""
    plan = monitoring_plan(assets=[SYSTEM])
    facts = {9: ALL_YEAR} if heard else {}
    return rd_cycle(evidence(plan, facts, records={"rd_project": rows}), MARCH)[0]


def test_the_cycle_is_the_median_of_the_projects_released_in_the_period() -> None:
    given_up = record(
        "P7",
        date(2026, 3, 9),
        {"project": "P7", "approved_on": "2025-01-01", "cancelled_on": "2026-03-09"},
    )
    found = cycle([*THREE, *OTHERS, given_up])
    assert bounds(found) == (89, 89, 89)
    assert found.inputs["projects"] == {"P1": 120, "P2": 89, "P3": 30}
    assert found.inputs["cancelled"] == ["P7"]


def test_two_projects_make_no_cycle() -> None:
    found = cycle([*THREE[:2], *OTHERS])
    assert found.point is None
    assert "2 projects were released" in (found.reason or "")


def test_a_project_that_cannot_be_read_may_have_taken_any_time() -> None:
    wrong = projects(("P8", "2026-03-05", "2026-03-04"))
    found = cycle([*THREE, *wrong])
    assert bounds(found) == ((30 + 89) / 2, 89, (89 + 120) / 2)
    assert found.coverage == pytest.approx(0.75)
    assert found.inputs["set_aside"] == ["P8"]


def test_projects_that_mostly_cannot_be_read_give_no_number() -> None:
    wrong = projects(*((f"P{at}", "2026-03-05", "2026-03-04") for at in range(10, 14)))
    assert "4 projects of the period cannot be read" in (cycle([*THREE, *wrong]).reason or "")


def test_a_cycle_while_no_system_was_heard_of_is_unverifiable() -> None:
    made = figure(1, MARCH, cycle(THREE, heard=False), AFTER_MARCH)
    assert (made.point, made.grade) == (None, "D")


def test_each_row_of_the_form_has_a_figure_or_a_reason() -> None:
    found = estimates(evidence(monitoring_plan()), MARCH)
    rows = {"robots", "retrofitted_lines", "retrofitted_equipment", "headcount", "rd_cycle"}
    named = {each.kpi: each for each in found}
    assert rows <= named.keys()
    assert all(named[kpi].point is None and named[kpi].reason for kpi in rows)
