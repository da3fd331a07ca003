"""Evidence: what people found, said and did, recorded by whoever may, changed by nobody."""

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from api.errors import NotFound
from api.messages import catalogue
from api.pool import workdays
from api.pool.errors import Declined, NotAllowed, NotPossible
from api.pool.lifecycle import Name
from api.pool.refused import refused
from api.pool.roles import ROLES
from store import Connection, events, evidence_items, memberships, transaction
from store.acting import Actor
from store.audit import note
from store.evidence_items import File, NewItem, StoredItem
from store.memberships import Membership

MOST_BYTES = 20 * 1024 * 1024

_PDF, _PNG, _JPEG = "application/pdf", "image/png", "image/jpeg"
_OFFICE = "application/vnd.openxmlformats-officedocument."
_ZIP = b"PK\x03\x04"
# First bytes by media type; those of the office formats are a zip's, whose names tell them apart.
_BEGIN = ((_PDF, b"%PDF-"), (_PNG, b"\x89PNG\r\n\x1a\n"), (_JPEG, b"\xff\xd8\xff"))
_INSIDE = (
    (_OFFICE + "wordprocessingml.document", b"word/"),
    (_OFFICE + "spreadsheetml.sheet", b"xl/"),
)
_LONGEST_TEXT = 2000
_MOST_COUNT = 10_000


@dataclass(frozen=True, slots=True)
class EvidenceKind:
    """A kind of evidence; a field is a flag, a count, a text or one of some words."""

    kind: str
    zh: str
    en: str
    who: tuple[str, ...]
    fields: Mapping[str, str | Sequence[str]]
    people: int

    @property
    def name(self) -> Name:
        """Return how it is called."""
        return Name(self.zh, self.en)


@cache
def kinds() -> Mapping[str, EvidenceKind]:
    """Return every kind of evidence; raises ValueError for a file that breaks its own rules."""
    found = {}
    text = files("api.pool").joinpath("evidence.toml").read_text(encoding="utf-8")
    for kind, given in tomllib.loads(text).items():
        if unknown := set(given["who"]) - ROLES.keys():
            raise ValueError(f"evidence.toml: {kind} names the role {sorted(unknown)[0]}")
        found[kind] = EvidenceKind(
            kind=kind,
            zh=given["name"]["zh"],
            en=given["name"]["en"],
            who=tuple(given["who"]),
            fields=given.get("fields", {}),
            people=given.get("people", 0),
        )
    return found


def record(
    conn: Connection,
    actor: Actor,
    factory_id: int,
    item: NewItem,
    *,
    now: datetime,
    file: File | None = None,
) -> int:
    """Keep a piece of evidence with its file and return its number.

    Raises NotFound, NotAllowed for another's kind, Declined for what does not fit.
    """
    kind = kinds().get(item.kind)
    if kind is None:
        raise refused("no_kind", Declined, kind=item.kind)
    if actor.role not in kind.who:
        names = Name(
            "、".join(ROLES[role][0] for role in kind.who),
            " or ".join(ROLES[role][1] for role in kind.who),
        )
        raise refused("kind_role", NotAllowed, kind=kind.name, roles=names)
    _check(kind, item, workdays.today(now))
    with transaction(conn):
        found = running(conn, factory_id)
        if file is not None:
            item = replace(item, file_sha256=keep_file(conn, actor, factory_id, file, now=now))
        elif item.file_sha256 and not evidence_items.file(conn, factory_id, item.file_sha256):
            raise refused("no_hash", Declined)
        return _keep(conn, actor, found, item, now)


def keep_file(conn: Connection, actor: Actor, factory_id: int, file: File, *, now: datetime) -> str:
    """Keep a file of a factory in the pool and return its SHA-256; raises as `record` does."""
    file = replace(file, media_type=media_type(file.content))
    sha256 = hashlib.sha256(file.content).hexdigest()
    with transaction(conn):
        running(conn, factory_id)
        if evidence_items.add_file(conn, actor, factory_id, sha256, file, now):
            after = {"name": file.name, "bytes": len(file.content), "media_type": file.media_type}
            note(
                conn, actor, "file_kept", kind="file", key=sha256, factory_id=factory_id,
                after=after,
            )  # fmt: skip
    return sha256


