"""A disputed figure of the sample factory, for the tests of disputes."""

import hashlib

import store.figures
from api.pool import disputes, evidence, reruns
from api.pool.disputes import Given, Measured
from store.disputes import Dispute
from store.evidence_items import File
from tests.api.pool.pooled import Pooled
from tests.api.pool.reporting import YEAR, Reporting

PAPER = File("复测报告.pdf", "application/pdf", b"%PDF-1.7 sample")
SHA = hashlib.sha256(PAPER.content).hexdigest()
MEASURED = Measured(0.79, 0.78, 0.80, "现场连续 72 小时计时")


class Disputing:
    """A disputed OEE of the sample factory and the people who deal with it."""

    def __init__(self, reporting: Reporting) -> None:
        self.reporting = reporting
        self.pooled: Pooled = reporting.pooled
        self.conn = self.pooled.conn
        with self.pooled.as_("ent_filler") as actor:
            evidence.keep_file(self.conn, actor, self.pooled.factory_id, PAPER, now=self.pooled.now)
        self.number = 0

    def begin(self, role: str = "ent_approver", claimed: float = 0.8, *, rerun: bool = True) -> int:
        """Dispute the figure; its re-run is made unless a test waits for it."""
        with self.pooled.as_(role) as actor:
            self.number = disputes.raise_dispute(
                self.conn, actor, self.pooled.factory_id, "oee", YEAR[0], claimed=claimed,
                reason="计划停机被计为停机", file_sha256=SHA, now=self.pooled.now,
            )  # fmt: skip
        if rerun:
            self.rerun()
        return self.number

    def found(self) -> Dispute:
        dispute = store.disputes.dispute(self.conn, self.number)
        assert dispute is not None
        return dispute

    def move(
        self,
        role: str,
        step: str,
        comment: str = "",
        *,
        side: str | None = None,
        measured: Measured | None = None,
        document: str = "",
        file_sha256: str | None = None,
        verifier_id: int | None = None,
        name: str = "",
    ) -> Dispute:
        given = Given(
            step, comment,
            side=side, verifier_id=verifier_id, measured=measured, document=document,
            file_sha256=file_sha256,
        )  # fmt: skip
        version = self.found().version
        with self.pooled.as_(role, name) as actor:
            return disputes.move(
                self.conn, actor, self.number, given, version=version, now=self.pooled.now
            )

    def rerun(self) -> Dispute:
        """Make the re-run that was asked for."""
        return reruns.make(self.conn, self.number, now=self.pooled.now)

    def measure(self, role: str = "county_officer", side: str = "county") -> None:
        self.move("county_officer", "assign", side=side)
        self.move(role, "measure", measured=MEASURED, file_sha256=SHA)
