"""Stored values and verdicts of one factory as words."""

from collections.abc import Mapping
from typing import Any

from api import comparison
from api.comparison import Comparison
from api.formats import kpi_value, percent
from api.kpis import Kpi
from api.messages import Texts
from api.pages.templates import Word
from api.verdicts import CONSISTENCY, FULFILMENT, REASONS
from kpi.reasons import said, verdict_said
from store.pool import Compared

_MOST_NAMED = 6


def fulfilment(t: Texts, found: Comparison, row: Compared) -> Word:
    """Return the fulfilment verdict, or why there is none."""
    code = comparison.fulfilment_word(found, row)
    if code is None:
        reason = "common.not_promised" if row.expected_value is None else "common.before_renovation"
        return Word(t(reason), "plain")
    return fulfilment_word(t, code)


def fulfilment_word(t: Texts, code: str) -> Word:
    """Return a fulfilment verdict as a person sees it."""
    word = FULFILMENT[code]
    return Word(t(f"fulfilment.{code}"), word.tone, word.shape)


def consistency(t: Texts, row: Compared) -> Word:
    """Return the consistency verdict, or that nothing was reported."""
    code = comparison.consistency_word(row)
    if code is None:
        return Word(t("common.not_reported"), "plain")
    return consistency_word(t, code)


def consistency_word(t: Texts, code: str) -> Word:
    """Return a consistency verdict as a person sees it."""
    word = CONSISTENCY[code]
    return Word(t(f"consistency.{code}"), word.tone, word.shape)


def why(t: Texts, row: Compared, about: str) -> str:
    """Return why a verdict has no word, with what differs; empty where it has one."""
    found = [
        verdict_said(each, t.language)
        for each in row.reasons or ()
        if each["about"] == about and each["code"] in REASONS
    ]
    return t("common.separator").join(found)


def key_equipment(t: Texts, found: Mapping[str, Any] | None) -> str:
    """Return for how much key equipment an OEE speaks; empty for another KPI."""
    if found is None:
        return ""
    if found["share"] is None:
        return said(found["reason"], t.language)
    covered = t("factory.key_equipment", share=percent(found["share"], 1))
    names = t("factory.names_separator").join(found["left_out"][:_MOST_NAMED])
    more = len(found["left_out"]) - _MOST_NAMED
    rest = t("factory.left_out_more", assets=names, count=more) if more > 0 else names
    return covered + (t("factory.left_out", assets=rest) if rest else "")


def unit_and_direction(t: Texts, kpi: Kpi) -> str:
    """Return the shown unit and which way is better."""
    return t("common.separator").join((kpi.shown_unit(t.language), t(f"common.{kpi.better}")))


def verified(t: Texts, kpi: Kpi, row: Compared) -> str:
    """Return the verified figure, or why there is no number; never a zero in its place."""
    if row.figure_id is None:
        return t("fulfilment.pending")
    return t("factory.unverifiable") if row.point is None else kpi_value(kpi, row.point)
