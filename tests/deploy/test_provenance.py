"""`millpond kpi explain`, `audit`, `diff`, `lock`, as a person reads them."""

import json
import re

import pytest

from tests.deploy.command import millpond
from tests.kpi.plant import Plant, lot
from tests.kpi.provenance.conftest import IN_APRIL, formed

__all__ = ["formed"]

Captured = pytest.CaptureFixture[str]


def test_a_figure_is_explained_down_to_the_key(formed: Plant, capsys: Captured) -> None:
    words = ("kpi", "explain", "sample", "oee", "2026-03", "--database", formed.url)
    said = millpond(capsys, *words)
    assert said.code == 0
    for part in ("sample oee 2026-03", "hour facts of M01", "gw-sample", "gateway gw-sample: key"):
        assert part in said.out
    assert re.search(r"^  key_equipment\.share = 1$", said.out, re.MULTILINE)
    assert not re.search("[{}]", said.out), "no value stands there as a program writes it"
    found = json.loads(millpond(capsys, *words, "--json").out)
    assert [batch["seq"] for batch in found["batches"]] == [2, 3]
    by_number = millpond(capsys, "kpi", "explain", found["figure_id"], "--database", formed.url)
    assert by_number.out == said.out


def test_an_audit_says_what_it_looked_at_and_fails_when_something_differs(
    formed: Plant, capsys: Captured
) -> None:
    words = ("kpi", "audit", "--all", "--factory", "sample", "--database", formed.url)
    said = millpond(capsys, *words)
    assert said.code == 0
    assert re.search(r"sample: 5 batches with 619 rows, \d+ hour facts, \d+ figures: all", said.out)
    formed.conn.execute("UPDATE telemetry.batch SET signature = %s WHERE seq = 3", (bytes(64),))
    said = millpond(capsys, *words)
    assert said.code == 1
    assert "batch 3 of gw-sample: the signature does not belong" in said.out
    (found,) = json.loads(millpond(capsys, *words, "--json").out)
    assert (found["holds"], found["problems"][0]["kind"]) == (False, "signature")
    other = ("kpi", "audit", "sample", "defect_rate", "2026-03", "--database", formed.url)
    assert millpond(capsys, *other).code == 0, "the batch of M02 does not bear on it"


def test_two_revisions_are_compared_and_a_locked_month_stays(
    formed: Plant, capsys: Captured
) -> None:
    database = ("--database", formed.url)
    formed.tell(lot("2026-03-02", 9))
    formed.refresh(IN_APRIL)
    said = millpond(capsys, "kpi", "diff", "sample", "defect_rate", "2026-03", *database)
    assert "record inspection 2026-03-02-L: version 1 to 2, batch 6" in said.out
    assert "why: records corrected: 1" in said.out
    locked = millpond(capsys, "kpi", "lock", "sample", "2026-03", "--actor", "officer", *database)
    assert locked.out == "locked 2026-03 of sample\n"
    formed.tell(lot("2026-03-02", 0))
    formed.refresh(IN_APRIL)
    listed = millpond(capsys, "kpi", "locks", "sample", *database).out
    assert "officer" in listed
    assert "defect_rate 2026-03 would be: 0.03\n" in listed
    reason = ("--reason", "the lot was inspected again", "--actor", "officer")
    assert millpond(capsys, "kpi", "unlock", "sample", "2026-03", *reason, *database).code == 0
    found = json.loads(millpond(capsys, "kpi", "locks", "sample", "--all", "--json", *database).out)
    assert found["locks"][0]["reason"] == "the lot was inspected again"
    assert found["pending"] == []


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("explain sample oee 2030-01", "sample has no figure oee 2030-01"),
        ("explain sample oee", "FACTORY KPI PERIOD"),
        ("explain sample oee 2026-99", "2026-99 is no period"),
        ("explain 999999", "there is no figure 999999"),
        ("diff sample oee 2026-03", "only one revision"),
        ("diff 1 x", "'x' is no number of a figure"),
        ("audit", "--all"),
        ("lock sample 2026-04", "has no closed figure yet"),
        ("unlock sample 2026-03 --reason why", "is not locked"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    formed: Plant, capsys: Captured, words: str, line: str
) -> None:
    said = millpond(capsys, "kpi", *words.split(), "--database", formed.url)
    assert said.code != 0
    assert line in said.line
