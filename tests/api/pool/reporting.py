"""A factory that reports: verified figures, and the people who fill in, submit and pass."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import store.figures
from api.pool import report_opening, reports
from api.pool.report_items import KPI, Given, Item
from api.pool.reports import View
from store import reports as stored
from store.reports import Report
from tests.api.pool.pooled import Pooled
from tests.api.samples import figure

YEAR = date(2025, 4, 1), date(2026, 4, 1)
QUARTER = date(2026, 1, 1), date(2026, 4, 1)
AFTER = datetime(2026, 4, 2, 1, tzinfo=UTC)


@dataclass
class Reporting:
    """The sample factory in April: its OEE is verified, its defect rate is not."""

    pooled: Pooled
    report_id: int = 0

    @classmethod
    def load(cls, pooled: Pooled) -> "Reporting":
        """Let the quarter end and the system open its report."""
        found = cls(pooled)
        pooled.conn.execute(
            "INSERT INTO pool.promise (factory_id, kpi, before_value, before_basis, expected_value)"
            " VALUES (%s, 'defect_rate', 0.02, 'declared', 0.01)",
            (pooled.factory_id,),
        )
        found.verify((0.75, 0.74, 0.76))
        pooled.now = AFTER
        (found.report_id,) = report_opening.open_due(pooled.conn, now=pooled.now)
        return found

    def verify(self, value: tuple[float, float, float]) -> int:
        """Publish a revision of the year's OEE and return its number."""
        made = figure(self.pooled.factory_id, "oee", "rolling12", YEAR, value)
        return store.figures.publish(self.pooled.conn, made, is_open=False)

    def view(self, role: str = "ent_filler") -> View:
        """Return the report as a person sees it."""
        with self.pooled.as_(role) as actor:
            return reports.view(self.pooled.conn, actor, self.report_id)

    def version(self) -> int:
        """Return the version of the report as it is."""
        found = stored.report(self.pooled.conn, self.report_id)
        assert found is not None
        return found.version

    def item(self, code: str) -> Item:
        """Return one item of the report."""
        return next(each for each in self.view().items if each.code == code)

    def fill(self, *given: Given, role: str = "ent_filler", name: str = "") -> Report:
        """Answer items as a person."""
        version = self.version()
        with self.pooled.as_(role, name) as actor:
            return reports.fill(
                self.pooled.conn, actor, self.report_id, given,
                version=version, now=self.pooled.now,
            )  # fmt: skip

    def fill_all(self, *given: Given) -> Report:
        """Answer every item, these as given and the others somehow."""
        said = {each.item: each for each in given}
        for each in self.view().items:
            if each.is_verified:
                said.setdefault(each.code, Given(each.code, "confirmed"))
            elif not each.optional:
                said.setdefault(each.code, Given(each.code, "given", some(each)))
        return self.fill(*said.values())

    def move(
        self, role: str, step: str, comment: str = "", *, name: str = "", **items: str
    ) -> Report:
        """Take a step as a person; `items` are named with _ for the dot."""
        version = self.version()
        why = {code.replace("_", ".", 1): text for code, text in items.items()}
        with self.pooled.as_(role, name) as actor:
            return reports.move(
                self.pooled.conn, actor, self.report_id, step,
                version=version, comment=comment, items=why, now=self.pooled.now,
            )  # fmt: skip

    def submit(self, *given: Given) -> Report:
        """Have the report filled in, handed over and submitted."""
        self.fill_all(*given)
        self.move("ent_filler", "hand_over")
        return self.move("ent_approver", "submit")

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Return what a statement finds, as the owner."""
        return self.pooled.conn.execute(statement.encode()).fetchall()


def some(item: Item) -> Any:
    """Return a value that fits an item."""
    if isinstance(item.form, tuple):
        return item.form[0]
    if item.code.startswith(KPI):
        return 0.012
    return "示例" if item.form == "text" else 12
