"""A bureau's own texts of letters: proposed by one, confirmed by another."""

from datetime import timedelta

import pytest

from api.exports import letter, texts
from api.pool import proposing, workdays
from api.pool.errors import BadText, Declined, NotAllowed
from api.pool.proposing import TEXTS, Outcome
from store import audit, proposals
from tests.api.exports.made import file_of, make_all
from tests.api.exports.opened import open_pdf
from tests.api.pool.pooled import Pooled

OWN = """
version = "示例-1"
title = "示例局预警函"
addressee = "{enterprise}："
issuer = "示例局"
[[block]]
text = "贵单位{factory}自{step_on}起列入预警。"
"""


def propose(pooled: Pooled, content: str = OWN) -> int:
    with pooled.as_("city_officer") as actor:
        return texts.propose(
            pooled.conn, actor, "warning_notice", content,
            valid_from=workdays.today(pooled.now), source="示例文号", now=pooled.now,
        )  # fmt: skip


def decide(pooled: Pooled, number: int, role: str, *, confirmed: bool, answer: str = "") -> None:
    with pooled.as_(role) as actor:
        outcome: Outcome = "confirmed" if confirmed else "declined"
        proposing.decide(pooled.conn, actor, TEXTS, number, outcome, answer=answer, now=pooled.now)


def test_a_confirmed_text_takes_the_place_of_ours(pooled: Pooled) -> None:
    number = propose(pooled)
    day = workdays.today(pooled.now)
    ours = letter.shipped("warning_notice")
    assert texts.in_force(pooled.conn, "warning_notice", day) == ours
    decide(pooled, number, "city_leader", confirmed=True)
    assert texts.in_force(pooled.conn, "warning_notice", day - timedelta(days=1)) == ours
    pooled.warn()
    made = make_all(pooled)["warning_notice"]
    text = open_pdf(file_of(pooled.conn, made, "pdf")).text
    assert "示例局预警函" in text
    assert "贵单位示例工厂自2026年3月2日起列入预警。" in text
    assert made.template_id is not None
    assert made.template_id.startswith("示例-1-")
    noted = audit.entries(pooled.conn, kind="letter_template")
    assert [each.action for each in noted] == ["template_confirmed", "template_proposed"]


def test_nobody_confirms_the_text_that_they_proposed(pooled: Pooled) -> None:
    number = propose(pooled)
    with pytest.raises(NotAllowed, match="somebody else"):
        decide(pooled, number, "city_officer", confirmed=True)
    (found,) = proposals.listed(pooled.conn, proposals.TEXTS)
    assert found.outcome is None


def test_a_text_is_declined_with_a_reason_and_once(pooled: Pooled) -> None:
    number = propose(pooled)
    with pytest.raises(Declined, match="say why"):
        decide(pooled, number, "city_leader", confirmed=False)
    decide(pooled, number, "city_leader", confirmed=False, answer="措辞不妥")
    with pytest.raises(Declined, match="declined already"):
        decide(pooled, number, "city_leader", confirmed=True)


def test_a_text_that_cannot_be_used_is_not_kept(pooled: Pooled) -> None:
    with pytest.raises(BadText, match=r"block 2: \{nothing\} is no fact"):
        propose(pooled, OWN + '[[block]]\ntext = "{nothing}"')
    assert proposals.listed(pooled.conn, proposals.TEXTS) == []
