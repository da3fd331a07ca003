"""Taking an entry list in: all or nothing, again without a change, waits, and plans that follow."""

from datetime import UTC, date, datetime
from typing import Any, get_args

import pytest

import store
from api.pool.entry import Outcome, Report, import_list
from store import audit, events, figures, memberships, plans, registry
from store.acting import Actor
from tests.api.pool.lists import as_csv, credit, row
from tests.api.pool.pooled import Pooled
from tests.store.samples import sample_plan

CLERK = Actor(None, "示例入库员", "operator")
NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)


def take(conn: store.Connection, *rows: dict[str, Any], **options: Any) -> Report:
    return import_list(conn, CLERK, as_csv(*rows), now=NOW, source="示例名单.csv", **options)


def counts(report: Report) -> dict[str, int]:
    return {outcome: found for outcome in get_args(Outcome) if (found := report.count(outcome))}


def factories(conn: store.Connection) -> list[str]:
    return [each.code for each in registry.factories(conn)]


def test_a_list_makes_factories_promises_and_memberships(db: store.Connection) -> None:
    report = take(db, row(1), row(2, county="如东县"))
    assert (report.written, counts(report)) == (True, {"new": 2})
    assert factories(db) == ["ENTRY-1", "ENTRY-2"]
    factory = registry.factory_by_code(db, "ENTRY-2")
    assert (factory.enterprise_zh, factory.region_code) == ("示例企业2有限公司", "320623")
    assert factory.baseline_to == date(2022, 10, 1)
    promised = figures.promises(db, factory.factory_id)
    assert (promised["oee"].before_value, promised["oee"].expected_value) == (0.61, 0.78)
    assert promised["oee"].before_basis == "documented"
    stay = memberships.newest(db, factory.factory_id)
    assert stay is not None
    assert (stay.state, stay.entered_on, stay.version) == ("cultivating", date(2022, 12, 30), 1)
    noted = audit.entries(db, factory="ENTRY-2")
    assert [(each.action, each.reason) for each in noted] == [
        ("entry_imported", "示例名单.csv"),
        ("enter", "示例名单.csv"),
    ]


def test_the_same_list_again_changes_nothing(db: store.Connection) -> None:
    take(db, row(1), row(2))
    before = audit.verify(db).entries
    report = take(db, row(1), row(2))
    assert (report.written, counts(report)) == (False, {"same": 2})
    assert audit.verify(db).entries == before


def test_a_dry_run_reports_and_stores_nothing(db: store.Connection) -> None:
    report = take(db, row(1), dry_run=True)
    assert (report.written, counts(report)) == (False, {"new": 1})
    assert factories(db) == []


def test_with_a_faulty_row_nothing_is_stored_unless_it_is_skipped(db: store.Connection) -> None:
    report = take(db, row(1), row(2, kind="?"), row(3))
    assert (report.written, counts(report)) == (False, {"new": 2, "faulty": 1})
    assert factories(db) == []
    assert [(each.row, each.column) for each in report.problems] == [(3, "类型")]
    report = take(db, row(1), row(2, kind="?"), row(3), skip_faulty=True)
    assert report.written
    assert factories(db) == ["ENTRY-1", "ENTRY-3"]


def test_a_changed_list_says_what_changes(db: store.Connection) -> None:
    take(db, row(1))
    changed = row(1, oee_expected="80", entered="2022-12-31", county="通州区")
    report = take(db, changed)
    assert counts(report) == {"changed": 1}
    said = {each.column: (each.before, each.after) for each in report.rows[0].changes}
    assert said == {
        "县（市、区）": ("320613", "320612"),
        "入库日期": ("2022-12-30", "2022-12-31"),
        "设备综合利用率 OEE 预期 [%]": ("0.78", "0.8"),
    }
    factory = registry.factory_by_code(db, "ENTRY-1")
    assert figures.promises(db, factory.factory_id)["oee"].expected_value == 0.8
    stay = memberships.newest(db, factory.factory_id)
    assert stay is not None
    assert stay.entered_on == date(2022, 12, 31)
    assert counts(take(db, changed)) == {"same": 1}
    kinds = [each.kind for each in events.since(db, 0)]
    assert kinds == ["entered", "entry_corrected"]


def test_a_changed_promise_has_the_verdicts_given_again(db: store.Connection) -> None:
    take(db, row(1))
    take(db, row(1, oee_expected="80"))
    marks = db.execute("SELECT count(*) FROM kpi.verdict_mark").fetchone()
    assert marks == (1,)


