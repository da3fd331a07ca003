"""The newest row of each tag, so that one sees whether collecting works."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from api.formats import NOTHING, age_s, local_time, tag_value
from api.messages import Texts
from api.pages.templates import Word
from api.verdicts import Tone
from store.pool import LiveTag

_MOST = 200
_HEARTBEATS = 3  # after so many without a row a tag counts as silent, as in the KPI engine
_TONES: dict[str, Tone] = {
    "fresh": "good",
    "silent": "bad",
    "bad": "bad",
    "uncertain": "warn",
    "never": "plain",
}


@dataclass(frozen=True, slots=True)
class LiveRow:
    """One tag."""

    asset: str
    tag: str
    value: str
    unit: str
    status: Word
    time: str


@dataclass(frozen=True, slots=True)
class Live:
    """The tags that are listed, and how many there are in all."""

    total: int
    fresh: int
    rows: tuple[LiveRow, ...]


def live(t: Texts, tags: Sequence[LiveTag], timezone: str, now: datetime) -> Live:
    """Build the list of tags."""
    alive = sum(_status(tag, now) == "fresh" for tag in tags)
    rows = tuple(_row(t, tag, timezone, now) for tag in tags[:_MOST])
    return Live(total=len(tags), fresh=alive, rows=rows)


def _row(t: Texts, tag: LiveTag, timezone: str, now: datetime) -> LiveRow:
    status = _status(tag, now)
    return LiveRow(
        asset=t.pick(tag.asset_zh, tag.asset_en),
        tag=tag.name,
        value=_value(t, tag),
        unit="" if tag.unit == "1" else tag.unit,
        status=Word(t(f"live.{status}"), _TONES[status]),
        time=local_time(tag.ts, timezone),
    )


def _value(t: Texts, tag: LiveTag) -> str:
    if tag.ts is None or tag.value is None:
        return NOTHING
    return t(f"state.{tag.state}") if tag.state else tag_value(tag.value)


def _status(tag: LiveTag, now: datetime) -> str:
    if tag.ts is None or tag.status is None:
        return "never"
    if age_s(tag.ts, now) > _HEARTBEATS * tag.heartbeat_s:
        return "silent"
    # The two highest bits of an OPC UA StatusCode are its severity: 00 good, 01 uncertain.
    severity = (tag.status & 0xFFFFFFFF) >> 30
    return ("fresh", "uncertain")[severity] if severity < 2 else "bad"
