"""The page shows the tested sample and every key with its sentence."""

from pathlib import Path

from collectors import http
from collectors.config.document import keys, markdown

FOLDER = Path(http.__file__).parent
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")


def test_the_sample_is_the_tested_one() -> None:
    sample = (FOLDER / "sample.toml").read_text(encoding="utf-8")
    assert f"```toml\n{sample}```" in PAGE


def test_every_key_has_its_sentence() -> None:
    assert [key.name for key in keys("http") if not key.about] == []
    assert markdown(keys("http")) in PAGE
