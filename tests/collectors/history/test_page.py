"""The page of the import shows a mapping file that is accepted, and every key of it."""

import re
from dataclasses import fields
from pathlib import Path

from collectors.config.document import keys, markdown
from collectors.history.mapping import load
from collectors.history.settings import HistoryFile, HistoryTag

PAGE = Path(__file__).parents[3].joinpath("docs", "history.md").read_text(encoding="utf-8")


def test_the_mapping_file_on_the_page_is_accepted(tmp_path: Path) -> None:
    shown = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    path = tmp_path / "history.toml"
    path.write_text(shown[1], encoding="utf-8")
    assert [table.layout for table in load(path).files] == ["long", "wide", "records"]


def test_every_key_has_its_sentence_on_the_page() -> None:
    found = keys("history")
    assert len(found) == len(fields(HistoryFile)) - 1 + len(fields(HistoryTag))
    assert [key.name for key in found if not key.about] == []
    assert markdown(found) in PAGE
