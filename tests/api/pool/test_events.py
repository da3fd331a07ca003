"""Every event that the code can tell of asks something of somebody, or is named as quiet."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import api
from api.messages import catalogue
from api.pool import dispute_table, report_table, todo_rules
from api.pool.errors import BadTable
from api.pool.tickets import _EVENTS as TICKETS

_ROOT = Path(api.__file__).parent
_FILED = {step for step in report_table.table().steps if step != "fill"}

# What an expression that names an event's kind can stand for, by module.
SPOKEN = {
    ("pool/disputes.py", "f'dispute_{step}'"): {
        f"dispute_{step}" for step in {"raise", *dispute_table.table().steps}
    },
    ("pool/evidence.py", "action"): {"evidence_recorded", "evidence_withdrawn"},
    ("pool/entry.py", "action"): {"entry_corrected"},
    ("pool/reports.py", "action"): {
        "report_overdue" if step.startswith("overdue") else f"report_{step}" for step in _FILED
    },
    ("pool/tickets.py", "event"): set(TICKETS.values()),
}
# Functions that pass the kind on which they are called with.
PASSED_ON = {("pool/night.py", "kind"), ("pool/membership.py", "kind")}


def _calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == name:
            yield node


def _kinds() -> Iterator[tuple[str, set[str]]]:
    """Yield each place that tells of something with the kinds that it can tell of."""
    for path in sorted(_ROOT.rglob("*.py")):
        tree, place = ast.parse(path.read_text(encoding="utf-8")), str(path.relative_to(_ROOT))
        for call in _calls(tree, "happened"):
            kind = call.args[3]
            if isinstance(kind, ast.Constant):
                yield place, {str(kind.value)}
                continue
            key = place, ast.unparse(kind)
            if key in PASSED_ON:
                yield (
                    place,
                    {
                        each.value
                        for told in _calls(tree, "_tell")
                        for each in told.args
                        if isinstance(each, ast.Constant)
                        and isinstance(each.value, str)
                        and each.value
                    },
                )
            else:
                assert key in SPOKEN, f"{place} tells of {key[1]}: say here what that can be"
                yield place, SPOKEN[key]


def test_each_event_has_a_rule_or_is_quiet_and_no_rule_waits_for_what_never_happens() -> None:
    rules = todo_rules.shipped()
    told = {kind for _, kinds in _kinds() for kind in kinds}
    followed = {each.event for each in rules.rules}
    assert told - followed - rules.quiet == set(), "nobody hears of it"
    assert (followed | rules.quiet) - told == set(), "it never happens"
    assert {"moved", "report_overdue", "document_failed", "warning_fired"} <= followed


def test_each_kind_of_to_do_is_opened_and_closed_by_some_event() -> None:
    rules = todo_rules.shipped()
    opened = {name for each in rules.rules for name in (*each.open, *each.then)}
    closed = {name for each in rules.rules for name in (*each.close, *each.close_one)}
    assert opened == set(rules.kinds)
    assert closed == set(rules.kinds)


def test_what_is_told_has_a_text_and_no_text_is_left_over() -> None:
    told = {f"told.{each.event}" for each in todo_rules.shipped().rules if each.tell}
    assert told == {key for key in catalogue() if key.startswith("told.")}


def test_an_event_is_not_quiet_and_followed() -> None:
    text = 'quiet = ["moved"]\n[[rule]]\nevent = "moved"\n'
    with pytest.raises(BadTable, match="moved is quiet and has a rule"):
        todo_rules.read(text)
