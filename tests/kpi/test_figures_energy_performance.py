"""Energy for output and for value, and the saving against the adjusted baseline."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

from kpi.calendar import months
from kpi.figures import Period
from kpi.figures.basis import BaselineMonth, Evidence
from kpi.figures.energy_performance import performance
from store.records import StoredRecord
from store.registry import Line, MonitoringPlan
from tests.kpi.builders import ENERGY, asset, monitoring_plan, tag
from tests.kpi.evidence import bounds, each_day, evidence, metered, one, produced, record

PER_KWH = 0.1229  # GB/T 2589-2020
FIRST, RENOVATED, END = date(2025, 1, 1), date(2026, 1, 1), date(2026, 7, 1)
AFTER = datetime(2026, 6, 30, 16, tzinfo=UTC)  # midnight in Shanghai
MAY = Period("month", date(2026, 5, 1), date(2026, 6, 1))
DAY_S, RUN_S = 28_800.0, 20_000.0
# Ideal seconds of good output a day, month by month from January 2025 on.
OUTPUT = [
    9_000, 11_000, 8_000, 12_000, 10_000, 13_000, 9_500, 10_500, 12_500, 8_500, 11_500, 10_000,
    14_000, 9_000, 10_000, 11_000, 12_000, 10_000,
]  # fmt: skip


def plant(
    saved: float = 0.2,
    scatter: float = 0.0,
    first: date = FIRST,
    records: Sequence[StoredRecord] = (),
    output: Sequence[float] = OUTPUT,
    warmth: Sequence[tuple[float, float]] = (),
    per_degree_kwh: tuple[float, float] = (0.0, 0.0),
    **fields: Any,
) -> Any:
    """Evidence of a machine and an entry meter.

    It uses 400 kWh a day and 0.1 kWh a second of good output, after the renovation less by a share.
    What each month's heating and cooling degree days add to that is in the whole month.
    """
    noise = np.random.default_rng(7).normal(0, scatter, len(OUTPUT)) if scatter else [0.0] * 18
    machine: dict[date, Mapping[str, float]] = {}
    meter: dict[date, Mapping[str, float]] = {}
    known = [*warmth, *[(0.0, 0.0)] * (len(OUTPUT) - len(warmth))]
    spans = list(months(FIRST, END))
    for (start, end), good_s, error, degrees in zip(spans, output, noise, known, strict=True):
        if start < first:
            continue
        weather_kwh = sum(each * kwh for each, kwh in zip(degrees, per_degree_kwh, strict=True))
        kwh = 400 + 0.1 * good_s + error + weather_kwh / (end - start).days
        kwh *= 1 - saved if start >= RENOVATED else 1
        machine |= each_day(start, end, produced(DAY_S, RUN_S, good_s, good_s))
        meter |= each_day(start, end, metered(kwh))
    return evidence(
        _plan(**fields),
        {1: machine, 2: meter},
        until=AFTER,
        records={
            "output_value": records,
            "degree_days": [
                degree_days(f"{start:%Y-%m}", *each)
                for (start, _), each in zip(spans, warmth, strict=False)
            ],
        },
    )


def _plan(cycles: dict[int, float] | None = None) -> MonitoringPlan:
    return monitoring_plan(
        assets=[
            asset(1, in_oee=True),
            asset(2, "meter", carrier="electricity", unit="kWh", level=1),
        ],
        tags=[
            tag(1, role="state"),
            tag(3, role="total_count"),
            tag(4, role="good_count"),
            tag(ENERGY, asset_id=2),
        ],
        cycles={1: {1: 60.0} if cycles is None else cycles},
    )


def test_energy_for_a_standard_hour() -> None:
    found = one(performance(plant(saved=0.0), MAY), "energy_intensity")
    kgce = (400 + 0.1 * 12_000) * PER_KWH
    assert bounds(found) == pytest.approx((kgce / (12_000 / 3600),) * 3)
    assert found.coverage == 1


def test_a_site_with_one_product_on_one_machine_has_energy_for_a_piece() -> None:
    found = one(performance(plant(saved=0.0), MAY), "energy_intensity")
    pieces = 12_000 / 60
    kgce = (400 + 0.1 * 12_000) * PER_KWH
    assert found.inputs["kgce_per_piece"] == pytest.approx(kgce / pieces)
    two = one(performance(plant(cycles={1: 60.0, 2: 30.0}), MAY), "energy_intensity")
    assert "kgce_per_piece" not in two.inputs
    assert "2 products share the energy" in str(two.inputs["by_piece"])


def two_machines(lines: tuple[Line, ...] = ()) -> Evidence:
    """The plant with a second machine that makes the same product."""
    known = plant(saved=0.0)
    again = replace(known.plan.assets[0], asset_id=9, code="A09")
    tags = tuple(replace(each, asset_id=9) for each in known.plan.tags if each.asset_id == 1)
    cycles = {**known.plan.ideal_cycle_s, 9: {1: 60.0}}
    more = replace(
        known.plan,
        assets=(*known.plan.assets, again),
        tags=(*known.plan.tags, *tags),
        ideal_cycle_s=cycles,
    )
    return replace(known, plan=replace(more, lines=lines))


def test_several_machines_on_no_line_have_no_energy_for_a_piece_and_say_why() -> None:
    line = Line("L1", last_id=1, bottleneck_id=None, asset_ids=(1,))
    for known in (two_machines(), two_machines((line,))):
        found = one(performance(known, MAY), "energy_intensity")
        assert "kgce_per_piece" not in found.inputs
        assert "2 machines count output" in str(found.inputs["by_piece"])


def test_pieces_of_one_product_are_counted_where_they_leave_the_line() -> None:
    line = Line("L1", last_id=1, bottleneck_id=None, asset_ids=(1, 9))
    known = two_machines((line,))
    known.days.of_asset[9] = known.days.of_asset[1].copy()
    known = replace(known, planned_s={**known.planned_s, 9: known.planned_s[1]})
    found = one(performance(known, MAY), "energy_intensity")
    pieces = 12_000 / 60
    kgce = (400 + 0.1 * 12_000) * PER_KWH
    assert found.inputs["standard_hours"] == pytest.approx(2 * 31 * 12_000 / 3600)
    assert found.inputs["kgce_per_piece"] == pytest.approx(kgce / pieces)


def test_without_output_nothing_is_divided_by() -> None:
    output = [*OUTPUT[:16], 0.0, 1.0]
    found = one(performance(plant(output=output), MAY), "energy_intensity")
    assert "there may have been no good output" in str(found.reason)


def test_without_an_entry_meter_there_is_no_intensity() -> None:
    found = performance(evidence(monitoring_plan(), until=AFTER), MAY)
    assert one(found, "energy_intensity").reason == "no entry meter is registered"


def test_output_that_was_not_counted_widens_the_intensity() -> None:
    given = plant(saved=0.0)
    columns = list(given.days.columns)
    # A thousand planned seconds of one day in May without a count: nothing made, or ideal output.
    day = (date(2026, 5, 4) - FIRST).days
    given.days.of_asset[1][day, columns.index("uncounted_s")] = 1_000
    low, point, high = bounds(one(performance(given, MAY), "energy_intensity"))
    assert low < point <= high


def degree_days(month: str, heating: Any, cooling: Any) -> StoredRecord:
    """The weather of a month."""
    body = {"month": month, "heating_kd": heating, "cooling_kd": cooling, "source": "station"}
    return record(month, date.fromisoformat(f"{month}-01"), body)


def value(month: str, yuan: Any, price_year: Any = 2020) -> StoredRecord:
    """The output value of a month."""
    body = {"month": month, "value_yuan": yuan, "price_year": price_year}
    return record(month, date.fromisoformat(f"{month}-01"), body)


def test_energy_for_output_value_at_constant_prices() -> None:
    given = plant(saved=0.0, records=[value("2026-05", "2000000")])
    found = one(performance(given, MAY), "energy_intensity_value")
    tce = 31 * (400 + 0.1 * 12_000) * PER_KWH / 1000
    assert bounds(found)[1] == pytest.approx(tce / 200)
    assert found.inputs["price_year"] == 2020


def test_a_month_without_output_value_is_refused_and_so_are_mixed_prices() -> None:
    lacking = plant(records=[value("2026-04", 1e6)])
    found = one(performance(lacking, MAY), "energy_intensity_value")
    assert found.reason == "the output value of 2026-05 is missing"
    mixed = plant(records=[value("2025-05", 1e6), value("2026-05", 1e6, 2025)])
    found = one(performance(mixed, MAY), "energy_intensity_value")
    assert "prices of 2020 and of 2025 do not compare" in str(found.reason)


def test_without_any_output_value_nothing_is_said_about_it() -> None:
    assert [each.kpi for each in performance(plant(), MAY)] == ["energy_intensity", "energy_saving"]


def test_a_saving_is_what_the_old_plant_would_have_used_less_what_was_used() -> None:
    found = one(performance(plant(saved=0.2), MAY), "energy_saving")
    would_be = 31 * (400 + 0.1 * 12_000) * PER_KWH / 1000
    assert bounds(found)[1] == pytest.approx(0.2 * would_be)
    assert found.inputs["model"]["months"] == 12


def test_more_output_with_the_same_plant_saves_nothing() -> None:
    given = plant(saved=0.0, scatter=5.0)
    low, _, high = bounds(one(performance(given, MAY), "energy_saving"))
    assert low < 0 < high


def test_a_saving_says_how_sure_it_is() -> None:
    given = plant(saved=0.2, scatter=5.0)
    found = one(performance(given, MAY), "energy_saving")
    low, point, high = bounds(found)
    uncertainty = found.inputs["uncertainty_tce"]
    assert (low, high) == pytest.approx((point - uncertainty, point + uncertainty))
    assert low <= 0.2 * 31 * (400 + 0.1 * 12_000) * PER_KWH / 1000 <= high


def test_what_the_meter_leaves_open_opens_the_saving_too() -> None:
    given = plant(saved=0.2)
    columns = list(given.days.columns)
    day = (date(2026, 5, 4) - FIRST).days
    before = bounds(one(performance(given, MAY), "energy_saving"))
    given.days.of_asset[2][day, columns.index("energy_high")] += 500
    after = bounds(one(performance(given, MAY), "energy_saving"))
    assert before[0] - after[0] == pytest.approx(500 * PER_KWH / 1000)
    assert after[1:] == pytest.approx(before[1:])


def test_a_baseline_with_a_month_missing_is_refused() -> None:
    found = one(performance(plant(first=date(2025, 2, 1)), MAY), "energy_saving")
    assert "11 complete months; a regression needs 12" in str(found.reason)


def test_before_the_renovation_nothing_was_saved_yet() -> None:
    march = Period("month", date(2025, 3, 1), date(2025, 4, 1))
    assert [each.kpi for each in performance(plant(), march)] == ["energy_intensity"]


def test_a_running_month_has_no_saving_yet() -> None:
    running = Period("month", MAY.start, MAY.end, is_open=True)
    found = one(performance(plant(), running), "energy_saving")
    assert "the month is not over" in str(found.reason)


def test_output_beyond_what_the_baseline_has_seen_is_counted() -> None:
    january = Period("month", date(2026, 1, 1), date(2026, 2, 1))
    found = one(performance(plant(), january), "energy_saving")
    assert found.inputs["months_outside_baseline"] == 1


# Heating and cooling degree days of 18 months from January 2025 on; the second winter is milder.
WARMTH = [
    (420, 0), (360, 0), (230, 0), (80, 0), (5, 40), (0, 120), (0, 260), (0, 280), (0, 130),
    (30, 20), (160, 0), (350, 0), (320, 0), (250, 0), (150, 0), (40, 0), (0, 90), (0, 190),
]  # fmt: skip


def test_mild_weather_is_no_saving() -> None:
    """Heating takes 30 kWh a degree day, cooling 20: without them May 2026 seems to save less."""
    weather: dict[str, Any] = {"warmth": WARMTH, "per_degree_kwh": (30.0, 20.0)}
    for saved in (0.0, 0.2):
        found = one(performance(plant(saved=saved, **weather), MAY), "energy_saving")
        would_be = (31 * (400 + 0.1 * 12_000) + 20 * 90) * PER_KWH / 1000
        assert bounds(found)[1] == pytest.approx(saved * would_be, abs=1e-9)
        model = found.inputs["model"]
        assert model["tce_per_heating_degree_days"] == pytest.approx(30 * PER_KWH / 1000)
        assert model["tce_per_cooling_degree_days"] == pytest.approx(20 * PER_KWH / 1000)


def test_degree_days_that_do_not_reach_every_month_are_left_out() -> None:
    for warmth in (WARMTH[:11], WARMTH[:16]):
        found = one(performance(plant(warmth=warmth), MAY), "energy_saving")
        assert found.point is not None
        assert "tce_per_heating_degree_days" not in found.inputs["model"]


def test_degree_days_that_energy_falls_with_are_left_out() -> None:
    found = one(
        performance(plant(warmth=WARMTH, per_degree_kwh=(30.0, -20.0)), MAY), "energy_saving"
    )
    assert "tce_per_heating_degree_days" in found.inputs["model"]
    assert "tce_per_cooling_degree_days" not in found.inputs["model"]


def test_weather_that_was_always_the_same_explains_nothing() -> None:
    found = one(performance(plant(warmth=[(100, 0)] * 18), MAY), "energy_saving")
    assert found.point is not None
    assert not {"tce_per_heating_degree_days", "tce_per_cooling_degree_days"} & {
        *found.inputs["model"]
    }


def test_degree_days_stand_among_the_inputs_of_the_intensity() -> None:
    found = one(performance(plant(warmth=WARMTH), MAY), "energy_intensity").inputs
    assert (found["heating_degree_days"], found["cooling_degree_days"]) == (0, 90)
    half_year = Period("window", date(2026, 1, 1), END)
    found = one(performance(plant(warmth=WARMTH), half_year), "energy_intensity").inputs
    assert (found["heating_degree_days"], found["cooling_degree_days"]) == (760, 280)


def test_a_baseline_of_stored_figures_gives_the_same_saving() -> None:
    given = plant(saved=0.2, scatter=5.0)
    whole = one(performance(given, MAY), "energy_saving")
    stored = []
    for start, end in months(FIRST, RENOVATED):
        figure = one(performance(given, Period("month", start, end)), "energy_intensity")
        tce, hours = figure.inputs["tce"], figure.inputs["standard_hours"]
        stored.append(BaselineMonth(start, end, tce, hours, figure.coverage))
    for asset_id in (1, 2):
        given.days.of_asset[asset_id][: (RENOVATED - FIRST).days] = 0
    assert one(performance(replace(given), MAY), "energy_saving").point is None
    found = one(performance(replace(given, baseline=tuple(stored)), MAY), "energy_saving")
    assert (bounds(found), found.inputs) == (bounds(whole), whole.inputs)
