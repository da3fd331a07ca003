"""Local days and instants."""

from datetime import UTC, date, datetime

from simulators import clock


def test_local_midnight_is_sixteen_hundred_utc_of_the_day_before() -> None:
    start = clock.midnight_us(clock.day_number(date(2025, 11, 1)))
    assert start == clock.to_us(datetime(2025, 10, 31, 16, tzinfo=UTC))


def test_an_instant_belongs_to_the_day_that_it_starts() -> None:
    day = clock.day_number(date(2025, 11, 1))
    assert clock.local_day(clock.midnight_us(day)) == day
    assert clock.local_day(clock.midnight_us(day) - 1) == day - 1


def test_months_carry_over_years() -> None:
    assert clock.add_months(date(2025, 11, 1), 3) == date(2026, 2, 1)
    assert clock.add_months(date(2025, 11, 1), -12) == date(2024, 11, 1)


def test_the_grid_is_half_open_and_on_quarter_hours() -> None:
    start = clock.midnight_us(clock.day_number(date(2025, 11, 1)))
    found = clock.grid(start, start + clock.DAY_US)
    assert len(found) == 96
    assert found[0] == start
    assert clock.grid(start + 1, start + clock.QUARTER_US).tolist() == []


def test_iso_text_carries_the_local_offset() -> None:
    instant = clock.midnight_us(clock.day_number(date(2025, 3, 10))) + 1
    assert clock.iso(instant) == "2025-03-10T00:00:00+08:00"
