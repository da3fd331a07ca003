"""The follow-up over HTTP: whom routes let in, what they find, and what none of them does."""

from typing import Any

import pytest

from api.permissions import ROLE_PERMISSIONS, Permission, Role
from api.pool import tickets
from store import audit
from store.plans import load_plan
from tests.api.pool.asking import EVIDENCE, MEMBERSHIP, PROPOSALS, STEPS, Asking
from tests.api.pool.pooled import OTHER_COUNTY
from tests.store.samples import sample_plan


def test_another_countys_factory_is_404_and_noted(asking: Asking) -> None:
    stranger = asking.as_("county_officer", region=OTHER_COUNTY)
    assert stranger.get("/api/v1/memberships").json()["items"] == []
    tries = [
        stranger.get(MEMBERSHIP),
        stranger.get(STEPS),
        stranger.get(EVIDENCE),
        asking.post(stranger, STEPS, {"transition": "clear_warning"}, etag=asking.etag()),
        asking.post(stranger, EVIDENCE, {"kind": "complaint", "happened_on": "2026-11-01"}),
    ]
    assert [each.status_code for each in tries] == [404] * 5
    noted = audit.entries(asking.pooled.conn, kind="factory", action="out_of_scope")
    assert len(noted) == 5


def test_a_number_of_another_countys_is_404_and_noted(asking: Asking) -> None:
    pooled = asking.pooled
    with pooled.as_("ent_filler") as actor:
        ticket = tickets.ask(
            pooled.conn, actor, pooled.factory_id,
            subject="网关断线", text="请协调。", level="county", now=pooled.now,
        )  # fmt: skip
    item = pooled.record("city_officer", "sample")
    plan = sample_plan("elsewhere")
    plan["factory"]["region"] = OTHER_COUNTY
    load_plan(pooled.conn, plan)
    stranger = asking.as_("county_officer", region=OTHER_COUNTY)
    assert stranger.get("/factories/elsewhere/membership").status_code == 200
    etag = f'"ticket-{ticket}-1"'
    withdrawal = f"/api/v1/factories/elsewhere/membership/evidence/{item}/withdrawal"
    tries = [
        stranger.get(f"/api/v1/tickets/{ticket}"),
        stranger.get(f"/tickets/{ticket}"),
        asking.post(stranger, f"/api/v1/tickets/{ticket}/replies", {"text": "x"}, etag=etag),
        stranger.post(f"/tickets/{ticket}", data={"version": 1, "what": "reply", "text": "x"}),
        asking.post(stranger, withdrawal, {"reason": "x"}),
        stranger.post(
            "/tickets",
            data={"factory": "sample", "subject": "x", "text": "x", "level": "county"},
        ),
        *(
            stranger.get(f"/api/v1/{name}", params={"factory": "sample"})
            for name in ("tickets", "reports", "disputes", "follow-up")
        ),
    ]
    assert [each.status_code for each in tries] == [404] * 10
    noted = audit.entries(pooled.conn, kind="factory", action="out_of_scope")
    assert [each.key for each in noted] == ["sample"] * 10
    assert stranger.get(f"/api/v1/tickets/{ticket + 1}").status_code == 404
    assert len(audit.entries(pooled.conn, kind="factory", action="out_of_scope")) == 10


@pytest.mark.parametrize("role", [role for role in Role if role != Role.SYSTEM])
def test_each_route_lets_its_roles_in_alone(asking: Asking, role: Role) -> None:
    client = asking.as_(role)
    asked = {
        Permission.READ_POOL: client.get(MEMBERSHIP),
        Permission.MOVE_MEMBERSHIP: asking.post(
            client, STEPS, {"transition": "fly"}, etag=asking.etag()
        ),
        Permission.RECORD_EVIDENCE: asking.post(
            client, EVIDENCE, {"kind": "fly", "happened_on": "2026-11-01"}
        ),
        Permission.SET_POLICY: asking.post(
            client, PROPOSALS,
            {"key": "fly", "value": 1, "valid_from": "2026-11-01", "source": "x"},
        ),
    }  # fmt: skip
    for permission, answer in asked.items():
        is_in = permission in ROLE_PERMISSIONS[role]
        assert (answer.status_code != 403) == is_in, (permission, answer.text)


@pytest.mark.parametrize(
    "wrong",
    [
        {"note": "a\0b"},
        {"data": {"document": "\0"}},
        {"people": ["\0"]},
        {"accounts": [2**31]},
        {"more": 1},
        {"happened_on": "yesterday"},
        {"file_sha256": "x"},
    ],
)
def test_what_no_database_keeps_is_refused_with_its_place(
    asking: Asking, wrong: dict[str, Any]
) -> None:
    given = {"kind": "complaint", "happened_on": "2026-11-01"} | wrong
    answer = asking.post(asking.as_("county_officer"), EVIDENCE, given)
    assert answer.status_code == 422
    assert answer.json()["errors"]
    name = asking.as_("county_officer").post(
        "/api/v1/factories/sample/files", params={"name": "a\0"}, content=b"%PDF-"
    )
    assert name.status_code == 422


def test_no_route_changes_a_figure(asking: Asking) -> None:
    paths = asking.as_("city_officer").get("/api/v1/openapi.json").json()["paths"]
    changing = {
        path
        for path, methods in paths.items()
        if set(methods) - {"get", "head"} and ("figure" in path or "verdict" in path)
    }
    assert changing == set()
