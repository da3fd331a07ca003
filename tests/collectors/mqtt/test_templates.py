"""Many tags from one rule: by the levels of the topic and by the members of the payload."""

from pathlib import Path
from typing import Any

from collectors.mqtt.memory import Memory
from collectors.mqtt.names import Names
from collectors.mqtt.plan import filters, match
from collectors.mqtt.settings import MqttRecord, MqttSource, MqttTag, MqttTemplate
from collectors.sample import Sample
from collectors.status import CODES, GOOD
from tests.collectors.mqtt.decoding import RECEIVED, Reader, source


def templated(topic: str, tag: str, **keys: Any) -> MqttSource:
    return source(templates=(MqttTemplate(topic=topic, tag=tag, **keys),))


def values(reader: Reader) -> dict[str, float | None]:
    return {one.tag: one.value for one in reader.samples}


def test_the_levels_of_a_topic_name_the_tag() -> None:
    reader = Reader(templated("plant/{line}/{machine}/{signal}", "{machine}.{signal}", value="v"))
    reader.read({"v": 1}, "plant/l1/M01/temp").read({"v": 2}, "plant/l1/M02/temp")
    assert values(reader) == {"M01.temp": 1.0, "M02.temp": 2.0}
    assert list(reader.names.all) == ["M01.temp", "M02.temp"]
    assert reader.plan("plant/l1//temp").is_empty
    assert reader.plan("plant/l1/M01").is_empty


