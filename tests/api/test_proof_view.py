"""What a factory's figures stand on, as its page shows it."""

from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from api.language import Language
from api.messages import Texts
from api.pages.proof_view import MOST_FINDINGS, proof
from kpi.reasons import because
from store.evidence import StoredEvidence
from store.findings import Finding
from store.locks import Lock
from tests.api.test_factory_page import page

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def finding(severity: str, subject: str = "M01", asset_id: int | None = None) -> Finding:
    return Finding(
        rule="P05", rule_version="1", severity=severity, subject=subject, asset_id=asset_id,
        tag_id=None, measured=1.2, threshold=1.0, unit="ratio", message="P05", shown=[],
        shown_count=1, finding_id=1, period_start=date(2026, 10, 1), period_end=date(2026, 11, 1),
        found_at=NOW, cleared_at=None,
    )  # fmt: skip


def evidence(verdict: str, days: int = 10, reason: str | None = None) -> StoredEvidence:
    return StoredEvidence(
        claim="D4.2c", method="EV-STATE", window_start=NOW, window_end=NOW + timedelta(days=30),
        rule_version="1", verdict=verdict, reason=reason, numbers={}, links={},
        expires_on=TODAY + timedelta(days=days), computed_at=NOW,
    )  # fmt: skip


def test_the_worst_findings_come_first_and_what_passed_is_left_out() -> None:
    given = [finding("review"), finding("pass"), finding("fail"), finding("warn")]
    found = proof(Texts("zh"), given, [], [], TODAY)
    assert [each.severity.text for each in found.findings] == ["不合理", "存疑", "待人工核查"]
    assert found.finding_count == 3
    assert "M01" in found.findings[0].sentence


def test_of_many_findings_the_first_are_shown_and_all_are_counted() -> None:
    found = proof(Texts("en"), [finding("fail")] * 30, [], [], TODAY)
    assert (len(found.findings), found.finding_count) == (MOST_FINDINGS, 30)


def test_all_findings_are_shown_to_whoever_asks_for_them() -> None:
    found = proof(Texts("en"), [finding("fail")] * 30, [], [], TODAY, most=30)
    assert (len(found.findings), found.finding_count) == (30, 30)


def test_a_finding_names_the_machine_beside_its_tag() -> None:
    names = {7: ("一号纺丝线", "Spinning line 1")}
    given = [finding("fail", "SP1.state", 7), finding("warn", "SP2.state", 8), finding("review")]
    found = proof(Texts("zh"), given, [], [], TODAY, names=names).findings
    subjects = [each.sentence.partition("：")[0] for each in found]
    assert subjects == ["一号纺丝线 SP1.state", "SP2.state", "M01"]
    (row,) = proof(Texts("en"), given[:1], [], [], TODAY, names=names).findings
    assert row.sentence.startswith("Spinning line 1 SP1.state: ")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", ("无法计算", "至 2026-12-03", "所有设备都没有状态点位")),
        ("en", ("Not computable", "until 2026-12-03", "no machine has a tag for its state")),
    ],
)
def test_evidence_says_why_it_is_missing_in_the_readers_language(
    language: Language, words: tuple[str, str, str]
) -> None:
    given = [evidence("not_computable", reason=because("no_machine_state").stored)]
    (row,) = proof(Texts(language), [], given, [], TODAY).evidence
    assert (row.verdict.text, row.until, row.why) == words


def test_evidence_that_expired_says_so() -> None:
    (row,) = proof(Texts("zh"), [], [evidence("proven", days=0)], [], TODAY).evidence
    assert (row.verdict.text, row.until, row.why) == ("已证明", "已过期", "")


def test_a_settled_period_says_who_settled_it() -> None:
    lock = Lock("month", date(2026, 3, 1), date(2026, 4, 1), "officer", NOW, None, None, None)
    (line,) = proof(Texts("zh"), [], [], [lock], TODAY).locks
    assert line == "2026-03，officer 于 2026-11-01 锁定"


def test_each_figure_of_the_page_leads_to_what_it_stands_on(client: httpx.Client) -> None:
    links = [
        str(link.attributes["href"])
        for link in page(client).one("table", "comparison").all("a")
        if link.text == "数据依据"
    ]
    assert links
    found = page(client, links[0])
    assert found.one("h1").text.endswith("：数据依据")
    (way,) = [each for each in found.all("a") if each.text == "本页数据（接口）"]
    answer = client.get(str(way.attributes["href"])).raise_for_status().json()
    assert answer["factory"] == "SAMPLE-1"
    assert {"reason", "reason_zh", "reason_en"} <= set(answer)
