"""ISO 22400-2 KPIs of a work unit."""

from dataclasses import replace

import pytest

from kpi.errors import NotComputable
from kpi.formulas.iso22400 import Elements, iso22400, nee_index

SHIFT = Elements(APT=360, ASUT=30, ADET=45, PBT=450, PRU=0.9, PQ=380, GQ=361, SQ=12, RQ=7)


def test_kpis_follow_the_standards_formulas() -> None:
    """Worked by hand from the formulas; ISO 22400-2 itself prints no numbers."""
    found = iso22400(SHIFT)
    assert (found.AUPT, found.AUBT) == (390, 435)
    assert found.OEE_index == pytest.approx(0.8 * 0.95 * 0.95)
    assert found.NEE_index == pytest.approx(390 / 450 * 0.95 * 0.95)
    assert found.technical_efficiency == pytest.approx(360 / 405)
    assert found.setup_ratio == pytest.approx(30 / 390)
    assert found.utilization_efficiency == pytest.approx(360 / 435)
    assert found.allocation_efficiency == pytest.approx(435 / 450)
    assert found.scrap_ratio == pytest.approx(12 / 380)
    assert found.rework_ratio == pytest.approx(7 / 380)


def test_setup_is_a_loss_in_oee_and_none_in_nee() -> None:
    without = iso22400(replace(SHIFT, APT=390, ASUT=0))
    with_setup = iso22400(SHIFT)
    assert without.OEE_index == pytest.approx(with_setup.OEE_index)
    assert without.NEE_index == pytest.approx(without.OEE_index)
    assert with_setup.NEE_index is not None
    assert with_setup.NEE_index > with_setup.OEE_index


def test_effectiveness_may_exceed_one() -> None:
    assert iso22400(replace(SHIFT, PRU=1.2)).effectiveness == pytest.approx(1.2 * 380 / 360)


def test_zero_denominators_give_none() -> None:
    found = iso22400(replace(SHIFT, APT=0, ASUT=0, ADET=0, PQ=0, GQ=0, SQ=0, RQ=0))
    assert found.OEE_index == 0
    assert found.NEE_index is None
    assert found.quality_ratio is None
    assert found.technical_efficiency is None
    assert found.scrap_ratio is None
    assert nee_index(450, 0, 30, 0) is None


@pytest.mark.parametrize(
    "wrong",
    [{"PBT": 0}, {"APT": 451}, {"GQ": 381}, {"SQ": 381}, {"RQ": 381}, {"PRU": 0}, {"ASUT": -1}],
    ids=repr,
)
def test_refuses_contradictory_elements(wrong: dict[str, float]) -> None:
    with pytest.raises(NotComputable):
        iso22400(replace(SHIFT, **wrong))
