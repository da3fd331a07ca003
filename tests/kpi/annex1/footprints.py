"""Footprints of a small factory, written as a person would say them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any

from kpi.annex1 import Answer, Footprint, Stop, rules
from kpi.annex1.assess import method
from kpi.annex1.basis import Coal
from store.records import StoredRecord
from store.registry import Asset, Tag
from tests.kpi.builders import asset, monitoring_plan, tag
from tests.kpi.evidence import Facts, each_day, evidence

CHINA = timezone(timedelta(hours=8))
END = date(2026, 4, 1)
THIRTY = (date(2026, 3, 2), END)
MONTHS = (date(2026, 1, 1), END)
MACHINE = asset(1, code="M01", key_equipment=True, line="L1", in_oee=True)

Records = Mapping[str, Sequence[StoredRecord]]


def at(text: str) -> datetime:
    """Return a local time of 2026, such as 03-05 08:00."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=CHINA)


def rec(key: str, when: str, revision: int = 1, **body: Any) -> StoredRecord:
    """Return a record with its business time."""
    return StoredRecord(key, revision, at(when), body)


def working(start: date = THIRTY[0], end: date = END, **facts: float) -> Facts:
    """Return facts of days on which the machine was planned for 8 h and heard of all day."""
    return each_day(start, end, {"planned_s": 28_800.0, "known_s": 86_400.0, **facts})


def footprint(
    *,
    records: Records | None = None,
    assets: Sequence[Asset] = (MACHINE,),
    tags: Sequence[Tag] = (),
    facts: Mapping[int, Facts] | None = None,
    shares: Mapping[str, float] | None = None,
    stops: Sequence[Stop] | None = None,
    coal: Mapping[date, Coal] | None = None,
    kind: str = "discrete",
) -> Footprint:
    """Return the footprint of three months up to the end of March 2026."""
    plan = monitoring_plan(assets=assets, tags=tags, kind=kind)
    return Footprint(
        evidence=evidence(plan, {1: working()} if facts is None else facts),
        end=END,
        records=records or {},
        tag_shares=shares or {},
        stops=stops,
        coal=coal or {},
    )


def answer(name: str, **given: Any) -> Answer:
    """Return what a method says of a footprint."""
    return method(footprint(**given), rules()[name])


def state_tag(number: int = 1, asset_id: int = 1) -> Tag:
    """A tag for the state of a machine."""
    return tag(number, role="state", asset_id=asset_id)


def process(number: int, unit: str = "°C", asset_id: int = 1) -> Tag:
    """A process tag."""
    return tag(number, role="process", asset_id=asset_id, unit=unit)
