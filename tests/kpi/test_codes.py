"""Unified social credit codes and size classes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi.codes import (
    CREDIT_CHARACTERS,
    CREDIT_WEIGHTS,
    credit_check,
    credit_code,
    enterprise_size,
    organisation_check,
)
from kpi.errors import NotComputable

EXAMPLE = "91350100M000100Y43"


def test_published_code() -> None:
    """GB 32100-2015 prints 91350100M000100Y43 as its example."""
    assert credit_code(EXAMPLE).valid


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("12345", "18 characters"),
        (EXAMPLE + "0", "18 characters"),
        (EXAMPLE.lower(), "capital letters"),
        (EXAMPLE.replace("M", "I"), "capital letters"),
        (EXAMPLE.replace("9", "９", 1), "capital letters"),
        ("9135A100M000100Y43", "region"),
        ("91350100M000100Y53", "character 17"),
        ("91350100M000100Y44", "character 18"),
        ("91350211M0000XUF46", "character 18"),
    ],
)
def test_invalid_codes_name_the_reason(code: str, reason: str) -> None:
    found = credit_code(code)
    assert not found.valid
    assert found.reason is not None
    assert reason in found.reason


def test_weights_are_powers_of_three() -> None:
    assert [pow(3, i, 31) for i in range(17)] == list(CREDIT_WEIGHTS)


@given(
    st.text("0123456789", min_size=6, max_size=6),
    st.text(CREDIT_CHARACTERS, min_size=8, max_size=8),
    st.integers(0, 17),
    st.sampled_from(CREDIT_CHARACTERS),
)
def test_one_wrong_character_never_passes(region: str, body: str, place: int, wrong: str) -> None:
    start = f"91{region}{body}{organisation_check(body)}"
    code = start + credit_check(start)
    assert credit_code(code).valid
    if code[place] != wrong:
        assert not credit_code(code[:place] + wrong + code[place + 1 :]).valid


@pytest.mark.parametrize(
    ("employees", "revenue_wan", "size"),
    [
        (1000, 40_000, "大型"),
        (1000, 39_999, "中型"),
        (999, 40_000, "中型"),
        (300, 2_000, "中型"),
        (300, 1_999, "小型"),
        (299, 2_000, "小型"),
        (20, 300, "小型"),
        (19, 300, "微型"),
        (5000, 299, "微型"),
        (0, 0, "微型"),
    ],
)
def test_published_size_bounds(employees: float, revenue_wan: float, size: str) -> None:
    """国统字〔2017〕213号, industry: 1000/40 000, 300/2 000, 20/300; both bounds are needed."""
    assert enterprise_size(employees, revenue_wan) == size


def test_negative_employees_are_refused() -> None:
    with pytest.raises(NotComputable):
        enterprise_size(-1, 300)
