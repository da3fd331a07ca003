"""Serial lines of a monitoring plan: stored, read back, and refused where they contradict it."""

from typing import Any

import pytest

import store
from store import plans, registry
from store.errors import PlanRefused
from store.plan_checks import check_plan
from tests.store.samples import sample_plan


def _with_line(**line: Any) -> dict[str, Any]:
    plan = sample_plan()
    for asset in plan["assets"]:
        asset["line"] = "L1" if asset["code"] == "M01" else None
        asset["in_oee"] = asset["code"] == "M01"
    return plan | {"lines": [{"code": "L1", **line}]}


def _lines(db: store.Connection) -> tuple[registry.Line, ...]:
    return registry.monitoring_plan(db, registry.factory_by_code(db, "sample")).lines


def test_a_line_is_read_as_it_was_loaded_and_goes_when_the_plan_drops_it(
    db: store.Connection,
) -> None:
    plans.load_plan(db, _with_line(last="M01", bottleneck="M01"))
    (line,) = _lines(db)
    assert (line.code, line.bottleneck_id, line.asset_ids) == ("L1", line.last_id, (line.last_id,))
    plans.load_plan(db, _with_line(last="M01"))
    assert [each.bottleneck_id for each in _lines(db)] == [None]
    plans.load_plan(db, _with_line(last="M01") | {"lines": []})
    assert _lines(db) == ()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({}, r"lines\[0\]: last is missing"),
        ({"last": "M02"}, r"lines\[0\]: last is 'M02' but must be an asset with in_oee true whose"),
        ({"last": "M99"}, r"lines\[0\]: last is 'M99' but must be an asset"),
        ({"last": "M01", "bottleneck": "M02"}, r"lines\[0\]: bottleneck is 'M02' but must be"),
    ],
)
def test_a_line_of_other_machines_is_refused(line: dict[str, Any], words: str) -> None:
    with pytest.raises(PlanRefused, match=words):
        check_plan(_with_line(**line))


def test_a_line_stands_in_the_plan_once() -> None:
    plan = _with_line(last="M01")
    with pytest.raises(PlanRefused, match="lines: L1 stands there twice"):
        check_plan(plan | {"lines": plan["lines"] * 2})
