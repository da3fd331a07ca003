"""`millpond pool report open` and `millpond pool dispute rerun`, as a person calls them."""

import hashlib
import json
from datetime import UTC, datetime

import pytest

import store
import store.disputes
import store.reports
from api.pool import disputes, evidence
from store.evidence_items import File
from tests.api.pool.pooled import Pooled
from tests.api.pool.reporting import YEAR, Reporting
from tests.deploy.command import millpond

PAPER = File("a.pdf", "application/pdf", b"%PDF-1.7 sample")


def test_reports_are_opened_by_hand_each_once(
    db: store.Connection, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Pooled.load(db)
    words = ("pool", "report", "open", "--database", database_url)
    said = millpond(capsys, *words)
    assert said.code == 0
    opened = len(store.reports.listed(db))
    assert opened > 0
    assert f"{opened} opened" in said.out
    again = json.loads(millpond(capsys, *words, "--json").out)
    assert again["opened"] == 0


def test_a_dispute_is_run_again_by_hand(
    db: store.Connection, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    reporting = Reporting.load(Pooled.load(db))
    pooled, now = reporting.pooled, datetime.now(UTC)
    told = reporting.verify((0.74, 0.73, 0.75))
    assert told > 0
    with pooled.as_("ent_filler") as actor:
        evidence.keep_file(db, actor, pooled.factory_id, PAPER, now=now)
        number = disputes.raise_dispute(
            db, actor, pooled.factory_id, "oee", YEAR[0], claimed=0.8, reason="why",
            file_sha256=hashlib.sha256(PAPER.content).hexdigest(), now=now,
        )  # fmt: skip
    words = ("pool", "dispute", "rerun", "--database", database_url)
    said = millpond(capsys, *words, str(number))
    assert (said.code, f"dispute {number}, sample oee from {YEAR[0]}: 0.74 → 0.74" in said.out) == (
        0, True,
    )  # fmt: skip
    assert disputes.rerun_state(disputes.of(db, number)) == "done"
    assert "no re-run waits" in millpond(capsys, *words).out
    unknown = millpond(capsys, *words, "999")
    assert (unknown.code, unknown.line) == (1, "millpond: there is no dispute 999")
