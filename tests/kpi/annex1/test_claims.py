"""The claims of a factory: which ones, by which systems, until when they hold."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from kpi.annex1 import Claim, assess, claims, rule_version, rules
from kpi.annex1.systems import sources
from kpi.errors import NotComputable
from tests.kpi.annex1.footprints import END, THIRTY, Records, footprint, rec


def daily(days: int, *, skip: int = 0, last: int = 31) -> Records:
    """A job on each of some days of March, the last one on a day of the month."""
    return {
        "job": [rec(f"J{day}", f"03-{day:02} 09:00") for day in range(last - days + 1, last + 1)][
            skip:
        ]
    }


MES = Claim("D0", "discrete", "A", "示例", "sample", ("MES", "SCADA"), ("EV-SRC",))


@pytest.mark.parametrize(
    ("records", "verdict"),
    [
        (daily(27), "proven"),
        (daily(26), "not_proven"),
        (daily(28, last=30), "not_proven"),  # 39 h old
        ({}, "not_proven"),
    ],
)
def test_a_source_sends_nearly_every_production_day_and_lately(
    records: Records, verdict: str
) -> None:
    found = sources(footprint(records=records), rules()["EV-SRC"], claim=MES)
    assert found.verdict == verdict
    assert found.numbers["production_days"] == 30
    assert found.numbers["not_told"] == ["SCADA"]


def test_a_system_that_sends_no_kind_of_record_cannot_be_told() -> None:
    claim = Claim("D0", "discrete", "B", "示例", "sample", ("PDM",), ("EV-SRC",))
    with pytest.raises(NotComputable, match="no kind of record tells of PDM"):
        sources(footprint(), rules()["EV-SRC"], claim=claim)


def test_without_a_calendar_no_day_is_a_production_day() -> None:
    with pytest.raises(NotComputable, match="no busy time was planned"):
        sources(footprint(facts={}), rules()["EV-SRC"], claim=MES)


@pytest.mark.parametrize(("kind", "letter"), [("discrete", "D"), ("process", "P")])
def test_a_factory_is_judged_by_the_claims_of_its_kind(kind: str, letter: str) -> None:
    found = assess(footprint(kind=kind))
    assert {each.claim.claim[0] for each in found} == {letter}
    wanted = {(c.claim, m) for c in claims() if c.claim[0] == letter for m in c.methods}
    assert {(each.claim.claim, each.rule.method) for each in found} == wanted
    assert len(found) == len(wanted)


def test_claims_are_of_the_classes_that_data_can_speak_for() -> None:
    assert {claim.evidence_class for claim in claims()} == {"A", "B"}
    assert len({claim.claim for claim in claims()}) == len(claims())
    assert rule_version().startswith("A1-")


def test_evidence_expires() -> None:
    rule = rules()["EV-CONN"]
    assert rule.start(END) == THIRTY[0]
    assert rule.expires(END) == END + timedelta(days=30)


def test_a_window_of_months_ends_with_the_last_whole_month() -> None:
    rule = rules()["EV-WARN"]
    window = rule.start(date(2026, 4, 17)), rule.end(date(2026, 4, 17))
    assert window == (date(2026, 1, 1), date(2026, 4, 1))


def test_each_method_is_documented() -> None:
    page = Path(__file__).parents[3] / "docs" / "evidence.md"
    text = page.read_text(encoding="utf-8")
    assert [name for name in rules() if f"`{name}`" not in text] == []
