"""The table of rules and its sentences."""

import re
from importlib.resources import files

import pytest

from kpi.plausibility import check, rules, sentence
from kpi.plausibility.rules import CHECKS, sentence_codes
from tests.kpi.plausibility.cases import batch, case


def test_every_rule_has_a_function_a_name_a_limit_and_a_sentence() -> None:
    table = rules()
    assert len(table) == 38
    assert [*table] == [f"Q{n:02}" for n in range(1, 12)] + [f"P{n:02}" for n in range(1, 28)]
    for rule in table.values():
        assert rule.name_zh
        assert rule.name_en
        assert rule.source
        assert rule.id in sentence_codes()


def test_every_reason_in_the_code_has_a_sentence() -> None:
    package = files("kpi.plausibility")
    sources = "".join(
        part.read_text(encoding="utf-8") for part in package.iterdir() if part.name.endswith(".py")
    )
    raised = set(re.findall(r'NotApplicable\("(\w+)"\)', sources)) | {"no_power_limit"}
    given = {reason for _, reason in CHECKS.values()}
    assert raised | given | set(CHECKS) == sentence_codes()


@pytest.mark.parametrize("rule", list(CHECKS))
def test_a_rule_without_any_data_never_passes(rule: str) -> None:
    assert {f.severity for f in check(case()) if f.rule == rule} <= {"not_applicable", "fail"}


def test_a_sentence_says_subject_measure_and_limit_in_both_languages() -> None:
    found = next(f for f in check(case(batches=[batch(clock_skew_s=120.0)])) if f.rule == "P22")
    assert sentence(found, "zh") == "gw：时钟偏差120秒（限值60秒）"
    assert sentence(found, "en") == "gw: the clock is 120 s off (limit 60 s)"


def test_a_pass_is_that_of_the_subject_nearest_to_the_limit() -> None:
    batches = [batch(1, clock_skew_s=3.0), batch(1, gateway="other", clock_skew_s=30.0)]
    (found,) = [f for f in check(case(batches=batches)) if f.rule == "P22"]
    assert (found.severity, found.subject, found.measured) == ("pass", "other", 30)


def test_every_sentence_of_a_finding_can_be_read() -> None:
    for finding in check(case()):
        for language in ("zh", "en"):
            assert "{" not in sentence(finding, language)


def test_the_document_has_the_table_as_it_is() -> None:
    page = files("kpi.plausibility").joinpath("README.md").read_text(encoding="utf-8")
    lines = page.partition("<!-- rules -->\n")[2].partition("<!-- /rules -->")[0].splitlines()[2:]
    shown = [line.replace("\\|", "¦").strip("| ").split(" | ") for line in lines]
    assert [row[0] for row in shown] == list(rules())
    for row, rule in zip(shown, rules().values(), strict=True):
        limits = [rule.limits.get(name) for name in ("review", "warn", "fail")]
        given = [float(cell) if cell.strip() else None for cell in row[6:9]]
        assert row[1:6] == [
            rule.name_zh, rule.name_en, rule.measure.replace("|", "¦"), rule.unit, rule.worse,
        ]  # fmt: skip
        assert given == limits
        assert row[9] == rule.source
