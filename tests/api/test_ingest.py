"""Batches over HTTP: the same ledger as by the direct way, and an answer a gateway understands."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

import store
from api.routes import ingest
from store import access, signing, wire
from store.batches import Batch
from tests.api.conftest import served
from tests.store.samples import (
    START,
    Gateway,
    count,
    findings,
    one_row,
    rows_of,
    sample_plan,
    stored,
    with_plan,
)
from tests.support.waiting import wait_for

PATH = "/api/v1/ingest/"
HEAD = {"Content-Type": wire.MEDIA_TYPE}
TYPE = "urn:millpond:error:"


def enrolled(client: httpx.Client, db: store.Connection, code: str = "gw-city") -> Gateway:
    """Enrol a gateway as one does over HTTP and let the client come as it."""
    seed = signing.generate_key()
    answer = client.post(f"{PATH}enrolments", json=asking(db, seed, code)).raise_for_status()
    client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
    tags = client.get(f"{PATH}tags").raise_for_status().json()["tags"]
    return Gateway(code, seed, tags)


def asking(db: store.Connection, seed: bytes, gateway: str, factory: str = "sample") -> Any:
    """Return what a gateway asks with to be enrolled, for a new code."""
    code = access.make_enrolment_code(db, factory, gateway, actor="officer")
    public = signing.public_key(seed)
    proof = signing.enrolment_proof(gateway, code, public)
    return {
        "gateway": gateway,
        "code": code,
        "public_key": public.hex(),
        "signature": signing.sign(seed, proof).hex(),
    }


@pytest.fixture
def city(database_url: str, db: store.Connection) -> Iterator[httpx.Client]:
    """A client of a city whose sample plan is loaded."""
    with_plan(db)
    with served(database_url) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


@pytest.fixture
def gateway(city: httpx.Client, db: store.Connection) -> Gateway:
    return enrolled(city, db)


def send(client: httpx.Client, batch: Batch, **headers: str) -> httpx.Response:
    return client.post(f"{PATH}batches", content=wire.encode(batch), headers=HEAD | headers)


def problem_of(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["detail"]
    return answer.status_code, body["type"].removeprefix(TYPE)


def test_a_batch_is_taken_once_however_often_it_is_sent(
    city: httpx.Client, db: store.Connection, gateway: Gateway
) -> None:
    batch = gateway.batch(rows_of(list(gateway.tags.values())), collected_to=START)
    answers = [send(city, batch).raise_for_status().json() for _ in range(3)]
    assert [answer["outcome"] for answer in answers] == ["accepted", "known", "known"]
    assert {answer["batch_id"] for answer in answers} == {answers[0]["batch_id"]}
    assert {(answer["seq"], answer["sha256"]) for answer in answers} == {(1, batch.sha256.hex())}
    assert len(stored(db)) == len(batch.rows)
    ledger = db.execute("SELECT signature, collected_to FROM telemetry.batch").fetchall()
    assert ledger == [(batch.signature, START)]


def test_the_answer_counts_what_was_there_before(city: httpx.Client, gateway: Gateway) -> None:
    tag = gateway.tags["M01.total"]
    send(city, gateway.batch(one_row(tag, START, 1.0))).raise_for_status()
    again = send(city, gateway.batch(one_row(tag, START, 1.0))).json()
    other = send(city, gateway.batch(one_row(tag, START, 2.0))).json()
    assert (again["absorbed"], again["conflicts"]) == (1, 0)
    assert (other["absorbed"], other["conflicts"]) == (0, 1)


def test_the_chain_and_the_clock_can_be_asked_for(city: httpx.Client, gateway: Gateway) -> None:
    assert city.get(f"{PATH}last").json() == {"seq": None, "sha256": None}
    batch = gateway.batch(one_row(gateway.tags["M01.total"], START, 1.0))
    taken = send(city, batch).json()
    assert city.get(f"{PATH}last").json() == {"seq": 1, "sha256": batch.sha256.hex()}
    for answer in (taken, city.get(f"{PATH}time").json()):
        there = datetime.fromisoformat(answer["server_time"])
        assert abs((datetime.now(UTC) - there).total_seconds()) < 60


def test_the_tags_come_again_only_when_the_plan_changed(
    city: httpx.Client, db: store.Connection, gateway: Gateway
) -> None:
    first = city.get(f"{PATH}tags")
    assert set(first.json()["tags"]) == {
        f"M0{n}.{what}" for n in (1, 2) for what in ("state", "total", "power")
    }
    same = {"If-None-Match": first.headers["etag"]}
    assert city.get(f"{PATH}tags", headers=same).status_code == 304
    store.plans.load_plan(db, sample_plan(machines=3))
    assert len(city.get(f"{PATH}tags", headers=same).json()["tags"]) == 9


@pytest.mark.parametrize(
    ("change", "found", "finding"),
    [
        ({"sha256": bytes(32)}, (422, "BadHash"), "BadHash"),
        ({"signature": bytes(64)}, (422, "BadSignature"), "BadSignature"),
        ({"gateway": "gw-other"}, (401, "AccessDenied"), None),
    ],
)
def test_a_batch_that_is_not_what_it_says(
    city: httpx.Client,
    db: store.Connection,
    gateway: Gateway,
    change: dict[str, Any],
    found: tuple[int, str],
    finding: str | None,
) -> None:
    batch = gateway.batch(one_row(gateway.tags["M01.total"], START, 1.0), **change)
    assert problem_of(send(city, batch)) == found
    assert stored(db) == []
    assert [rule for rule, _ in findings(db)] == ([finding] if finding else [])


def test_a_tag_of_another_factory(
    city: httpx.Client, db: store.Connection, gateway: Gateway
) -> None:
    with_plan(db, "second")
    (foreign,) = db.execute("SELECT max(tag_id) FROM registry.tag").fetchone() or (0,)
    answer = send(city, gateway.batch(one_row(foreign, START, 1.0)))
    assert problem_of(answer) == (422, "UnknownTag")
    assert str(foreign) in answer.json()["detail"]


def test_a_number_that_was_used_for_something_else(
    city: httpx.Client, db: store.Connection, gateway: Gateway
) -> None:
    tag = gateway.tags["M01.total"]
    send(city, gateway.batch(one_row(tag, START, 1.0))).raise_for_status()
    copy = Gateway(gateway.code, gateway.seed, gateway.tags)
    answer = send(city, copy.batch(one_row(tag, START, 2.0)))
    assert problem_of(answer) == (409, "SequenceConflict")
    assert count(db, "telemetry.batch") == 1


def test_values_that_the_database_cannot_hold(city: httpx.Client, gateway: Gateway) -> None:
    infinite = gateway.batch(one_row(gateway.tags["M01.total"], START, float("inf")))
    assert problem_of(send(city, infinite)) == (422, "Refused")


@pytest.mark.parametrize("path", ["tags", "last"])
@pytest.mark.parametrize("credential", [None, "Bearer", "Bearer nonsense", "Basic Z3c6cGFzcw=="])
def test_nobody_comes_in_without_a_token(
    city: httpx.Client, path: str, credential: str | None
) -> None:
    headers = {} if credential is None else {"Authorization": credential}
    answer = city.get(f"{PATH}{path}", headers=headers)
    assert problem_of(answer) == (401, "AccessDenied")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_the_body_of_a_stranger_is_not_even_looked_at(city: httpx.Client) -> None:
    answer = city.post(f"{PATH}batches", content=b"nonsense", headers=HEAD)
    assert problem_of(answer) == (401, "AccessDenied")


def test_a_revoked_gateway(city: httpx.Client, db: store.Connection, gateway: Gateway) -> None:
    batch = gateway.batch(one_row(gateway.tags["M01.total"], START, 1.0))
    access.revoke_gateway(db, gateway.code, actor="officer")
    assert problem_of(send(city, batch)) == (403, "GatewayRevoked")
    assert problem_of(city.get(f"{PATH}tags")) == (403, "GatewayRevoked")
    assert stored(db) == []


def test_the_token_of_another_gateway(
    city: httpx.Client, db: store.Connection, gateway: Gateway
) -> None:
    batch = gateway.batch(one_row(gateway.tags["M01.total"], START, 1.0))
    enrolled(city, db, "gw-other")
    answer = send(city, batch)
    assert problem_of(answer) == (401, "AccessDenied")
    assert "files of two gateways were mixed up" in answer.json()["detail"]


def test_a_token_is_renewed_without_a_moment_in_which_none_holds(
    city: httpx.Client, gateway: Gateway
) -> None:
    new = city.post(f"{PATH}tokens").raise_for_status().json()["token"]
    assert city.get(f"{PATH}last").status_code == 200
    fresh = {"Authorization": f"Bearer {new}"}
    assert city.get(f"{PATH}last", headers=fresh).status_code == 200
    assert problem_of(city.get(f"{PATH}last")) == (401, "AccessDenied")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"code": "0000-0000"}, (403, "EnrolmentRefused")),
        ({"gateway": "gw-other"}, (422, "BadSignature")),
        ({"public_key": "00" * 32}, (422, "BadSignature")),
        ({"public_key": "00"}, (422, "about:blank")),
        ({"gateway": "a b"}, (422, "about:blank")),
        ({"more": 1}, (422, "about:blank")),
        ({"code": "x" * 20_000}, (413, "about:blank")),
    ],
)
def test_an_enrolment_that_is_refused(
    city: httpx.Client, db: store.Connection, change: dict[str, Any], found: tuple[int, str]
) -> None:
    seed = signing.generate_key()
    asked = asking(db, seed, "gw-city")
    if change == {"code": "0000-0000"}:
        proof = signing.enrolment_proof("gw-city", "0000-0000", signing.public_key(seed))
        asked["signature"] = signing.sign(seed, proof).hex()
    assert problem_of(city.post(f"{PATH}enrolments", json=asked | change)) == found
    assert count(db, "registry.gateway") == 0


def test_what_could_not_be_taken_is_kept(
    city: httpx.Client, db: store.Connection, gateway: Gateway
) -> None:
    entries = [{"source": "line 1", "reason": "not JSON", "payload": "{\x00"}] * 2
    assert city.post(f"{PATH}quarantine", json={"entries": entries}).json() == {"kept": 2}
    kept = db.execute("SELECT source, reason, payload FROM telemetry.quarantine").fetchall()
    assert kept == [("line 1", "not JSON", "{\ufffd")] * 2
    many = city.post(f"{PATH}quarantine", json={"entries": entries * 60})
    assert many.status_code == 422
    large = entries[0] | {"payload": "x" * 65_536}
    assert city.post(f"{PATH}quarantine", json={"entries": [large] * 20}).status_code == 413


@pytest.mark.parametrize(
    ("body", "kind", "found"),
    [
        (b"no batch", wire.MEDIA_TYPE, (422, "WireRefused")),
        (b"", wire.MEDIA_TYPE, (422, "WireRefused")),
        (b"{}", "application/json", (415, "about:blank")),
        (bytes(wire.MOST_BYTES + 1), wire.MEDIA_TYPE, (413, "about:blank")),
    ],
)
def test_a_body_that_is_no_batch(
    city: httpx.Client, gateway: Gateway, body: bytes, kind: str, found: tuple[int, str]
) -> None:
    headers = {"Content-Type": kind}
    answer = city.post(f"{PATH}batches", content=body, headers=headers)
    assert problem_of(answer) == found


def test_a_body_without_end_is_cut_off_while_it_is_read(
    city: httpx.Client, gateway: Gateway
) -> None:
    given: list[int] = []

    def endless() -> Iterator[bytes]:
        for number in range(1000):
            given.append(number)
            yield bytes(1024 * 1024)

    try:
        answer = city.post(f"{PATH}batches", content=endless(), headers=HEAD)
    except httpx.TransportError:
        pass  # the server closed while we were sending
    else:
        assert answer.status_code == 413
    assert city.get(f"{PATH}last").status_code == 200


def test_more_at_once_than_there_is_room_for(
    database_url: str, db: store.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = ingest.AtOnce()
    monkeypatch.setattr(ingest, "AtOnce", lambda: at_once)
    monkeypatch.setattr(ingest, "_MOST_READ", 1)
    with_plan(db)
    let_go = threading.Event()
    with (
        served(database_url) as address,
        httpx.Client(base_url=address, timeout=60) as client,
        ThreadPoolExecutor(1) as threads,
    ):
        gateway = enrolled(client, db)
        body = wire.encode(gateway.batch(one_row(gateway.tags["M01.total"], START, 1.0)))

        def slowly() -> Iterator[bytes]:
            yield body[:10]
            assert let_go.wait(30)
            yield body[10:]

        first = threads.submit(
            httpx.post,
            f"{address}{PATH}batches",
            content=slowly(),
            headers=HEAD | {"Authorization": client.headers["Authorization"]},
            timeout=60,
        )
        try:
            wait_for(lambda: at_once.coming_in == 1, "the beginning of the first batch")
            answer = client.post(f"{PATH}batches", content=body, headers=HEAD)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        finally:
            let_go.set()
        assert first.result(60).json()["outcome"] == "accepted"
        assert send(client, wire.decode(body)).json()["outcome"] == "known"
        assert at_once.coming_in == 0


def test_a_batch_that_the_database_holds_up_does_not_hold_up_the_rest_for_ever(
    database_url: str, db: store.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "_MOST_TAKEN", 1)
    monkeypatch.setattr(ingest, "_TAKE_WAIT_S", 0.2)
    with_plan(db)
    with (
        served(database_url) as address,
        httpx.Client(base_url=address, timeout=60) as one,
        httpx.Client(base_url=address, timeout=60) as other,
        ThreadPoolExecutor(1) as threads,
    ):
        slow, quick = enrolled(one, db, "gw-slow"), enrolled(other, db, "gw-quick")
        tag = slow.tags["M01.total"]
        second = quick.batch(one_row(tag, START, 1.0))
        with db.transaction():
            db.execute("SELECT 1 FROM registry.gateway WHERE code = 'gw-slow' FOR UPDATE")
            first = threads.submit(send, one, slow.batch(one_row(tag, START, 1.0)))
            with closing(store.connect(database_url)) as watch:

                def waits() -> bool:
                    # Others of this server wait for locks of their own.
                    found = watch.execute(
                        "SELECT count(*) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
                    )
                    return found.fetchone() == (1,)

                wait_for(waits, "the first batch to wait in the database")
            answer = send(other, second)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert first.result(60).json()["outcome"] == "accepted"
        assert send(other, second).json()["outcome"] == "accepted"


def test_without_a_database_a_gateway_is_told_to_come_again(
    city: httpx.Client, database_server: str, database_url: str, gateway: Gateway
) -> None:
    name = database_url.rpartition("/")[2]
    batch = gateway.batch(one_row(gateway.tags["M01.total"], START, 1.0))
    with closing(store.connect(database_server)) as server:
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
        answer = send(city, batch)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())
    wait_for(lambda: send(city, batch).status_code == 200, "the batch to be taken", 60)


def test_a_fault_of_the_database_is_not_the_batchs(
    city: httpx.Client, db: store.Connection, gateway: Gateway
) -> None:
    db.execute(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'mind the disk'; END $$"
    )
    db.execute(
        "CREATE TRIGGER full_disk BEFORE INSERT ON telemetry.batch EXECUTE FUNCTION full_disk()"
    )
    batch = gateway.batch(one_row(gateway.tags["M01.total"], START, 1.0))
    assert send(city, batch).status_code == 503
    db.execute("DROP TRIGGER full_disk ON telemetry.batch")
    assert send(city, batch).status_code == 200


def test_a_name_of_the_city_is_served_to_gateways_alone(
    city: httpx.Client, gateway: Gateway
) -> None:
    elsewhere = {"Host": "city.example:8443"}
    assert city.get(f"{PATH}last", headers=elsewhere).status_code == 200
    assert city.get("/api/v1/factories", headers=elsewhere).status_code == 421
