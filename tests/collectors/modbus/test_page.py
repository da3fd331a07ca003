"""The page of the protocol shows the tested sample, every key and every profile."""

from pathlib import Path

import pytest

from collectors import modbus
from collectors.config.document import keys, markdown
from collectors.modbus.layout import WIDTHS
from collectors.modbus.profiles import PROFILES, profile

FOLDER = Path(modbus.__file__).parent
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")


def test_the_sample_is_the_tested_one() -> None:
    sample = (FOLDER / "sample.toml").read_text(encoding="utf-8")
    assert f"```toml\n{sample}```" in PAGE


def test_every_key_has_its_sentence() -> None:
    assert [key.name for key in keys("modbus") if not key.about] == []
    assert markdown(keys("modbus")) in PAGE


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_is_listed(name: str) -> None:
    table = profile(name)
    assert f"| `{name}` | {table.model} | {table.notes} |" in PAGE


@pytest.mark.parametrize("kind", [*WIDTHS, "string"])
def test_every_type_is_explained(kind: str) -> None:
    assert f"`{kind}`" in PAGE