def test_every_member_of_an_object_is_a_tag() -> None:
    reader = Reader(templated("plant/{machine}", "{machine}.{key}", value="*", ts="t", ts_unit="s"))
    for n in range(3):
        reader.read({"t": 1_700_000_000 + n, "a": n, "b": 2.5, "name": "press"}, "plant/M01")
    assert [(one.tag, one.ts_us // 1_000_000, one.value) for one in reader.samples] == [
        (f"M01.{key}", 1_700_000_000 + n, value)
        for n in range(3)
        for key, value in (("a", float(n)), ("b", 2.5))
    ]
    assert reader.reasons == ["plant/M01: name is a text, not a number or boolean"]


def test_members_that_come_and_go_are_taken_as_they_come() -> None:
    reader = Reader(templated("{machine}", "{machine}.{key}", value="data.*", scale=0.5))
    for data in ({"a": 1, "b": 2}, {"b": 4}, {"c": 6, "a": None}, {}):
        reader.read({"data": data}, "M01")
    assert [(one.tag, one.value) for one in reader.samples] == [
        ("M01.a", 0.5),
        ("M01.b", 1.0),
        ("M01.b", 2.0),
        ("M01.c", 3.0),
        ("M01.a", None),
    ]


def test_a_list_of_named_values_each_with_its_time_and_quality() -> None:
    settings = templated(
        "plant/{line}",
        "{line}.{key}",
        value="values.*.v",
        key="values.*.id",
        ts="values.*.t",
        ts_unit="ms",
        quality="values.*.q",
    )
    listed = [
        {"id": "temp", "v": 21.5, "q": True, "t": 1_700_000_000_000},
        {"id": "flow", "v": 3, "q": False, "t": 1_700_000_000_500},
        {"id": "late", "v": 3, "q": True, "t": "yesterday"},
        {"v": 3, "q": True, "t": 1_700_000_000_000},
    ]
    reader = Reader(settings).read({"values": listed}, "plant/l1")
    assert reader.samples == [
        Sample("l1.temp", RECEIVED, 21.5, GOOD),
        Sample("l1.flow", RECEIVED + 500_000, None, CODES["Bad"]),
    ]
    assert [reason.partition(": ")[2] for reason in reader.reasons] == [
        "late: values.*.t is a text, not a number of ms since 1970",
        "there is no values.*.id in the payload",
    ]


def test_no_more_tags_are_made_than_max_tags_and_that_is_told() -> None:
    reader = Reader(templated("plant", "M01.{key}", value="*", max_tags=2))
    reader.read({"a": 1, "b": 2, "c": 3}, "plant").read({"d": 4, "a": 5}, "plant")
    assert [(one.tag, one.value) for one in reader.samples] == [
        ("M01.a", 1.0),
        ("M01.b", 2.0),
        ("M01.a", 5.0),
    ]
    assert set(reader.notes) == {
        "2 tags of M01.{key} are made, no more are: narrow the topic, or raise max_tags"
    }


def test_two_machines_never_share_a_tag() -> None:
    """The same device names on two lines would mix their values in one series."""
    reader = Reader(templated("plant/{line}/{machine}", "{machine}", value="v"))
    reader.read({"v": 1}, "plant/l1/M01").read({"v": 2}, "plant/l2/M01")
    assert values(reader) == {"M01": 1.0}
    assert reader.notes == [
        'the tag "M01" comes from "plant/l1/M01 v" and from "plant/l2/M01 v" as well'
    ]


def test_a_tag_of_the_file_goes_before_a_template() -> None:
    settings = source(
        tags=(MqttTag(tag="M01.a", topic="plant/M01", value="a", scale=10.0),),
        templates=(MqttTemplate(topic="plant/{machine}", tag="{machine}.{key}", value="*"),),
    )
    reader = Reader(settings).read({"a": 1, "b": 2}, "plant/M01")
    assert [(one.tag, one.value) for one in reader.samples] == [("M01.a", 10.0), ("M01.b", 2.0)]


def test_names_that_no_database_holds_make_no_tag() -> None:
    reader = Reader(templated("plant", "M01.{key}", value="*"))
    reader.read({"a\nb": 1, "x" * 500: 2, "good": 3}, "plant")
    assert values(reader) == {"M01.good": 3.0}
    assert len(reader.notes) == 2


def test_made_tags_are_known_after_a_restart(tmp_path: Path) -> None:
    settings = templated("plant/{machine}", "{machine}.{key}", value="*")
    memory = Memory(tmp_path, "s", lasting=True)
    names = Names(settings, memory, print)
    assert names.number(settings.templates[0], "M01.a", "plant/M01 a") == 0
    assert memory.has_news
    memory.save()
    notes: list[str] = []
    again = Names(settings, Memory(tmp_path, "s", lasting=True), notes.append)
    assert list(again.all) == ["M01.a"]
    assert again.number(settings.templates[0], "M01.a", "plant/other a") is None
    assert len(notes) == 1
    other = templated("plant/{machine}", "{machine}-{key}", value="*")
    assert list(Names(other, Memory(tmp_path, "s", lasting=True), print).all) == []


def test_a_state_file_that_is_broken_is_begun_anew(tmp_path: Path) -> None:
    memory = Memory(tmp_path, "line/1", lasting=True)
    memory.sequences["t n"] = 5
    memory.save()
    assert Memory(tmp_path, "line/1", lasting=True).sequences == {"t n": 5}
    (path,) = tmp_path.iterdir()
    for content in ("", "[]", "{}", '{"form": 1}', '{"form": 9}', "\0"):
        path.write_text(content)
        assert Memory(tmp_path, "line/1", lasting=True).sequences == {}


def test_each_topic_is_subscribed_once() -> None:
    settings = source(
        tags=(
            MqttTag(tag="a", topic="plant/l1/m1"),
            MqttTag(tag="b", topic="plant/l1/m1", value="b"),
            MqttTag(tag="c", topic="other"),
        ),
        templates=(MqttTemplate(topic="plant/{line}/{machine}", tag="{line}.{machine}"),),
        records=(MqttRecord(topic="erp/#", kind="order_line"),),
    )
    assert filters(settings, records=True) == ["other", "plant/+/+", "erp/#"]
    assert filters(settings, records=False) == ["other", "plant/+/+"]


def test_a_pattern_with_open_levels() -> None:
    assert match("plant/+/{machine}/#", "plant/l1/m1/x/y") == {"machine": "m1"}
    assert match("plant/+/{machine}", "plant/l1/m1/x") is None
    assert match("{a}/{b}", "/b") is None
