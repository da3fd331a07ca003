"""The figure job on a real database: what verdicts rest on, and when they are given again."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

import store
from kpi.jobs.basis import last_full_hour
from kpi.jobs.evidence import gathered
from kpi.policy import policies
from kpi.provenance.published import check
from kpi.verdicts import judge
from store import figures, plans, registry
from store import policies as policies_
from tests.kpi.formed import feed, mondays, months_between, revisions, worked
from tests.kpi.plant import (
    Plant,
    china,
    heard,
    lot,
    sample_plan,
)


def year_of_lots(plant: Plant, first: date, end: date, defective: int) -> None:
    """A lot a month, and a link that never fails."""
    plant.send(heard(first, end))
    plant.tell(*(lot(f"{month:%Y-%m}-15", defective) for month in months_between(first, end)))


def verdict(plant: Plant, kpi: str = "defect_rate") -> figures.Verdict:
    """The verdicts on the year after the renovation."""
    found = figures.verdicts(plant.conn, plant.factory_id, date(2026, 1, 1))
    return next(each for each in found if each.kpi == kpi)


IN_2027 = china("2027-01-02 09:20")


def test_verdicts_rest_on_the_measured_baseline_and_appear_in_the_feed(
    db: Any, database_url: str
) -> None:
    plan = sample_plan()
    plan["self_reports"] = [
        {
            "kpi": "defect_rate",
            "period": ["2026-01-01", "2027-01-01"],
            "value": 0.05,
            "reported_at": "2027-01-01T09:00:00+08:00",
        }
    ]
    plant = Plant.load(db, database_url, plan)
    year_of_lots(plant, date(2025, 1, 1), date(2026, 1, 1), 8)
    year_of_lots(plant, date(2026, 1, 1), date(2027, 1, 2), 5)
    plant.refresh(IN_2027)
    found = verdict(plant)
    # Measured 8 % before, promised 4 %, reached 5 %: three quarters of the way, and so reported.
    assert found.before_basis == "measured"
    assert found.before_value == pytest.approx(0.08)
    assert found.fulfilment == pytest.approx(0.75)
    assert (found.fulfilment_verdict, found.consistency_verdict) == ("partly", "same")
    news = [row for row in feed(plant) if row[0] != "figure" and row[3] == date(2026, 1, 1)]
    assert [(row[0], row[1], row[4], row[5]["verdict"]) for row in news] == [
        ("fulfilment", "defect_rate", None, "partly"),
        ("consistency", "defect_rate", None, "same"),
    ]
    plant.tell(*(lot(f"2026-{month:02}-20", 17, "late") for month in range(1, 13)))
    plant.figures(IN_2027)
    assert verdict(plant).fulfilment_verdict == "worse"
    news = [row for row in feed(plant) if row[0] != "figure" and row[3] == date(2026, 1, 1)]
    assert [(row[0], row[4]["verdict"], row[5]["verdict"]) for row in news[2:]] == [
        ("fulfilment", "partly", "worse"),
        ("consistency", "same", "false"),
    ]
    assert (
        verdict(plant).figure_id
        == revisions(plant, "defect_rate", date(2026, 1, 1), "rolling12")[-1].figure_id
    )


def test_without_a_measured_baseline_what_was_declared_counts(plant: Plant) -> None:
    year_of_lots(plant, date(2026, 1, 1), date(2027, 1, 2), 7)
    plant.refresh(IN_2027)
    found = verdict(plant)
    assert (found.before_value, found.before_basis) == (0.1, "declared")
    assert found.fulfilment == pytest.approx(0.5)
    assert found.fulfilment_verdict == "partly"
    assert found.consistency_verdict == "unknown"
    judged = {each.kpi for each in figures.verdicts(plant.conn, plant.factory_id)}
    assert judged == {"defect_rate"}, "nobody can judge a promise of an unknown KPI"


def test_a_year_that_reaches_beyond_the_baseline_is_no_measured_baseline(
    db: Any, database_url: str
) -> None:
    plan = sample_plan()
    plan["factory"] |= {"baseline": ["2025-01-01", "2025-07-01"], "renovated_on": "2025-07-01"}
    plant = Plant.load(db, database_url, plan)
    year_of_lots(plant, date(2025, 1, 1), date(2026, 7, 2), 8)
    plant.refresh(china("2026-07-02 09:20"))
    found = figures.verdicts(plant.conn, plant.factory_id, date(2025, 7, 1))
    assert {each.before_basis for each in found if each.kpi == "defect_rate"} == {"declared"}


def test_a_changed_policy_makes_new_verdicts_and_leaves_the_old_ones(plant: Plant) -> None:
    year_of_lots(plant, date(2026, 1, 1), date(2027, 1, 2), 7)
    plant.refresh(IN_2027)
    old = verdict(plant)
    assert (old.policy_version, old.fulfilment_verdict) == (policies()[0].version, "partly")
    lenient = replace(policies()[0], version="later", met_from=0.4, partly_from=0.3)
    factory = registry.factory_by_code(plant.conn, "sample")
    evidence = gathered(plant.conn, factory, last_full_hour(IN_2027))
    judge(plant.conn, evidence, lenient)
    new = verdict(plant)
    assert (new.policy_version, new.fulfilment_verdict) == ("later", "met")
    past = figures.past_verdicts(plant.conn, plant.factory_id, "defect_rate", old.period_start)
    assert past == [old]


def test_a_plan_with_other_cycles_after_renovation_makes_the_years_not_comparable(
    db: Any, database_url: str
) -> None:
    plan = sample_plan()
    plan["promises"] = [{"kpi": "oee", "before": 0.5, "basis": "declared", "expected": 0.9}]
    # Work is planned on one Monday a quarter, so that few rows cover the years.
    every_monday = mondays(date(2025, 1, 6), date(2027, 1, 1))
    before, after = every_monday[:52:13], every_monday[52::13]
    plan["shifts"] = plan["shifts"][:1]
    plan["holidays"] = [
        {"day": day, "name": "休"} for day in every_monday if day not in (*before, *after)
    ]
    plant = Plant.load(db, database_url, plan)
    plant.send(worked(before))
    plant.refresh(china("2026-01-02 09:20"))
    # Half of the cycle that the year before was measured by.
    plan["assets"][0]["ideal_cycles"][0]["cycle_s"] = 30.0
    plans.load_plan(db, plan)
    plant.send(worked(after))
    plant.refresh(IN_2027)
    found = figures.verdicts(plant.conn, plant.factory_id, date(2026, 1, 1))
    (judged,) = [each for each in found if each.kpi == "oee"]
    assert judged.fulfilment_verdict == "not_comparable"
    assert (judged.before_basis, judged.fulfilment) == ("measured", None)
    assert judged.reasons[0] == {
        "about": "fulfilment",
        "code": "ideal_cycles",
        "text": "M01 1: 60 s → 30 s",
    }


def test_an_unverifiable_year_is_unknown_and_never_worse(plant: Plant) -> None:
    plant.tell(
        *(
            lot(f"{month:%Y-%m}-15", 50)
            for month in months_between(date(2026, 1, 1), date(2027, 1, 1))
        )
    )
    plant.refresh(IN_2027)
    found = verdict(plant)
    assert (found.fulfilment, found.fulfilment_verdict) == (None, "unknown")


@pytest.mark.parametrize(("after", "turned"), [(2, "worse"), (6, "over")])
def test_a_measured_baseline_beyond_the_promise_does_not_turn_better_into_worse(
    plant: Plant, after: int, turned: str
) -> None:
    # Declared were 10 % before and 4 % after; measured were 3 % before. By the share of a promised
    # change from 3 % up to 4 %, fewer defects would be worse and more of them over the promise.
    year_of_lots(plant, date(2025, 1, 1), date(2026, 1, 1), 3)
    year_of_lots(plant, date(2026, 1, 1), date(2027, 1, 2), after)
    plant.refresh(IN_2027)
    found = verdict(plant)
    assert (found.before_value, found.before_basis) == (pytest.approx(0.03), "measured")
    assert found.fulfilment_verdict != turned
    assert (found.fulfilment_verdict, found.fulfilment) == ("not_comparable", None)
    assert found.reasons == [{"about": "fulfilment", "code": "direction", "text": "0.03 → 0.04"}]
    assert [
        each for each in check(plant.conn, plant.factory_id, "sample") if each.kind == "verdict"
    ] == []


def test_what_a_dispute_about_the_year_before_settled_is_what_was_measured_before(
    plant: Plant,
) -> None:
    year_of_lots(plant, date(2025, 1, 1), date(2026, 1, 1), 8)
    year_of_lots(plant, date(2026, 1, 1), date(2027, 1, 2), 5)
    plant.refresh(IN_2027)
    assert verdict(plant).fulfilment == pytest.approx(0.75)
    (before,) = revisions(plant, "defect_rate", date(2025, 1, 1), "rolling12")
    settle(plant, before, 0.06)
    plant.figures(IN_2027)
    found = verdict(plant)
    # From 6 % to 4 % was promised: 5 % is half of it.
    assert (found.before_value, found.before_basis) == (0.06, "measured")
    assert found.fulfilment == pytest.approx(0.5)
    assert [
        each for each in check(plant.conn, plant.factory_id, "sample") if each.kind == "verdict"
    ] == []


def settle(plant: Plant, found: figures.Figure, value: float) -> None:
    """Let a dispute about a figure be over, with what was measured again in its place."""
    with store.transaction(plant.conn):
        policies_.keep(plant.conn, "sample", {})
        row = plant.conn.execute(
            "INSERT INTO pool.dispute (factory_id, figure_id, kpi, period_kind, period_start,"
            " period_end, state, version, claimed, raised_on, due_on, closed_at)"
            " VALUES (%s, %s, %s, 'rolling12', %s, %s, 'settled', 1, %s, '2026-02-01',"
            " '2026-02-20', now()) RETURNING dispute_id",
            (plant.factory_id, found.figure_id, found.kpi, found.period_start, found.period_end,
             value),
        ).fetchone()  # fmt: skip
        assert row is not None
        plant.conn.execute(
            "INSERT INTO pool.dispute_step (dispute_id, factory_id, version, step, to_state, at,"
            " actor, role, comment, data, policy_id) VALUES (%s, %s, 1, 'accept', 'settled', now(),"
            " 'sample', 'city_leader', '', '{}', 'sample')",
            (row[0], plant.factory_id),
        )
        plant.conn.execute(
            "INSERT INTO pool.settled_value (factory_id, kpi, period_start, period_end, value, low,"
            " high, document, dispute_id, actor, at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, 'sample', %s, 'sample', now())",
            (plant.factory_id, found.kpi, found.period_start, found.period_end, value, value,
             value, row[0]),
        )  # fmt: skip
        plant.conn.execute("SELECT pool.judge_again(%s)", row)


def test_of_a_promise_that_was_taken_back_the_verdict_says_so(
    db: Any, database_url: str, plant: Plant
) -> None:
    year_of_lots(plant, date(2026, 1, 1), date(2027, 1, 2), 12)
    plant.refresh(IN_2027)
    assert verdict(plant).fulfilment_verdict == "worse"
    plan = sample_plan()
    plan["promises"] = []
    plans.load_plan(db, plan)
    plant.figures(IN_2027)
    found = verdict(plant)
    assert (found.expected_value, found.fulfilment) == (None, None)
    assert (found.fulfilment_verdict, found.reasons[0]["code"]) == ("unknown", "no_promise")
    assert [each.fulfilment_verdict for each in past(plant)] == ["worse"]
    plant.figures(IN_2027)
    assert len(past(plant)) == 1, "it is said once"


def past(plant: Plant) -> list[figures.Verdict]:
    """The verdicts on the year after the renovation that others took the place of."""
    return figures.past_verdicts(plant.conn, plant.factory_id, "defect_rate", date(2026, 1, 1))


def test_what_was_measured_before_with_doubt_calls_nobody_worse_by_less_than_that(
    plant: Plant,
) -> None:
    plant.send(heard(date(2025, 1, 1), date(2025, 12, 12)))
    plant.tell(
        *(
            lot(f"{month:%Y-%m}-10", 8)
            for month in months_between(date(2025, 1, 1), date(2026, 1, 1))
        )
    )
    year_of_lots(plant, date(2026, 1, 1), date(2027, 1, 2), 9)
    plant.refresh(IN_2027)
    found = verdict(plant)
    (before,) = revisions(plant, "defect_rate", date(2025, 1, 1), "rolling12")
    assert (before.point, found.before_value) == (pytest.approx(0.08), before.point)
    assert before.high is not None
    assert before.high > 0.09, "some of what was made while nobody listened may have been bad"
    assert found.fulfilment == pytest.approx(-0.25)
    assert found.fulfilment_high is not None
    assert found.fulfilment_high > 0
    assert found.fulfilment_verdict == "missed"
    assert [
        each for each in check(plant.conn, plant.factory_id, "sample") if each.kind == "verdict"
    ] == []
