"""Every shipped table is sound, and a device of a known model needs three lines."""

import asyncio
import struct
import tomllib
from pathlib import Path

import pytest

from collectors.config.fields import UNITS
from collectors.config.file import check, load
from collectors.modbus import profiles
from collectors.modbus.adapter import planned
from collectors.modbus.layout import BIT_TABLES, WIDTHS, fits
from collectors.modbus.profiles import PROFILES, profile
from collectors.modbus.quantities import QUANTITIES
from collectors.modbus.settings import ModbusDevice, ModbusSource
from collectors.status import GOOD
from tests.collectors.modbus.meters import adapter, read_once, source
from tests.collectors.modbus.raw import Asked, Send, raw_tcp
from tests.collectors.plant import write_file

FOLDER = Path(profiles.__file__).parent
KEYS = {"model", "manual", "notes", "secondary", "max_registers", "shared", "values"}

# A reading of the manual's own example: the UMG's voltage at 19000 is 230 V, and so on.
READINGS = {
    "eastron_sdm630": ("voltage_l1", 0, struct.pack(">f", 230.5), 230.5),
    "schneider_iem3000": ("active_energy_import", 3203, struct.pack(">q", 1234567), 1234.567),
    "janitza_umg96rm": ("active_power", 19026, struct.pack(">f", 12500), 12.5),
    "chint_dtsu666": ("active_power", 0x2012, struct.pack(">f", 23456), 2.3456),
    "siemens_pac3200": ("active_energy_export", 809, struct.pack(">d", 7654321), 7654.321),
    "acrel_adl3000": ("active_energy_import", 0x0A, struct.pack(">I", 123456), 1234.56),
}


def test_three_models_at_least_are_known() -> None:
    assert len(PROFILES) >= 3
    assert set(READINGS) == set(PROFILES)


@pytest.mark.parametrize("name", PROFILES)
def test_a_table_names_its_manual_on_top(name: str) -> None:
    lines = (FOLDER / f"{name}.toml").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ")
    assert set(tomllib.loads("\n".join(lines))) == KEYS
    table = profile(name)
    assert table.model
    assert any(word in table.manual for word in ("manual", "list"))
    assert len(table.manual) > 40
    assert 1 <= table.max_registers <= 125


@pytest.mark.parametrize("name", PROFILES)
def test_a_table_has_known_quantities_without_overlaps(name: str) -> None:
    taken: dict[tuple[str, int], str] = {}
    values = profile(name).values
    assert any(value.quantity.startswith("active_energy") for value in values)
    for value in values:
        assert QUANTITIES[value.quantity] in UNITS
        assert value.table not in BIT_TABLES
        assert fits(value.order, WIDTHS[value.type])
        assert value.scale != 0
        for place in range(value.address, value.address + WIDTHS[value.type]):
            assert place <= 65_535
            other = taken.setdefault((value.table, place), value.quantity)
            assert other == value.quantity
    assert len({value.quantity for value in values}) == len(values)


@pytest.mark.parametrize("name", PROFILES)
def test_a_device_is_read_through_its_table(name: str, free_port: int) -> None:
    quantity, address, data, value = READINGS[name]

    async def run() -> dict[str, tuple[float | None, int]]:
        async with raw_tcp(free_port) as raw:

            def answer(asked: Asked, send: Send) -> None:
                assert (asked.address, asked.count) == (address, len(data) // 2)
                send(raw.framed(asked, bytes((asked.function, len(data))) + data))

            raw.answer = answer
            device = ModbusDevice(profile=name, prefix="EM01.", quantities=quantity)
            return await read_once(adapter(free_port, devices=(device,)))

    found, status = asyncio.run(run())[f"EM01.{quantity}"]
    assert status == GOOD
    assert found == pytest.approx(value)


def test_many_identical_devices(tmp_path: Path) -> None:
    """Complaint: many identical devices make a file that nobody can maintain."""
    text = '[[source]]\nname = "meters"\nkind = "modbus"\nhost = "127.0.0.1"\n'
    for number in range(1, 41):
        text += f"""[[source.device]]
profile = "eastron_sdm630"
prefix = "EM{number:02}."
unit_id = {number}
"""
    path = write_file(tmp_path, text)
    assert check(path) == []
    (meters,) = load(path).sources
    assert isinstance(meters, ModbusSource)
    values = len(profile("eastron_sdm630").values)
    assert len({tag.tag for tag in meters.tags}) == 40 * values
    (requests,) = planned(meters).values()
    # 0 to 79 and 342 to 357 of each meter: the gap between is wider than it is worth.
    assert len(requests) == 40 * 2
    assert all(request.count <= 80 for request in requests)


def test_transformer_ratios_reach_what_they_change() -> None:
    device = ModbusDevice(profile="chint_dtsu666", prefix="", ct_ratio=40.0, pt_ratio=100.0)
    scales = {tag.tag: tag.scale for tag in source(host="h", devices=(device,)).tags}
    assert scales["current_l1"] == pytest.approx(0.001 * 40)
    assert scales["voltage_l1"] == pytest.approx(0.1 * 100)
    assert scales["active_power"] == pytest.approx(0.0001 * 4000)
    assert scales["active_energy_import"] == pytest.approx(4000)
    assert scales["frequency"] == 0.01
    assert scales["power_factor"] == 0.001


def test_a_device_stands_beside_tags_whatever_the_base() -> None:
    device = ModbusDevice(profile="acrel_adl3000", prefix="E.", poll_s=60.0)
    meters = source(host="h", base=1, devices=(device,))
    (requests,) = planned(meters).values()
    assert list(planned(meters)) == [60.0]
    assert [request.address for request in requests] == [0, 40]


def test_a_source_made_again_has_each_tag_once() -> None:
    device = ModbusDevice(profile="acrel_adl3000", prefix="E.")
    meters = source(host="h", devices=(device,))
    again = source(*meters.tags, host="h", devices=(device,))
    assert again.tags == meters.tags
