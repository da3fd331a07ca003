"""docs/https.md shows a file that is accepted, keys that exist, and words that the log says."""

import re
from pathlib import Path

import pytest

import collectors
from collectors.config.file import check
from collectors.config.sink import SinkTable

ROOT = Path(collectors.__file__).parents[1]
TEXT = (ROOT / "docs" / "https.md").read_text(encoding="utf-8")


def test_the_sample_is_accepted(tmp_path: Path) -> None:
    sample = re.search(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert sample is not None
    file = tmp_path / "gateway.toml"
    file.write_text(sample.group(1), encoding="utf-8")
    assert check(file) == []


@pytest.mark.parametrize("key", ["token", "ca", "certificate", "private_key", "allow_plain"])
def test_each_key_of_this_sink_is_explained(key: str) -> None:
    assert key in SinkTable.__dataclass_fields__
    assert re.search(rf"`{key}\b|^{key} =", TEXT, re.MULTILINE)


def test_the_table_of_troubles_quotes_what_is_said() -> None:
    folders = [ROOT / "collectors" / "sink", ROOT / "store", ROOT / "api" / "routes"]
    code = "\n".join(path.read_text("utf-8") for folder in folders for path in folder.glob("*.py"))
    table = TEXT.partition("## When it does not work")[2]
    quoted = [cell for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for cell in
              re.findall(r"`([^`]+)`", row)]  # fmt: skip
    assert len(quoted) > 15
    # The rest of such a line is OpenSSL's or a status of HTTP.
    parts = [re.split(r"…|: (?=certificate|unable|Host)|\d{3}", one)[0].strip() for one in quoted]
    said = re.sub(r'"\s*\n\s*f?"', "", code)
    missing = [one for one in parts if one not in ("not yet valid",) and one not in said]
    assert missing == []
