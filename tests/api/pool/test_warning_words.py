"""Warnings in words: numbers as the pages show them, and what cleared each."""

import pytest

from api.pool import warnings

INCONSISTENT = {
    "kpi": "inventory_turnover", "period_start": "2026-01-01", "period_end": "2027-01-01",
    "reported": 8.214987, "verified": 6.5, "deviation": 0.263844,
}  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "numbers", "words"),
    [
        ("inconsistent", INCONSISTENT, ("821.5 %", "650.0 %")),
        ("inconsistent", INCONSISTENT | {"kpi": "oee", "reported": 0.9, "verified": None},
         ("90.0 %", "核验 —")),
        ("worse", {"kpi": "standard_coal", "quarters": 2, "verified": [812.44, 840.0],
                   "before": 800.0}, ("812.4 吨标准煤 → 840.0 吨标准煤", "改造前 800.0 吨标准煤")),
        ("completeness", {"share": 0.71, "least": 0.9, "first": "2026-01-01",
                          "last": "2026-01-30"}, ("71.0 %", "低于 90 %")),
    ],
)  # fmt: skip
def test_numbers_stand_as_the_kpis_own_pages_show_them(
    rule: str, numbers: dict[str, object], words: tuple[str, ...]
) -> None:
    said = warnings.retold(rule, numbers, "zh")
    assert all(each in said for each in words), said


def test_a_warning_of_an_older_rule_is_told_with_its_bare_numbers() -> None:
    assert warnings.retold("nothing_like_it", {"a": 1, "b": "x"}, "zh") == "a = 1, b = x"
    assert warnings.retold("completeness", {"part": 0.5}, "en") == "part = 0.5"


def test_what_cleared_a_warning_is_said_with_its_own_numbers() -> None:
    numbers = {"share": 0.95, "least": 0.9, "first": "2026-01-01", "last": "2026-01-30"}
    said = warnings.ended("completeness", numbers, "zh")
    assert said == "2026-01-01 至 2026-01-30 数据完整率 95.0 %，达到 90 %"
    assert warnings.ended("accident", {"looked_on": "2026-01-30", "found": 0}, "zh") is None
    assert warnings.ended("completeness", {"looked_on": "2026-01-30", "left": True}, "zh") is None


def test_every_rule_says_what_clears_it_and_names_policy_that_there_is() -> None:
    for rule in warnings.rules().values():
        assert rule.clears["zh"], rule.rule
        assert rule.clears["en"], rule.rule
