"""Reasons: codes with parameters, said in two languages, all in one table."""

import ast
import pickle
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

import kpi
from api.verdicts import REASONS
from kpi.annex1 import rules
from kpi.errors import BadTable, NotComputable
from kpi.factors import coefficients
from kpi.formulas.checks import positive
from kpi.reasons import (
    PLAIN,
    Reason,
    because,
    published,
    read,
    said,
    stored,
    table,
    terms,
    verdict_reasons,
    verdict_said,
    worded,
)
from kpi.verdicts import comparability, words

ROOT = Path(kpi.__file__).parent
# What a figure, a record set aside, a line or a claim is formed by.
FORMING = ("figures", "formulas", "energy", "annex1", "factors.py", "reliability.py")
# Messages of the commands: nothing of these is ever stored.
GUARDS = ("number", "non_negative", "positive", "at_most")


def calls(*names: str) -> Iterator[tuple[str, ast.Call]]:
    """Every call of some functions in the modules that form figures, with its place."""
    for name in FORMING:
        place = ROOT / name
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                    called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                    if called in names:
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_every_reason_that_the_code_can_give_is_in_the_table_with_its_parameters() -> None:
    given = set()
    for place, call in calls("because"):
        if isinstance(call.args[0], ast.Constant):
            code = str(call.args[0].value)
            assert code in table(), f"{place}: reasons.toml lacks {code}"
            named = {each.arg for each in call.keywords}
            assert named == fields(table()[code].en), f"{place}: {code}"
            given.add(code)
    given |= {rule.unsupported for rule in rules().values() if rule.unsupported} | {PLAIN}
    assert set(table()) == given, "the table holds what nothing gives"


def test_no_reason_is_a_sentence_in_the_code() -> None:
    texts = (ast.Constant, ast.JoinedStr)
    sentences = [
        f"{place}: {ast.unparse(call)}"
        for place, call in calls("NotComputable", "_unknown", "Unreadable")
        if any(isinstance(each, texts) for each in call.args[-1:])
    ]
    assert not sentences
    refusals = [
        place
        for place, call in calls("refused")
        if len(call.args) > 3 and isinstance(call.args[3], texts)
    ]
    assert not refusals


def test_every_reason_of_a_verdict_is_in_the_table() -> None:
    given = {*get_args(words.Reason), *get_args(comparability.Difference)}
    assert set(verdict_reasons()) == given
    assert set(REASONS) < given
    assert verdict_said({"about": "fulfilment", "code": "new", "text": "x"}, "zh") == "new (x)"


def test_both_languages_say_the_same_parameters() -> None:
    assert [code for code, each in table().items() if fields(each.zh) != fields(each.en)] == []


def test_every_named_quantity_has_chinese_words() -> None:
    named = set()
    for _, call in calls(*GUARDS):
        places = (0, 2) if ast.unparse(call.func) == "at_most" else (0,)
        for place in places:
            if isinstance(call.args[place], ast.Constant):
                named.add(str(call.args[place].value))  # type: ignore[attr-defined]
    # Symbols of the standard are the same in every language.
    lacking = sorted(each for each in named - set(terms()) if not each.isupper())
    assert lacking == []


def test_a_reason_says_itself_in_both_languages() -> None:
    found = because("entry_meter_silent", meter="EM01")
    assert found == "entry meter EM01 has no data in the period"
    assert found.said("zh") == "进线表 EM01 在统计期内没有数据"
    assert found.stored == 'entry_meter_silent {"meter": "EM01"}'
    assert said(found.stored, "zh") == found.said("zh")


def test_a_reason_may_rest_on_another_and_name_several() -> None:
    why = because("headcount_missing", months=["2026-01", "2026-02"])
    found = because("only_declared", because=why, value=33.0, document="D-7")
    assert said(found.stored, "zh") == (
        "没有 2026-01、2026-02 的可读用工人数记录；33 仅为申报（D-7）"
    )
    assert said(found.stored, "en") == str(found)


def test_names_of_quantities_are_said_in_chinese() -> None:
    with pytest.raises(NotComputable) as refused:
        positive("factor of electricity", -1.0)
    assert isinstance(refused.value.reason, Reason)
    assert refused.value.reason.said("zh") == "电力的折标系数须大于零，现为 -1"
    carrier = next(iter(coefficients().values()))
    assert terms()[carrier.carrier]


def test_a_sentence_stored_before_reasons_had_codes_still_shows() -> None:
    old = "data cover 61.2% of the period, less than 75 %"
    assert (said(old, "zh"), said(old, "en"), read(old).code) == (old, old, PLAIN)
    # A later version's reason, read by an earlier one.
    assert said('not_known_yet {"a": 1}', "zh") == 'not_known_yet {"a": 1}'
    assert said('coverage {"coverage": ', "en") == 'coverage {"coverage": '
    assert said('coverage {"share": 1}', "en") == 'coverage {"share": 1}'
    assert said(None, "en") == ""


def test_other_programs_get_the_code_and_both_sentences() -> None:
    values = stored(
        {"reason": because("no_data"), "inputs": {"absent": [because("given_twice")], "n": 1}}
    )
    assert published(values) == {
        "reason": "no_data",
        "reason_zh": "统计期内没有数据",
        "reason_en": "no data in the period",
        "inputs": {
            "absent": [{"code": "given_twice", "zh": "重复提供", "en": "given twice"}],
            "n": 1,
        },
    }
    assert published({"mttr_reason": None, "point": 1.0}) == {
        "mttr_reason": None, "mttr_reason_zh": None, "mttr_reason_en": None, "point": 1.0,
    }  # fmt: skip
    assert worded(values, "en")["inputs"]["absent"] == ["given twice"]


def test_a_reason_keeps_its_code_from_process_to_process() -> None:
    found = because("coverage", coverage=0.5)
    assert pickle.loads(pickle.dumps(found)).stored == found.stored


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_json_has_not_is_kept_as_a_word(value: float) -> None:
    assert str(value) in said(because("negative", name="quantity", value=value).stored, "zh")


def test_a_code_that_nobody_wrote_down_is_refused() -> None:
    with pytest.raises(BadTable, match=r"reasons\.toml has no reason"):
        because("whatever")
