"""What a plan may promise is what figures are formed of."""

import pytest

from api.kpis import KPIS
from store.plan_kpis import KPI_RANGES


def test_every_kpi_may_be_promised_and_nothing_else() -> None:
    assert {kpi.kpi_id for kpi in KPIS} == set(KPI_RANGES)


@pytest.mark.parametrize("kpi", KPI_RANGES)
def test_every_range_takes_its_ends_and_nothing_beyond(kpi: str) -> None:
    allowed = KPI_RANGES[kpi]
    ends = [int(end) if allowed.is_whole else end for end in (allowed.least, allowed.most)]
    assert [allowed.check(end) for end in ends] == [None, None]
    assert allowed.check(allowed.most + 1) is not None
    assert allowed.check(allowed.least - 1) is not None
    assert allowed.check(float("nan")) is not None
