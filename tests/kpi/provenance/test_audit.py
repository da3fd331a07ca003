"""The audit finds and names whatever was changed behind the system's back, by SQL."""

from typing import Any

import pytest

from kpi.provenance import Audit, audit_factory, audit_figure, ledger
from store import registry, signing
from store.canonical import Record
from tests.kpi.plant import Plant, china, lot, machine_day
from tests.kpi.provenance.conftest import IN_APRIL, march


def audited(plant: Plant) -> Audit:
    """The audit of the whole factory."""
    factory = registry.factory_by_code(plant.conn, "sample")
    return audit_factory(plant.conn, factory, IN_APRIL)


def said(found: Audit, kind: str) -> list[str]:
    """The sentences of one kind of problem."""
    return [problem.said for problem in found.problems if problem.kind == kind]


def change(plant: Plant, statement: str, *values: Any) -> None:
    """Change what is stored; it must hit one row."""
    assert plant.conn.execute(statement.encode(), values).rowcount == 1


def test_what_nobody_touched_holds_and_all_of_it_was_looked_at(formed: Plant) -> None:
    found = audited(formed)
    assert found.problems == []
    assert found.notes == []
    assert (found.batches, found.rows) == (5, 31 + 2 * 3 * 96 + 12)
    hours = formed.conn.execute("SELECT count(*) FROM kpi.fact_hour").fetchone()
    figures = formed.conn.execute("SELECT count(*) FROM kpi.figure").fetchone()
    assert hours == (found.hours,)
    assert figures == (found.figures,)


def test_pages_and_parts_make_no_difference_and_progress_is_told(
    formed: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "_PAGE", 2)
    monkeypatch.setattr(ledger, "MOST_ROWS", 300)
    told: dict[str, tuple[int, int]] = {}
    factory = registry.factory_by_code(formed.conn, "sample")
    found = audit_factory(
        formed.conn,
        factory,
        IN_APRIL,
        lambda what, done, of: told.update({what: (done, of)}),
    )
    assert (found.problems, found.batches) == ([], 5)
    assert set(told) == {"batches", "asset-months of facts", "figures"}
    assert all(done == of for done, of in told.values())


@pytest.mark.parametrize("kpi", ["oee", "defect_rate", "standard_coal", "inventory_turnover"])
def test_one_figure_that_nobody_touched_holds(formed: Plant, kpi: str) -> None:
    found = audit_figure(formed.conn, march(formed, kpi).figure_id, IN_APRIL)
    assert (found.problems, found.figures) == ([], 1)


def test_one_changed_value_is_named_with_what_was_signed(formed: Plant) -> None:
    tag_id = formed.gateway.tags["M01.total"]
    change(
        formed,
        "UPDATE telemetry.measurement SET value = 777 WHERE tag_id = %s AND ts = %s",
        *(tag_id, china("2026-03-02 12:15")),
    )
    for found in (
        audited(formed),
        audit_figure(formed.conn, march(formed, "oee").figure_id, IN_APRIL),
    ):
        assert said(found, "row") == [
            "batch 2 of gw-sample: row M01.total, 2026-03-02 12:15:00 was changed: "
            "value 777.0 is stored, 170.0 was signed"
        ]
        assert any("M01, hour 2026-03-02 12:00" in each for each in said(found, "rows"))


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("status", -(2**31), "status -2147483648 is stored, 0 was signed"),
        ("value", None, "value none is stored, 170.0 was signed"),
        ("ts", china("2026-03-02 12:16"), "it was signed with the time 2026-03-02 12:15:00"),
    ],
)
def test_each_field_of_a_row_is_told_as_it_was_signed(
    formed: Plant, column: str, value: Any, words: str
) -> None:
    change(
        formed,
        f"UPDATE telemetry.measurement SET {column} = %s WHERE tag_id = %s AND ts = %s",
        *(value, formed.gateway.tags["M01.total"], china("2026-03-02 12:15")),
    )
    (row,) = said(audited(formed), "row")
    assert words in row


def test_two_changed_values_are_narrowed_to_their_hours_and_tags(formed: Plant) -> None:
    for hour in ("10:15", "14:15"):
        change(
            formed,
            "UPDATE telemetry.measurement SET value = 777 WHERE tag_id = %s AND ts = %s",
            *(formed.gateway.tags["M01.total"], china(f"2026-03-02 {hour}")),
        )
    (row,) = said(audited(formed), "row")
    assert "M01 in the hour 2026-03-02 10:00 (M01.reject, M01.state, M01.total)" in row
    assert "M01 in the hour 2026-03-02 14:00" in row


