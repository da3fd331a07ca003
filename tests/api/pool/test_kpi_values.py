"""Values of KPIs that people give are within what the KPI can have."""

import pytest

from api.pool.errors import Declined
from api.pool.kpi_values import check_value


@pytest.mark.parametrize(
    ("kpi", "value"),
    [
        ("oee", 0.0), ("oee", 1.0), ("performance", 1.05), ("inventory_turnover", 4.8),
        ("robots", 12), ("headcount", 25.5), ("energy_saving", -20.0),
        ("standard_coal_purchased", -1.5),
    ],
)  # fmt: skip
def test_what_a_kpi_can_have_is_taken(kpi: str, value: float) -> None:
    check_value(kpi, value)


@pytest.mark.parametrize(
    ("kpi", "value", "zh"),
    [
        ("oee", 78, "设备综合利用率 OEE：应在 0 到 100 % 之间（接口取值 0 到 1）"),
        ("inventory_turnover", 480, "库存周转率：应在 0 到 36600 % 之间（接口取值 0 到 366）"),
        ("standard_coal", -1.0, "年消耗标准煤（当量值）：应在 0 到 1000000000 吨标准煤 之间"),
        ("robots", 0.5, "工业机器人使用量：请填写 0 到 1000000 台 之间的整数"),
    ],
)
def test_a_value_of_another_unit_is_refused(kpi: str, value: float, zh: str) -> None:
    with pytest.raises(Declined) as refusal:
        check_value(kpi, value)
    assert refusal.value.text("zh").startswith(zh)
