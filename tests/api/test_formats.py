"""Numbers, times and periods as a person reads them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from api import formats


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (None, 1, "—"),
        (0.0, 1, "0.0"),
        (-0.04, 1, "0.0"),
        (-0.05001, 1, "−0.1"),
        (1234567.891, 2, "1,234,567.89"),
        (-1234.5, 0, "−1,234"),
    ],
)
def test_numbers(value: float | None, decimals: int, text: str) -> None:
    assert formats.number(value, decimals) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(None, "—"), (0.039, "+3.9 %"), (-0.004, "−0.4 %"), (0.0, "0.0 %"), (0.0001, "0.0 %")],
)
def test_deviations_have_a_sign(ratio: float | None, text: str) -> None:
    assert formats.signed_percent(ratio) == text


def test_a_window_is_named_by_its_first_and_last_month() -> None:
    assert formats.months(date(2025, 11, 1), date(2026, 11, 1)) == "2025-11 – 2026-10"
    assert formats.months(date(2026, 2, 1), date(2026, 3, 1)) == "2026-02"


def test_times_are_those_of_the_factory() -> None:
    moment = datetime(2025, 12, 31, 16, 30, 5, tzinfo=UTC)
    assert formats.local_time(moment, "Asia/Shanghai") == "2026-01-01 00:30:05"
    assert formats.local_minute(moment, "Asia/Shanghai") == "2026-01-01 00:30"
    assert formats.local_time(None, "Asia/Shanghai") == "—"
    assert formats.local_minute(None, "Asia/Shanghai") == "—"


def test_a_clock_ahead_of_ours_is_not_negatively_old() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert formats.age_s(now - timedelta(minutes=2), now) == 120
    assert formats.age_s(now + timedelta(minutes=2), now) == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        (0.0, "0"),
        (1_204_331.0, "1,204,331"),
        (88_120.25, "88,120.2"),
        (-12.5, "−12.5"),
        (0.000123456, "0.000123456"),
        (1.5e-7, "1.5e−07"),
        (100.0, "100"),
        (4_294_967_295.0, "4,294,967,295"),
    ],
)
def test_raw_values_keep_six_figures_and_whole_counts_all(value: float | None, text: str) -> None:
    assert formats.tag_value(value) == text
