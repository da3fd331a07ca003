"""The page of the record kinds is made from the schemas."""

import json
import re
from pathlib import Path
from zoneinfo import ZoneInfo

from collectors.records import to_record
from store.record_kinds.page import markdown

PAGE = Path(__file__).parents[3].joinpath("docs", "records.md").read_text(encoding="utf-8")


def test_every_kind_and_field_is_documented_as_its_schema_says() -> None:
    assert f"<!-- kinds -->\n{markdown()}\n<!-- /kinds -->" in PAGE


def test_the_record_on_the_page_is_accepted() -> None:
    shown = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    record = to_record("order_line", json.loads(shown[1]), ZoneInfo("Asia/Shanghai"))
    assert record.key == "SO260301-1"
