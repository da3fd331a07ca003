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


@pytest.mark.parametrize("found", [row(), row(("fulfilment", "no_figure", None))])
def test_nothing_is_said_where_there_is_a_word_or_the_figure_says_why(found: Compared) -> None:
    assert words.why(Texts("zh"), found, "fulfilment") == ""
    assert words.why(Texts("zh"), found, "consistency") == ""