def test_a_value_changed_before_the_facts_were_formed_again_names_the_batch(formed: Plant) -> None:
    change(
        formed,
        "UPDATE telemetry.measurement SET value = 777 WHERE tag_id = %s AND ts = %s",
        *(formed.gateway.tags["M01.total"], china("2026-03-02 12:15")),
    )
    formed.mark_everything()
    formed.refresh(IN_APRIL)
    (content,) = said(audited(formed), "content")
    assert content.startswith("batch 2 of gw-sample")


def test_a_deleted_row_is_missed_in_its_batch_and_hour(formed: Plant) -> None:
    change(
        formed,
        "DELETE FROM telemetry.measurement WHERE tag_id = %s AND ts = %s",
        *(formed.gateway.tags["M02.reject"], china("2026-03-02 12:15")),
    )
    found = audited(formed)
    assert "287 rows are stored, 1 rows too few" in said(found, "content")[0]
    assert "M02 in the hour 2026-03-02 12:00" in said(found, "row")[0]


def test_a_row_slipped_into_a_batch_is_found(formed: Plant) -> None:
    change(
        formed,
        "INSERT INTO telemetry.measurement (ts, tag_id, value, status, batch_id)"
        " SELECT %s, %s, 1, 0, batch_id FROM telemetry.batch WHERE seq = 3",
        *(china("2026-03-20 12:15"), formed.gateway.tags["M02.total"]),
    )
    assert "1 rows say that they came in batch number" in said(audited(formed), "content")[0]


def test_a_changed_fact_is_named_with_its_hour_and_column(formed: Plant) -> None:
    change(
        formed,
        "UPDATE kpi.fact_hour SET ideal_good_s = ideal_good_s + 60 WHERE hour = %s"
        " AND asset_id = (SELECT asset_id FROM registry.asset WHERE code = 'M01')",
        china("2026-03-02 11:00"),
    )
    (fact,) = said(audited(formed), "fact")
    assert "M01, hour 2026-03-02 11:00" in fact
    assert "ideal_good_s is 2220, its rows give 2160" in fact


def test_a_deleted_fact_is_named(formed: Plant) -> None:
    change(
        formed,
        "DELETE FROM kpi.fact_hour WHERE hour = %s"
        " AND asset_id = (SELECT asset_id FROM registry.asset WHERE code = 'M01')",
        china("2026-03-02 11:00"),
    )
    assert said(audited(formed), "fact") == ["the fact of M01, hour 2026-03-02 11:00 is missing"]


@pytest.mark.parametrize("column", ["low", "high", "coverage"])
def test_a_changed_figure_is_named_with_its_field(formed: Plant, column: str) -> None:
    before = march(formed, "defect_rate")
    number = {"low": 0.0, "high": 1.0, "coverage": 0.5}[column]
    change(
        formed,
        f"UPDATE kpi.figure SET {column} = %s WHERE figure_id = %s",
        *(number, before.figure_id),
    )
    for found in (audited(formed), audit_figure(formed.conn, before.figure_id, IN_APRIL)):
        (figure,) = said(found, "figure")
        assert f"sample defect_rate 2026-03 revision 1): {column} is {number:.12g}" in figure


def test_a_figure_made_better_with_its_bounds_is_named(formed: Plant) -> None:
    before = march(formed, "defect_rate")
    change(
        formed,
        "UPDATE kpi.figure SET point = 0.01, low = 0.01, high = 0.01 WHERE figure_id = %s",
        before.figure_id,
    )
    found = said(audited(formed), "figure")
    assert [each.partition("): ")[2] for each in found] == [
        f"{name} is 0.01, its evidence gives 0.05" for name in ("point", "low", "high")
    ]


def test_a_changed_figure_of_an_older_revision_is_found_by_its_own_hash(formed: Plant) -> None:
    old = march(formed, "defect_rate")
    formed.tell(lot("2026-03-05", 9))
    formed.refresh(IN_APRIL)
    change(formed, "UPDATE kpi.figure SET low = 0 WHERE figure_id = %s", old.figure_id)
    found = audited(formed)
    (figure,) = said(found, "figure")
    assert f"figure {old.figure_id} " in figure
    assert "do not belong to the hash" in figure
    (told,) = said(found, "published")
    assert f"low is 0, {old.low:.12g} was published" in told


