"""The policy table: dated, whole, and refused with the place where it is not."""

from datetime import date
from importlib.resources import files

import pytest

from kpi.errors import BadTable
from kpi.policy import policies, policy_on, read

TABLE = files("kpi").joinpath("tables", "verdict_policy.toml").read_text(encoding="utf-8")


def later(version: str = "2027.1", day: str = "2027-01-01") -> str:
    """The table with a second policy that is stricter on OEE."""
    second = TABLE[TABLE.index("\n[[policy]]") :]
    second = second.replace('version = "2026.1"', f'version = "{version}"')
    second = second.replace("valid_from = 2026-01-01", f"valid_from = {day}")
    return TABLE + second.replace("oee = { absolute = 0.02 }", "oee = { absolute = 0.01 }")


def test_the_policy_of_a_day_is_the_newest_that_applies_then() -> None:
    known = read(later())
    found = [policy_on(date(*day), known).version for day in ((2026, 12, 31), (2027, 1, 1))]
    assert found == ["2026.1", "2027.1"]
    assert policy_on(date(2027, 1, 1), known).tolerance("oee", "1").absolute == 0.01
    assert policy_on(date(2020, 1, 1), known).version == "2026.1", "before the first, the first"


def test_the_tolerance_is_the_larger_of_both() -> None:
    tolerance = policies()[0].tolerance("defect_rate", "1")
    assert tolerance.around(0.005) == pytest.approx(0.001)
    assert tolerance.around(0.05) == pytest.approx(0.005)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no [[policy]]"),
        (TABLE.replace("off_within = 0.10", ""), "'off_within'"),
        (TABLE.replace("off_within = 0.10", "off_within = 10"), "off_within is 10 but must be"),
        (TABLE.replace("met_from = 0.95", "met_from = 0.40"), "partly_from < met_from"),
        (TABLE.replace("oee = { absolute = 0.02 }", "oee = { absolut = 0.02 }"), "absolut"),
        (TABLE.replace("oee = { absolute = 0.02 }", "oee = { absolute = -1.0 }"), "of oee"),
        (TABLE.replace("other = { relative = 0.03 }", ""), "a line for other"),
        (later(day="2025-01-01"), "must be valid later than"),
        (later(version="2026.1"), "two policies have one version"),
    ],
)
def test_a_table_that_is_not_whole_is_refused_with_the_place(text: str, complaint: str) -> None:
    with pytest.raises(BadTable) as refusal:
        read(text)
    assert complaint in str(refusal.value)


def test_a_policy_without_a_source_is_refused() -> None:
    line = next(line for line in TABLE.splitlines() if line.startswith("source"))
    with pytest.raises(BadTable, match="source must name"):
        read(TABLE.replace(line, 'source = " "'))
