"""Why a verdict has no word, as a person reads it."""

from dataclasses import fields
from typing import Any

import pytest

from api.messages import Texts
from api.pages import words
from store.pool import Compared


def row(*reasons: tuple[str, str, str | None]) -> Compared:
    """A compared KPI with the reasons of its verdicts, as (about, code, text)."""
    given: dict[str, Any] = dict.fromkeys(field.name for field in fields(Compared))
    named = [dict(zip(("about", "code", "text"), each, strict=True)) for each in reasons]
    return Compared(**given | {"kpi": "oee", "reasons": named})


def test_what_differs_between_two_years_is_named() -> None:
    found = row(
        ("fulfilment", "ideal_cycles", "M01 1: 60 s → 30 s"),
        ("fulfilment", "devices", "+ M03"),
        ("consistency", "bounds", None),
    )
    assert words.why(Texts("zh"), found, "fulfilment") == (
        "理想节拍不同 (M01 1: 60 s → 30 s) · 设备范围不同 (+ M03)"
    )
    assert words.why(Texts("en"), found, "consistency") == "bounds on both sides of what decides"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, ""),
        ({"share": 1.0, "left_out": []}, "covers 100.0 % of key equipment"),
        (
            {"share": 0.5, "left_out": ["M1", "M2"]},
            "covers 50.0 % of key equipment, without M1, M2",
        ),
        (
            {"share": 0.1, "left_out": [f"M{number}" for number in range(1, 10)]},
            "covers 10.0 % of key equipment, without M1, M2, M3, M4, M5, M6 and 3 more",
        ),
        (
            {"share": None, "reason": "key_equipment_unplanned {}"},
            "no busy time of registered key equipment was planned",
        ),
    ],
)
def test_an_oee_says_for_how_much_key_equipment_it_speaks(
    given: dict[str, Any] | None, said: str
) -> None:
    assert words.key_equipment(Texts("en"), given) == said


@pytest.mark.parametrize("found", [row(), row(("fulfilment", "no_figure", None))])
def test_nothing_is_said_where_there_is_a_word_or_the_figure_says_why(found: Compared) -> None:
    assert words.why(Texts("zh"), found, "fulfilment") == ""
    assert words.why(Texts("zh"), found, "consistency") == ""
