"""Which metric gives which tag: templates, their bound, and tags that two metrics would share."""

from pathlib import Path

import pytest

from collectors import status
from collectors.documents import NotDecoded
from collectors.sparkplug.settings import SparkplugTemplate
from collectors.sparkplug.topics import ANY, Node, filters, parse
from tests.collectors.sparkplug.edge_node import (
    DOUBLE,
    INT32,
    INT32_ARRAY,
    STRING,
    bd_seq,
    metric,
)
from tests.collectors.sparkplug.hosting import Feed, reasons, short, source, tag

TEMPLATE = SparkplugTemplate(tag="{node}.{device}.{metric}", group="G")


def feed_of(folder: Path, *templates: SparkplugTemplate, **changed: object) -> Feed:
    return Feed(folder, source(tags=(), templates=templates, **changed))


def test_a_template_makes_a_tag_of_every_number_that_is_born(tmp_path: Path) -> None:
    feed = feed_of(tmp_path, TEMPLATE)
    feed.birth(metric("own", 1, INT32), metric("Node Control/Rebirth", False, 11))
    found = feed.send(
        "DBIRTH", metric("Process/温度", 1.5, DOUBLE), metric("name", "x", STRING), device="D"
    )
    feed.close()
    assert short(found.samples) == [("N.D.Process/温度", 1.5, status.GOOD)]
    assert feed.host.rules.tags == ["N.D.Process/温度"]


def test_a_template_without_device_is_for_the_nodes_own_metrics(tmp_path: Path) -> None:
    feed = feed_of(tmp_path, SparkplugTemplate(tag="{group}.{node}.{metric}"))
    own = feed.birth(metric("own", 1, INT32), metric("Node Control/Rebirth", False, 11), bd_seq(1))
    of_device = feed.send("DBIRTH", metric("m", 1, INT32), device="D")
    feed.close()
    assert short(own.samples) == [("G.N.own", 1.0, status.GOOD)]
    assert of_device.samples == []


def test_a_template_may_be_narrowed(tmp_path: Path) -> None:
    narrow = SparkplugTemplate(tag="{metric}", node="N", device="D", metric="Process/*")
    feed = feed_of(tmp_path, narrow)
    metrics = (metric("Process/a", 1, INT32), metric("Other/a", 2, INT32))
    for node, device in (("N", "D"), ("N", "E"), ("M", "D")):
        feed.send("DBIRTH", *metrics, node=node, device=device)
    feed.close()
    assert feed.host.rules.tags == ["Process/a"]


def test_equal_device_names_on_two_edge_nodes_do_not_collide(tmp_path: Path) -> None:
    feed = feed_of(tmp_path, TEMPLATE)
    for node, value in (("A", 1), ("B", 2)):
        feed.birth(node=node)
        found = feed.send("DBIRTH", metric("m", value, INT32, alias=1), node=node, device="D")
        assert short(found.samples) == [(f"{node}.D.m", float(value), status.GOOD)]
    feed.close()


def test_a_tag_that_belongs_to_another_metric_is_never_shared(tmp_path: Path) -> None:
    feed = feed_of(tmp_path, TEMPLATE)
    feed.send("DBIRTH", metric("b.c", 1, INT32), node="N", device="a")
    found = feed.send("DBIRTH", metric("c", 2, INT32), node="N", device="a.b")
    feed.close()
    assert found.samples == []
    assert reasons(found)[0] == 'G/N/a.b/c: the tag "N.a.b.c" belongs to G/N/a/b.c already'


def test_the_number_of_tags_is_bounded(tmp_path: Path) -> None:
    feed = feed_of(tmp_path, TEMPLATE, max_tags=2)
    found = feed.send("DBIRTH", *(metric(f"m{n}", n, INT32) for n in range(4)), device="D")
    feed.close()
    assert len(found.samples) == 2
    assert "raise max_tags" in reasons(found)[0]


def test_what_a_template_cannot_store_is_told_once(tmp_path: Path) -> None:
    feed = feed_of(tmp_path, TEMPLATE)
    array, odd = metric("array", b"\x01", INT32_ARRAY), metric("a\0b", 1, INT32)
    found = feed.send("DBIRTH", array, odd, device="D")
    again = feed.send("DBIRTH", array, odd, device="D")
    feed.close()
    assert found.samples == []
    assert reasons(found) == [
        "G/N/D/array: Int32Array values cannot be stored",
        "G/N/D/a\\0b: its name holds a character that no tag may have",
    ]
    assert again.refused == []


def test_a_death_turns_the_tags_of_templates_bad(tmp_path: Path) -> None:
    feed = feed_of(tmp_path, TEMPLATE)
    feed.birth()
    feed.send("DBIRTH", metric("m", 1, INT32), device="D")
    found = feed.death()
    feed.close()
    assert short(found.samples) == [("N.D.m", None, status.BAD_NO_COMMUNICATION)]


def test_tags_of_templates_are_known_after_a_restart(tmp_path: Path) -> None:
    first = feed_of(tmp_path, TEMPLATE)
    first.birth()
    first.send("DBIRTH", metric("m", 1, INT32), device="D")
    first.close()
    second = feed_of(tmp_path, TEMPLATE)
    second.close()
    assert second.host.rules.tags == ["N.D.m"]


def test_one_metric_may_give_several_tags(tmp_path: Path) -> None:
    tags = (tag("a", "m", device="D"), tag("b", "m", device="D", scale=2.0))
    feed = Feed(tmp_path, source(tags=tags, templates=(TEMPLATE,)))
    found = feed.send("DBIRTH", metric("m", 3, INT32), device="D")
    feed.close()
    assert [(one.tag, one.value) for one in found.samples] == [
        ("a", 3.0),
        ("b", 6.0),
        ("N.D.m", 3.0),
    ]


def test_only_the_nodes_asked_for_are_subscribed() -> None:
    assert filters({Node("G", "N")}) == [
        "spBv1.0/G/NBIRTH/N",
        "spBv1.0/G/NDATA/N",
        "spBv1.0/G/NDEATH/N",
        "spBv1.0/G/DBIRTH/N/+",
        "spBv1.0/G/DDATA/N/+",
        "spBv1.0/G/DDEATH/N/+",
    ]
    wide = filters({Node("G", ANY), Node("G", "N"), Node("H", "N")})
    assert [one for one in wide if "NDATA" in one] == ["spBv1.0/G/NDATA/+", "spBv1.0/H/NDATA/N"]


@pytest.mark.parametrize(
    "topic",
    [
        "spBv1.0/G/NCMD/N",
        "spBv1.0/G/DDATA/N",
        "spBv1.0/G/NDATA/N/D",
        "spBv1.0/G/NDATA/",
        "spAv1.0/G/NDATA/N",
        "spBv1.0/STATE/host",
        "other",
    ],
)
def test_other_topics_are_refused(topic: str) -> None:
    with pytest.raises(NotDecoded, match="topic"):
        parse(topic)
