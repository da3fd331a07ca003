"""The policy's keys, and what holds on a day."""

from datetime import date
from importlib.resources import files

import pytest

from api.pool.errors import BadTable
from api.pool.policy import Setting, keys, merged, read
from api.pool.workdays import Term

TABLE = files("api.pool").joinpath("policy.toml").read_text(encoding="utf-8")
DAY = date(2026, 11, 23)
KEY = """
[watch.clear_within]
default = 30
unit = "d"
least = 1
most = 365
kind = "proposal"
source = "来源"
source_en = "a source"
zh = "期限"
en = "term"
"""


def setting(value: int, day: date, key: str = "watch.clear_within") -> Setting:
    return Setting(key, value, day, "示例办法第一条")


def test_every_key_has_a_default_a_source_and_both_languages() -> None:
    for key in keys().values():
        assert key.fault(key.default) is None
        assert key.source
        assert key.source_en.isascii()
        assert key.zh != key.en
    assert {key.kind for key in keys().values()} == {"notice", "practice", "proposal"}


def test_what_the_bureau_has_not_set_is_marked() -> None:
    policy = merged(DAY, [])
    held = policy["watch.clear_within"]
    assert (held.value, held.settled, held.valid_from) == (30, False, None)
    assert policy.term("watch.clear_within") == Term(30, "d")
    assert policy.share("warning.completeness") == 0.9
    assert policy.count("site_check.people") == 2
    assert policy.text("report.year_due") == "03-31"


def test_a_setting_holds_from_its_day_on() -> None:
    settings = [setting(45, date(2026, 12, 1)), setting(20, date(2026, 1, 1))]
    values = [
        merged(day, settings)["watch.clear_within"].value
        for day in (date(2025, 12, 31), date(2026, 1, 1), DAY, date(2026, 12, 1))
    ]
    assert values == [30, 20, 20, 45]
    held = merged(DAY, settings)["watch.clear_within"]
    assert (held.settled, held.source) == (True, "示例办法第一条")


def test_of_two_settings_of_one_day_the_later_counts() -> None:
    settings = [setting(20, DAY), setting(25, DAY)]
    assert merged(DAY, settings)["watch.clear_within"].value == 25


def test_the_id_follows_the_values_and_nothing_else() -> None:
    plain, same = merged(DAY, []), merged(date(2027, 1, 1), [])
    settled = merged(DAY, [setting(30, DAY)])
    changed = merged(DAY, [setting(31, DAY)])
    assert plain.policy_id == same.policy_id == settled.policy_id
    assert changed.policy_id != plain.policy_id
    assert merged(DAY, [setting(9, DAY, key="gone.key")]).policy_id == plain.policy_id


def test_a_value_that_is_no_term_is_not_read_as_one() -> None:
    with pytest.raises(ValueError, match="no term"):
        merged(DAY, []).term("site_check.people")


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("watch.clear_within", 0, "between 1 and 365"),
        ("watch.clear_within", 366, "between 1 and 365"),
        ("watch.clear_within", 30.5, "whole number"),
        ("watch.clear_within", True, "must be a number"),
        ("watch.clear_within", "30", "must be a number"),
        ("warning.completeness", 90, "between 0 and 1"),
        ("report.year_due", "31-03", "such as 03-31"),
        ("report.year_due", 331, "such as 03-31"),
        ("lifecycle.file", 1, "lifecycle file"),
        ("watch.clear_within", 365, None),
        ("warning.completeness", 0.85, None),
        ("report.year_due", "04-30", None),
    ],
)
def test_a_value_out_of_place_is_named(key: str, value: object, fault: str | None) -> None:
    found = keys()[key].fault(value)
    assert found is None if fault is None else fault in str(found)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "has no keys"),
        ("x = ", "no TOML"),
        ("[watch]\nterm = 3", "watch.term belongs to no key"),
        (KEY.replace('source = "来源"\n', ""), "watch.clear_within lacks source"),
        (KEY.replace('"a source"', '" "'), "source_en must not be empty"),
        (KEY.replace("least = 1\n", ""), "go together"),
        (KEY.replace("default = 30", "default = 400"), "default must lie between"),
        (KEY.replace('unit = "d"', 'unit = "days"'), "unit must be one of"),
        (KEY.replace('"proposal"', '"guess"'), "kind must be one of"),
        (KEY + "colour = 1", "has no field colour"),
    ],
)
def test_a_table_that_is_not_whole_is_refused_with_the_key(text: str, complaint: str) -> None:
    with pytest.raises(BadTable) as refusal:
        read(text)
    assert complaint in str(refusal.value)
