"""An overdue report, from its warning and its escalation to a late submission that ends both."""

from datetime import UTC, datetime

from api.pool import nightly, todos
from tests.api.pool.reporting import Reporting


def open_todos(reporting: Reporting) -> set[tuple[str, str]]:
    """Return the to-dos about the report that are open, by kind and role."""
    todos.turn(reporting.pooled.conn, now=reporting.pooled.now)
    found = reporting.rows(
        "SELECT kind, role FROM pool.todo WHERE closed_at IS NULL AND kind LIKE '%_report'"
    )
    return {(kind, role) for kind, role in found}


def warned(reporting: Reporting) -> bool:
    """Tell whether the report is warned of."""
    found = reporting.rows(
        "SELECT subject FROM pool.warning WHERE rule = 'report_overdue' AND cleared_at IS NULL"
    )
    return found == [(str(reporting.report_id),)]


def test_an_overdue_report_is_raised_and_its_late_submission_ends_everything(
    reporting: Reporting,
) -> None:
    conn, pooled = reporting.pooled.conn, reporting.pooled
    assert open_todos(reporting) == {("fill_report", "ent_filler")}
    # Due on 15 April; on the night of the 16th it is late, and the county gets the to-do as well.
    pooled.now = datetime(2026, 4, 15, 17, 30, tzinfo=UTC)
    assert nightly.once(conn, pooled.now) is not None
    assert reporting.view().report.state == "overdue"
    assert warned(reporting)
    assert pooled.membership().state == "watch"
    late = {("fill_report", "ent_filler"), ("fill_report", "county_officer")}
    assert open_todos(reporting) == late
    # Handing it over to the approver does not end it; submitting it does.
    pooled.later(hours=9)
    reporting.fill_all()
    reporting.move("ent_filler", "hand_over")
    late = {("submit_report", "ent_approver"), ("submit_report", "county_officer")}
    assert open_todos(reporting) == late
    found = reporting.move("ent_approver", "submit")
    assert (found.state, found.overdue_since) == ("submitted", None)
    assert open_todos(reporting) == {("check_report", "county_officer")}
    pooled.later(hours=15)
    assert nightly.once(conn, pooled.now) is not None
    assert not warned(reporting)
    # The sample factory sends no data: that stays.
    assert reporting.rows("SELECT rule FROM pool.warning WHERE cleared_at IS NULL") == [
        ("completeness",)
    ]
    assert open_todos(reporting) == {("check_report", "county_officer")}
