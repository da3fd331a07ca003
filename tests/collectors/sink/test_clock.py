"""A clock that is wrong is said once, and a slow answer is not taken for one."""

import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.sink.clock import ClockWatch, kept_offset_s

THERE = datetime(2026, 3, 1, tzinfo=UTC)
THERE_S = THERE.timestamp()


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    return [(record.levelno, record.getMessage()) for record in caplog.records]


@pytest.mark.parametrize(
    ("ahead_s", "words"), [(121, "121 s ahead of"), (-86_400, "86400 s behind the city's")]
)
def test_a_wrong_clock_is_said_once_and_once_when_it_is_right(
    caplog: pytest.LogCaptureFixture, tmp_path: Path, ahead_s: float, words: str
) -> None:
    path = tmp_path / "state" / "clock.json"
    assert kept_offset_s(path) is None
    clock = ClockWatch(path)
    for _ in range(3):
        clock.see(THERE, THERE_S + ahead_s, THERE_S + ahead_s)
    assert clock.offset_s == ahead_s
    assert kept_offset_s(path) == ahead_s
    ((level, line),) = said(caplog)
    assert level == logging.ERROR
    assert words in line
    for _ in range(3):
        clock.see(THERE, THERE_S, THERE_S)
    assert said(caplog)[1:] == [
        (logging.WARNING, "the clock of this machine agrees with the city's again")
    ]
    assert clock.offset_s == 0
    assert kept_offset_s(path) == 0


def test_the_middle_of_a_turn_is_compared(caplog: pytest.LogCaptureFixture) -> None:
    clock = ClockWatch()
    clock.see(THERE, THERE_S - 10, THERE_S + 30)
    assert clock.offset_s == 10
    # An answer after 400 s may have been given at any time in between.
    clock.see(THERE, THERE_S, THERE_S + 400)
    assert said(caplog) == []


def test_a_state_that_cannot_be_kept_or_read_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    for text in ("", "[]", '{"ahead_s": "x"}'):
        path.write_text(text, "utf-8")
        assert kept_offset_s(path) is None
    clock = ClockWatch(path / "in a file" / "clock.json")
    clock.see(THERE, THERE_S, THERE_S)
    assert clock.offset_s == 0
