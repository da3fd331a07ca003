"""Entries of the audit in the reader's words: what was done, to what, and which state it led to."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from api.messages import Texts, catalogue
from api.pages.audit import row
from api.pool import dispute_table, lifecycle, report_table
from store.audit import Entry

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_NOTED = re.compile(r"\bnote\(\s*conn, [\w.]+, \"(\w+)\"")
_KINDS = re.compile(r"\bkind=\"(\w+)\", key=")


def entry(action: str, kind: str = "membership", **changed: Any) -> Entry:
    return Entry(
        1, datetime(2026, 3, 2, tzinfo=UTC), 1, "示例", "city_leader", action, kind, "7", "sample",
        changed.get("before"), changed.get("after"), None, "0" * 64,
    )  # fmt: skip


def sources() -> str:
    roots = [Path(str(files(name))) for name in ("api", "store")]
    return "\n".join(
        path.read_text(encoding="utf-8") for root in roots for path in root.rglob("*.py")
    )


def test_whatever_is_noted_has_words_in_both_languages() -> None:
    found = set(_NOTED.findall(sources()))
    assert len(found) >= 20
    steps = {
        *lifecycle.shipped().transitions,
        *(f"report_{each}" for each in report_table.table().steps),
        *(f"dispute_{each}" for each in dispute_table.table().steps),
    }
    tickets = {f"ticket_{each}" for each in ("opened", "answered", "replied", "closed", "reopened")}
    machine = {"warning_fired", "warning_cleared", "step_proposed", "proposal_ended"}
    evidence = {"evidence_recorded", "evidence_withdrawn", "request_made", "request_withdrawn"}
    for action in found | steps | tickets | machine | evidence | {"enter", "dispute_raise"}:
        assert _CHINESE.search(row(Texts("zh"), entry(action)).action), action
        assert not _CHINESE.search(row(Texts("en"), entry(action)).action), action
        assert row(Texts("en"), entry(action)).action != action


def test_every_kind_of_thing_has_a_name() -> None:
    found = set(_KINDS.findall(sources()))
    assert len(found) >= 12
    assert {each for each in found if f"kind.{each}" not in catalogue()} == set()


@pytest.mark.parametrize(
    ("kind", "before", "after", "said"),
    [
        ("membership", "cultivating", "watch", ("在库培育", "预警关注")),
        ("report", "submitted", "county_passed", ("已提交", "县级通过")),
        ("ticket", "open", "answered", ("待答复", "已答复")),
        ("membership", "own_state", "watch", ("own_state", "预警关注")),
    ],
)
def test_a_state_is_called_as_everywhere(
    kind: str, before: str, after: str, said: tuple[str, str]
) -> None:
    found = row(Texts("zh"), entry("warn", kind, before={"state": before}, after={"state": after}))
    (change,) = found.differences
    assert (change.name, change.before, change.after) == ("状态", *said)


def test_what_changed_is_said_in_words_and_rounded_numbers() -> None:
    noted = {
        "said": {"zh": "预警提示", "en": "Warning"},
        "moves": True,
        "falls_to": ["county_officer", "city_officer"],
        "numbers": {"kpi": "oee", "verified": 5.275961281716194, "findings": [202]},
        "pdf_sha256": "ab" * 32,
        "made_at": "2026-11-23T10:02:29+00:00",
    }
    found = row(Texts("en"), entry("warning_fired", "warning", after=noted)).differences
    assert {each.name: each.after for each in found} == {
        "Said": "Warning",
        "Changes the state": "yes",
        "Whose it is": "County officer, City officer",
        "Numbers": "KPI: Overall equipment effectiveness; Verified: 5.27596; Findings: 202",
        "Hash of the PDF": "abababababab…",
        "made_at": "2026-11-23 18:02",
    }
    assert not any(_CHINESE.search(each.after or "") for each in found)


def test_a_warning_is_named_by_its_rule() -> None:
    noted = entry("warning_fired", "warning")
    assert row(Texts("zh"), replace(noted, key="implausible P03")).about == (
        "预警 数据合理性校验不通过 P03"
    )


def test_the_machine_is_named_once() -> None:
    said = row(Texts("zh"), replace(entry("warn"), actor="system", role="system"))
    assert (said.actor, said.role) == ("系统任务", "")