def test_a_factory_without_a_code_is_known_by_its_names(db: store.Connection) -> None:
    take(db, row(1, code=None))
    assert factories(db) == [credit(1)]
    assert counts(take(db, row(1, code=None))) == {"same": 1}
    assert counts(take(db, row(1, code=None, oee_expected="80"))) == {"changed": 1}


@pytest.mark.parametrize(
    ("rows", "column", "what"),
    [
        ((row(1), row(2, code="ENTRY-1")), "工厂代码", "row 2 is the factory ENTRY-1"),
        ((row(1), row(2, credit_code=credit(1))), "统一社会信用代码", "belongs to 示例企业1"),
        ((row(1, code=None, credit_code=None),), "工厂代码", "neither a code nor a credit code"),
    ],
)
def test_rows_that_contradict_each_other_are_faulty(
    db: store.Connection, rows: tuple[dict[str, Any], ...], column: str, what: str
) -> None:
    report = take(db, *rows)
    assert not report.written
    (problem,) = [each for each in report.problems if each.severity == "error"]
    assert problem.column == column
    assert what in problem.what


@pytest.mark.parametrize(
    ("second", "what"),
    [
        (row(2, credit_code=credit(1)), "belongs to 示例企业1有限公司"),
        (row(1, code="ENTRY-9", credit_code=credit(9)), f"has the code {credit(1)}"),
    ],
)
def test_a_row_that_contradicts_what_is_stored_is_faulty(
    db: store.Connection, second: dict[str, Any], what: str
) -> None:
    take(db, row(1))
    report = take(db, second)
    assert counts(report) == {"faulty": 1}
    assert what in report.problems[0].what


def test_an_enterprise_may_bring_a_second_factory(db: store.Connection) -> None:
    second = row(1, code="ENTRY-1B", factory="示例工厂二")
    assert counts(take(db, row(1), second)) == {"new": 2}
    assert registry.factory_by_code(db, "ENTRY-1B").enterprise_zh == "示例企业1有限公司"


def test_who_left_waits_before_coming_back(pooled: Pooled) -> None:
    pooled.move("ent_approver", "leave")
    pooled.decide("city_leader", True)
    assert pooled.membership().left_on == date(2026, 3, 2)
    back = row(
        1, enterprise="示例企业 sample", code="sample", credit_code=None, factory="示例工厂",
        entered="2026-11-20",
    )  # fmt: skip
    report = take(pooled.conn, back)
    assert counts(report) == {"faulty": 1}
    (problem,) = [each for each in report.problems if each.severity == "error"]
    assert problem.what == "sample left on 2026-03-02 (主动退出)"
    assert problem.do == "it may come back from 2028-03-02 on"
    other = row(1, enterprise="示例企业 sample", credit_code=None, entered="2026-11-20")
    assert counts(take(pooled.conn, other)) == {"faulty": 1}, "nor under another factory"
    later = datetime(2028, 3, 6, tzinfo=UTC)
    content = as_csv(back | {"entered": "2028-03-02"})
    report = import_list(pooled.conn, CLERK, content, now=later)
    assert counts(report) == {"new": 1}
    assert (pooled.membership().version, pooled.membership().state) == (1, "cultivating")


def test_a_plan_that_follows_loses_nothing_of_the_list(db: store.Connection) -> None:
    take(db, row(1, code="sample", enterprise="示例企业 sample", factory="示例工厂"))
    plan = sample_plan()
    plan["promises"] = [{"kpi": "oee", "before": 0.61, "basis": "declared", "expected": 0.79}]
    factory_id = plans.load_plan(db, plan)
    promised = figures.promises(db, factory_id)
    assert promised["oee"].expected_value == 0.79, "what the plan names, the plan says"
    assert promised["standard_coal"].expected_value == 4700.0
    del plan["promises"]
    plans.load_plan(db, plan)
    assert set(figures.promises(db, factory_id)) == {"oee", "standard_coal"}
    assert memberships.newest(db, factory_id) is not None


def test_what_a_plan_says_of_a_factory_stays(db: store.Connection) -> None:
    plans.load_plan(db, sample_plan())
    listed = row(1, code="sample", enterprise="示例企业 sample", factory="示例工厂")
    report = take(db, listed | {"credit_code": None, "oee_expected": "80"})
    assert counts(report) == {"new": 1}
    odd = {each.column: each.what for each in report.problems}
    assert odd["基准期起"] == "the monitoring plan says 2024-11-01"
    factory = registry.factory_by_code(db, "sample")
    assert factory.baseline_from == date(2024, 11, 1)
    assert figures.promises(db, factory.factory_id)["oee"].expected_value == 0.8
