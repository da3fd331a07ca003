"""The kinds of business records: every schema is sound, told in both languages, and reachable."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from store.record_kinds import KINDS, RecordKind, all_kinds, record_kind, unknown_kind

PARAMETERS = [pytest.param(kind, id=kind.name) for kind in all_kinds()]


def properties(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property of a schema and of those inside it, with its path."""
    for name, about in schema.get("properties", {}).items():
        yield f"{path}{name}", about
        yield from properties(about, f"{path}{name}.")
        if "items" in about:
            yield from properties(about["items"], f"{path}{name}.")


def test_every_kind_has_a_schema_and_none_is_left_over() -> None:
    assert [kind.name for kind in all_kinds()] == list(KINDS)
    assert len(KINDS) == len(set(KINDS)) == 16


@pytest.mark.parametrize("kind", PARAMETERS)
def test_a_schema_is_one_of_draft_2020_12(kind: RecordKind) -> None:
    assert kind.schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(kind.schema)
    assert kind.schema["type"] == "object"
    assert "additionalProperties" not in kind.schema


@pytest.mark.parametrize("kind", PARAMETERS)
def test_every_field_is_told_in_both_languages(kind: RecordKind) -> None:
    for path, about in [("", kind.schema), *properties(kind.schema)]:
        assert any("\u4e00" <= letter <= "\u9fff" for letter in about["title"]), path
        assert about["description"].isascii(), path
        assert about["description"].endswith("."), path


@pytest.mark.parametrize("kind", PARAMETERS)
def test_key_time_and_order_are_fields(kind: RecordKind) -> None:
    named = dict(properties(kind.schema))
    used = [*kind.key, *kind.at, *(path for pair in kind.order for path in pair)]
    assert {path.split(".")[0] for path in used} <= set(named)
    assert set(kind.key) <= set(kind.schema["required"])


@pytest.mark.parametrize("kind", PARAMETERS)
def test_a_unit_in_a_name_is_a_number(kind: RecordKind) -> None:
    for path, about in properties(kind.schema):
        if path.endswith(("_yuan", "_h", "_mj")):
            assert "number" in about["type"], path


def test_a_kind_that_does_not_exist_is_none() -> None:
    assert record_kind("oder_line") is None
    assert 'did you mean "order_line"?' in unknown_kind("oder_line")
    assert "did you mean" not in unknown_kind("zzz")