def test_a_changed_record_is_named_and_so_is_its_figure(formed: Plant) -> None:
    change(
        formed,
        """UPDATE telemetry.record SET body = jsonb_set(body, '{scrap}', '0')
        WHERE key = %s""",
        "2026-03-02-L",
    )
    found = audited(formed)
    assert said(found, "record") == [
        "record inspection 2026-03-02-L version 1 of batch 5 of gw-sample is not what the "
        "gateway signed"
    ]
    assert any("defect_rate" in each for each in said(found, "figure"))


def test_a_deleted_record_is_named(formed: Plant) -> None:
    change(formed, "DELETE FROM telemetry.record WHERE key = %s", "2026-03-02-L")
    assert said(audited(formed), "record") == [
        "record inspection 2026-03-02-L came in batch 5 of gw-sample and is not stored any more"
    ]


def test_a_changed_hash_breaks_its_batch_and_the_chain(formed: Plant) -> None:
    change(formed, "UPDATE telemetry.batch SET sha256 = %s WHERE seq = 3", bytes(32))
    found = audited(formed)
    assert said(found, "content")[0].startswith("batch 3 of gw-sample")
    assert said(found, "signature")[0].startswith("batch 3 of gw-sample")
    assert said(found, "chain") == [
        "batch 4 of gw-sample does not follow the hash of the batch before it"
    ]


def test_a_changed_signature_is_named(formed: Plant) -> None:
    change(formed, "UPDATE telemetry.batch SET signature = %s WHERE seq = 3", bytes(64))
    found = audited(formed)
    assert [problem.kind for problem in found.problems] == ["signature"]
    assert found.problems[0].where == "batch 3 of gw-sample"


def test_a_key_that_nobody_enrolled_is_named(formed: Plant) -> None:
    change(formed, "UPDATE registry.gateway SET public_key = %s", bytes(32))
    (key,) = said(audited(formed), "key")
    assert key.startswith("the key of gw-sample is not the one that was enrolled last")


def test_many_changes_are_counted_and_not_all_named(formed: Plant) -> None:
    formed.conn.execute("UPDATE kpi.fact_hour SET changes = 9")
    found = audited(formed)
    assert len(said(found, "fact")) <= 4 * 2 * 12
    assert any("more hours of the same month differ" in each for each in said(found, "more"))


def test_a_batch_that_is_gone_is_named(formed: Plant) -> None:
    change(formed, "DELETE FROM telemetry.batch WHERE seq = 3")
    found = audited(formed)
    assert said(found, "chain") == [
        "batch 3 of gw-sample is missing: batch 4 of gw-sample follows it"
    ]
    assert "whose ledger row denies it" in said(found, "content")[0]


def test_a_count_in_the_ledger_that_was_changed_is_named(formed: Plant) -> None:
    change(formed, "UPDATE telemetry.batch SET row_count = 5 WHERE seq = 3")
    (ledger,) = said(audited(formed), "ledger")
    assert ledger == "batch 3 of gw-sample: row_count is 5 in the ledger, its rows give 288"


def test_repeated_and_contradicted_rows_and_records_keep_their_batch_whole(formed: Plant) -> None:
    again = machine_day("M01", "2026-03-02")
    last = again["M01.total"][-1]
    formed.send({**again, "M01.total": [*again["M01.total"][:-1], (last[0], 999.0)]})
    formed.tell(lot("2026-03-02", 4), Record("inspection", "odd", IN_APRIL, {"n": 1e22}))
    formed.refresh(IN_APRIL)
    found = audited(formed)
    assert (found.problems, found.batches) == ([], 7)
    change(formed, "UPDATE telemetry.conflict SET offered_value = 320")
    (content,) = said(audited(formed), "content")
    assert content.startswith("batch 6 of gw-sample")


def test_a_gateway_with_a_new_key_leaves_the_old_batches_right(formed: Plant) -> None:
    seed = signing.generate_key()
    registry.register_gateway(formed.conn, "sample", "gw-sample", signing.public_key(seed))
    assert audited(formed).problems == []
    formed.gateway.seed = seed
    formed.tell(lot("2026-03-09", 1))
    formed.refresh(IN_APRIL)
    assert audited(formed).problems == []


def test_what_waits_for_the_jobs_is_said_and_is_no_problem(formed: Plant) -> None:
    formed.send(machine_day("M01", "2026-03-10"))
    found = audited(formed)
    assert found.problems == []
    assert any("wait to be computed" in note for note in found.notes)
    assert any("wait for the jobs" in note for note in found.notes)