def withdraw(
    conn: Connection, actor: Actor, factory_id: int, item_id: int, reason: str, *, now: datetime
) -> int:
    """Withdraw a piece of evidence that the same account recorded; it stays on record.

    Raises NotFound, NotAllowed for another's, Declined without a reason.
    """
    if not reason.strip():
        raise refused("withdraw_why", Declined)
    with transaction(conn):
        found = running(conn, factory_id)
        item = _one(evidence_items.listed(conn, found.membership_id), item_id)
        if item.account_id != actor.account_id:
            raise refused("not_recorded", NotAllowed)
        taken_back = NewItem(
            item.kind, workdays.today(now), {}, note=reason.strip(), withdraws=item_id
        )
        return _keep(conn, actor, found, taken_back, now)


def running(conn: Connection, factory_id: int) -> Membership:
    """Return the stay of a factory that runs; raises NotFound, or NotPossible after its end."""
    found = memberships.newest(conn, factory_id)
    if found is None:
        raise NotFound("this factory is not in the pool")
    if found.left_on is not None:
        raise refused("left_pool", NotPossible, on=found.left_on)
    return found


def media_type(content: bytes) -> str:
    """Return the media type by what a file holds, whatever its name says; raises Declined."""
    if not 0 < len(content) <= MOST_BYTES:
        raise refused("file_size", Declined, most=MOST_BYTES, size=len(content))
    for found, begin in _BEGIN:
        if content.startswith(begin):
            return found
    if content.startswith(_ZIP):
        for found, name in _INSIDE:
            if name in content:
                return found
    raise refused("file_form", Declined)


def _keep(conn: Connection, actor: Actor, found: Membership, item: NewItem, now: datetime) -> int:
    accounts = set(item.accounts) | ({actor.account_id} - {None})
    item = replace(item, accounts=tuple(sorted(each for each in accounts if each is not None)))
    number = evidence_items.add(conn, actor, found, item, now)
    action = "evidence_withdrawn" if item.withdraws else "evidence_recorded"
    after = {
        "item_id": number,
        "kind": item.kind,
        "happened_on": item.happened_on.isoformat(),
        "data": dict(item.data),
        "people": list(item.people),
        "file_sha256": item.file_sha256,
        "withdraws": item.withdraws,
    }
    note(
        conn, actor, action, kind="evidence", key=number, factory_id=found.factory_id,
        after=after, reason=item.note or None,
    )  # fmt: skip
    events.happened(conn, actor, found.factory_id, action, after, now)
    return number


def _one(items: Sequence[StoredItem], item_id: int) -> StoredItem:
    for item in items:
        if item.item_id == item_id:
            return item
    raise NotFound(f"there is no evidence {item_id} of this factory, or it was withdrawn")


def _check(kind: EvidenceKind, item: NewItem, today: date) -> None:
    if item.happened_on > today:
        raise refused("evidence_to_come", Declined, kind=kind.name, day=item.happened_on)
    people = {name.strip() for name in item.people if name.strip()}
    if len(people) != len(item.people) or len(people) < kind.people:
        raise refused("evidence_people", Declined, kind=kind.name, least=kind.people)
    if len(item.note) > _LONGEST_TEXT:
        raise refused("evidence_note", Declined, kind=kind.name, most=_LONGEST_TEXT)
    if set(item.data) != set(kind.fields):
        fields = ", ".join(kind.fields)
        raise refused("evidence_fields", Declined, kind=kind.name, fields=fields or "note")
    for name, form in kind.fields.items():
        if fault := _fault(form, item.data[name]):
            field = field_name(kind.kind, name)
            raise refused(fault, Declined, kind=kind.name, field=field, **_bounds(form))
    if kind.kind == "annex1" and item.data["met"] > item.data["of"]:
        raise refused("evidence_met", Declined, kind=kind.name)


def field_name(kind: str, field: str) -> Name:
    """Return how a field of a kind is called."""
    return Name(**catalogue()[f"evidence_field.{kind}_{field}"])


def words(kind: str, field: str) -> tuple[str, ...]:
    """Return the words that a field of a kind chooses from; nothing for other fields."""
    form = kinds()[kind].fields[field]
    return () if isinstance(form, str) else tuple(form)


def _fault(form: str | Sequence[str], value: Any) -> str | None:
    """Return the code of why a value does not fit the form of its field."""
    if form == "flag":
        return None if isinstance(value, bool) else "field_flag"
    if form == "count":
        right = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_COUNT
        return None if right else "field_count"
    if form == "text":
        right = isinstance(value, str) and len(value) <= _LONGEST_TEXT
        return None if right else "field_text"
    return None if value in form else "field_words"


def _bounds(form: str | Sequence[str]) -> dict[str, object]:
    if not isinstance(form, str):
        return {"words": ", ".join(form)}
    return {"most": _MOST_COUNT if form == "count" else _LONGEST_TEXT}
