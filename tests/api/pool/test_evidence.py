"""Evidence: who may record which kind, what it must say, and the files that belong to it."""

from datetime import timedelta
from io import BytesIO
from typing import Any

import docx
import openpyxl
import pytest

from api.errors import NotFound
from api.pool import evidence
from api.pool.errors import Declined, NotAllowed
from api.pool.guards import GRADES
from api.pool.roles import ROLES
from store import audit, evidence_items
from store.errors import StoreError
from store.evidence_items import File, NewItem
from tests.api.pool.pooled import Pooled
from tests.api.pool.situations import GOOD, plain

PDF = File("核查记录.pdf", "application/octet-stream", b"%PDF-1.7 sample")
_VALUES: dict[str, Any] = {"flag": True, "count": 3, "text": "示例文号"}


def right(kind: evidence.EvidenceKind) -> NewItem:
    """A piece of evidence of a kind that says all it must."""
    data = {
        name: _VALUES[form] if isinstance(form, str) else form[0]
        for name, form in kind.fields.items()
    }
    people = tuple(f"示例{number}" for number in range(kind.people))
    return NewItem(kind.kind, plain("watch").today, data, people=people)


def office(book: Any) -> bytes:
    """The bytes of a document."""
    found = BytesIO()
    book.save(found)
    return found.getvalue()


def test_every_kind_that_a_guard_looks_at_can_be_recorded() -> None:
    looked_at = {
        item.kind for ways in GOOD.values() for way in ways for item in way(plain("watch")).items
    }
    assert looked_at <= evidence.kinds().keys()
    assert tuple(GRADES) == tuple(evidence.kinds()["review_grade"].fields["grade"])
    assert set(evidence.kinds()) - looked_at == set()


def test_each_kind_is_recorded_by_its_roles_alone(pooled: Pooled) -> None:
    pooled.later(days=300)
    people = {"county_officer", "county_leader", "city_officer", "city_leader", "ent_filler",
              "ent_approver", "ent_engineer", "expert"}  # fmt: skip
    for role in sorted(people & ROLES.keys()):
        for kind in evidence.kinds().values():
            with pooled.as_(role) as actor:
                try:
                    evidence.record(
                        pooled.conn, actor, pooled.factory_id, right(kind), now=pooled.now
                    )
                    recorded = True
                except NotAllowed:
                    recorded = False
            assert recorded == (role in kind.who), (role, kind.kind)


@pytest.mark.parametrize(
    ("kind", "data", "complaint"),
    [
        ("site_check", {}, "says passed"),
        ("site_check", {"passed": "yes"}, "must be true or false"),
        ("site_check", {"passed": True, "more": 1}, "says passed"),
        ("annex1", {"met": 57, "of": 56}, "cannot be more"),
        ("annex1", {"met": -1, "of": 56}, "whole number from 0"),
        ("maturity", {"level": True, "document": ""}, "whole number"),
        ("award", {"document": "x" * 2001}, "up to 2000"),
        ("gossip", {}, "no evidence of the kind"),
    ],
)
def test_what_does_not_fit_its_kind_is_refused(
    pooled: Pooled, kind: str, data: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(Declined, match=complaint):
        pooled.record("county_officer", kind, people=("示例甲",), **data)


def test_what_is_still_to_come_is_no_evidence(pooled: Pooled) -> None:
    tomorrow = pooled.today + timedelta(days=1)
    with pytest.raises(Declined, match="still to come"):
        pooled.record("county_officer", "complaint", on=tomorrow)


@pytest.mark.parametrize("people", [(), ("示例甲", "示例甲"), (" ",)])
def test_a_site_check_names_who_was_there(pooled: Pooled, people: tuple[str, ...]) -> None:
    with pytest.raises(Declined, match="name each person"):
        pooled.record("county_officer", "site_check", people=people, passed=True)


def test_a_file_is_known_by_what_it_holds(pooled: Pooled) -> None:
    number = pooled.record("county_officer", "complaint", file=PDF)
    (item,) = evidence_items.listed(pooled.conn, pooled.membership().membership_id)
    assert (item.item_id, item.file_name) == (number, "核查记录.pdf")
    assert item.file_sha256 is not None
    kept = evidence_items.file(pooled.conn, pooled.factory_id, item.file_sha256)
    assert kept == File("核查记录.pdf", "application/pdf", PDF.content)
    pooled.record("county_officer", "complaint", file=PDF)
    assert pooled.count("pool.file") == 1
    (noted,) = audit.entries(pooled.conn, kind="file")
    assert (noted.action, noted.key, noted.role) == (
        "file_kept", item.file_sha256, "county_officer",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"\x89PNG\r\n\x1a\n...", "image/png"),
        (b"\xff\xd8\xff\xe0...", "image/jpeg"),
        (office(docx.Document()), "wordprocessingml.document"),
        (office(openpyxl.Workbook()), "spreadsheetml.sheet"),
    ],
)
def test_scans_and_office_papers_are_taken(content: bytes, media_type: str) -> None:
    assert evidence.media_type(content).endswith(media_type)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "this one has 0"),
        (b"MZ\x90\x00", "only PDF"),
        (b"<html><script>", "only PDF"),
        (b"PK\x03\x04 any.zip", "only PDF"),
        (b"%PDF-" + bytes(evidence.MOST_BYTES), "1 to 20971520 bytes"),
    ],
)
def test_other_files_are_refused(content: bytes, complaint: str) -> None:
    with pytest.raises(Declined, match=complaint):
        evidence.media_type(content)


def test_evidence_is_withdrawn_by_its_author_with_a_reason_and_stays_on_record(
    pooled: Pooled,
) -> None:
    number = pooled.record("county_officer", "complaint")
    with pooled.as_("county_officer", "second") as actor, pytest.raises(NotAllowed):
        evidence.withdraw(pooled.conn, actor, pooled.factory_id, number, "x", now=pooled.now)
    with pooled.as_("county_officer") as actor:
        with pytest.raises(Declined, match="say why"):
            evidence.withdraw(pooled.conn, actor, pooled.factory_id, number, " ", now=pooled.now)
        evidence.withdraw(pooled.conn, actor, pooled.factory_id, number, "误录", now=pooled.now)
    assert evidence_items.listed(pooled.conn, pooled.membership().membership_id) == []
    assert pooled.count("pool.evidence_item") == 2
    with pooled.as_("county_officer") as actor, pytest.raises(NotFound):
        evidence.withdraw(pooled.conn, actor, pooled.factory_id, number, "x", now=pooled.now)
    noted = audit.entries(pooled.conn, kind="evidence")
    assert [(each.action, each.reason) for each in noted] == [
        ("evidence_withdrawn", "误录"),
        ("evidence_recorded", None),
    ]


def test_nobody_records_in_the_name_of_another(pooled: Pooled) -> None:
    other, _ = pooled.person("county_officer", "other")
    item = NewItem("complaint", pooled.today, {})
    with pytest.raises(StoreError), pooled.as_("county_officer"):
        evidence.record(pooled.conn, other, pooled.factory_id, item, now=pooled.now)
    assert pooled.count("pool.evidence_item") == 0
