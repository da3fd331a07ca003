"""Explaining a figure walks down to the batches, the records and the gateway's key."""

import hashlib

import pytest

import store
from kpi.errors import NotComputable
from kpi.provenance import explain
from kpi.provenance.basis import assets_under, kinds_under, named_period, period
from store import registry, signing
from store.errors import Refused
from tests.kpi.plant import Plant, lot
from tests.kpi.provenance.conftest import IN_APRIL, march


def test_oee_is_walked_down_to_hours_batches_and_key(formed: Plant) -> None:
    figure = march(formed, "oee")
    found = explain(formed.conn, figure.figure_id)
    assert (found.factory, found.kpi, found.period) == ("sample", "oee", "2026-03")
    assert (found.point, found.inputs) == (figure.point, figure.inputs)
    assert [facts.asset for facts in found.facts] == ["M01", "M02"]
    summed = sum(facts.sums["ideal_good_s"] for facts in found.facts)
    assert summed == pytest.approx(found.inputs["ideal_good_s"])
    assert [(batch.seq, batch.rows) for batch in found.batches] == [(2, 288), (3, 288)]
    assert all(batch.signature_ok for batch in found.batches)
    assert found.batches[1].prev_sha256 == found.batches[0].sha256
    key = hashlib.sha256(signing.public_key(formed.gateway.seed)).hexdigest()
    (gateway,) = found.gateways
    assert key.startswith(gateway.key_fingerprint)
    assert (gateway.gateway, gateway.enrolled_by, gateway.batches) == ("gw-sample", "unnamed", 2)
    assert (found.record_count, found.records) == (0, [])


def test_energy_names_its_meters_and_invoices_and_intensity_its_machines_too(
    formed: Plant,
) -> None:
    plan = registry.monitoring_plan(formed.conn, registry.factory_by_code(formed.conn, "sample"))
    coal = {asset.kind for asset in assets_under(plan, "standard_coal_purchased")}
    intensity = {asset.kind for asset in assets_under(plan, "energy_intensity")}
    assert (coal, intensity) == ({"meter"}, {"meter", "machine"})
    assert "energy_invoice" in kinds_under("standard_coal")
    assert assets_under(plan, "a KPI of another version") == list(plan.assets)


def test_a_meter_is_explained_by_its_readings_and_not_by_states_that_it_has_not(
    formed: Plant,
) -> None:
    found = explain(formed.conn, march(formed, "standard_coal").figure_id).facts
    meter = next(facts for facts in found if facts.asset == "EM01")
    assert set(meter.sums) == {"energy"}
    assert meter.hours > len(meter.worst_hours)
    read = explain(formed.conn, march(formed, "oee").figure_id).facts[0]
    assert {"run_s", "unknown_s", "total"} <= set(read.sums)


def test_the_hours_of_which_least_is_known_come_first(formed: Plant) -> None:
    worst = explain(formed.conn, march(formed, "oee").figure_id).facts[0].worst_hours
    lost = [hour.unknown_s + hour.uncounted_s for hour in worst]
    assert lost == sorted(lost, reverse=True)


def test_a_defect_rate_names_its_records_as_they_counted_then(formed: Plant) -> None:
    old = march(formed, "defect_rate")
    formed.tell(lot("2026-03-02", 9))
    formed.refresh(IN_APRIL)
    new = march(formed, "defect_rate")
    versions = [
        [(record.key, record.version, record.seq) for record in explain(formed.conn, n).records]
        for n in (old.figure_id, new.figure_id)
    ]
    assert versions == [
        [("2026-03-02-L", 1, 5), ("2026-03-03-L", 1, 5)],
        [("2026-03-02-L", 2, 6), ("2026-03-03-L", 1, 5)],
    ]


def test_a_figure_without_a_number_says_why(formed: Plant) -> None:
    found = explain(formed.conn, march(formed, "inventory_turnover").figure_id)
    assert found.point is None
    assert found.reason


def test_a_wrong_signature_shows(formed: Plant) -> None:
    formed.conn.execute("UPDATE telemetry.batch SET signature = %s WHERE seq = 3", (bytes(64),))
    batches = explain(formed.conn, march(formed, "oee").figure_id).batches
    assert [batch.signature_ok for batch in batches] == [True, False]


def test_batches_of_a_key_before_the_last_stay_right(formed: Plant) -> None:
    other = signing.public_key(signing.generate_key())
    registry.register_gateway(formed.conn, "sample", "gw-sample", other)
    found = explain(formed.conn, march(formed, "oee").figure_id)
    assert all(batch.signature_ok for batch in found.batches)


def test_a_figure_that_does_not_exist(db: store.Connection) -> None:
    with pytest.raises(Refused, match="there is no figure 4711"):
        explain(db, 4711)


@pytest.mark.parametrize("text", ["2026-03", "2025-04..2026-03", "2025-01..2025-12"])
def test_a_period_is_named_as_it_is_read(text: str) -> None:
    assert named_period(*period(text)) == text


@pytest.mark.parametrize("text", ["2026", "2026-13", "2026-3", "2025-04..2026-04", "march", ""])
def test_no_period(text: str) -> None:
    with pytest.raises(NotComputable, match="2025-04"):
        period(text)
