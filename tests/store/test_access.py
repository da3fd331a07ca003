"""Codes, tokens and certificates: who is let in, who is not, and what is written down about it."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

import store
from store import access, signing
from store.access import Enrolment
from store.errors import (
    AccessDenied,
    BadSignature,
    EnrolmentRefused,
    GatewayRevoked,
    Refused,
    UnknownFactory,
    UnknownGateway,
)
from tests.store.samples import with_plan

GATEWAY = "gw-access"
FINGERPRINT = bytes(range(32))

Make = Callable[..., str]


@pytest.fixture
def seed() -> bytes:
    return signing.generate_key()


@pytest.fixture
def make(db: store.Connection, factory_id: int) -> Make:
    def made(**options: Any) -> str:
        return access.make_enrolment_code(
            db, "sample", options.pop("gateway", GATEWAY), actor="officer", **options
        )

    return made


def asked(code: str, seed: bytes, gateway: str = GATEWAY) -> Enrolment:
    public = signing.public_key(seed)
    proof = signing.enrolment_proof(gateway, code, public)
    return Enrolment(gateway, code, public, signing.sign(seed, proof))


def enrol(
    db: store.Connection, code: str, seed: bytes, fingerprint: bytes | None = None
) -> str | None:
    return access.enrol(db, asked(code, seed), fingerprint, actor="192.0.2.1")


def token_of(db: store.Connection, code: str, seed: bytes) -> str:
    token = enrol(db, code, seed)
    assert token is not None
    return token


def events(db: store.Connection) -> list[tuple[str, str]]:
    found = db.execute("SELECT action, actor FROM registry.gateway_event ORDER BY event_id")
    return found.fetchall()


def test_a_code_gives_a_token_that_names_the_gateway(
    db: store.Connection, make: Make, seed: bytes
) -> None:
    token = token_of(db, make(), seed)
    assert access.by_token(db, token) == GATEWAY
    assert events(db) == [("code_made", "officer"), ("enrolled", "192.0.2.1")]
    key = db.execute("SELECT public_key FROM registry.gateway WHERE code = %s", (GATEWAY,))
    assert key.fetchone() == (signing.public_key(seed),)


def test_neither_code_nor_token_is_in_the_database(
    db: store.Connection, make: Make, seed: bytes
) -> None:
    code = make()
    token = token_of(db, code, seed)
    for table in ("enrolment_code", "gateway_token", "gateway_event"):
        rows = db.execute(f"SELECT t::text FROM registry.{table} t".encode()).fetchall()
        text = "\n".join(row[0] for row in rows)
        assert rows
        assert code not in text
        assert code.encode().hex() not in text
        assert token not in text
        assert token.encode().hex() not in text
    (kept,) = db.execute("SELECT token_sha256 FROM registry.gateway_token").fetchall()
    assert kept == (hashlib.sha256(token.encode()).digest(),)


def test_a_code_may_be_typed_as_a_person_reads_it(
    db: store.Connection, make: Make, seed: bytes
) -> None:
    code = make().lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert token_of(db, code, seed)


def test_a_code_works_once(db: store.Connection, make: Make, seed: bytes) -> None:
    code = make()
    access.by_token(db, token_of(db, code, seed))
    for other in (seed, signing.generate_key()):
        with pytest.raises(EnrolmentRefused, match="used already"):
            enrol(db, code, other)


def test_an_answer_that_was_lost_can_be_asked_for_again(
    db: store.Connection, make: Make, seed: bytes
) -> None:
    code = make()
    lost = token_of(db, code, seed)
    with pytest.raises(EnrolmentRefused, match="used already"):
        enrol(db, code, signing.generate_key())
    again = token_of(db, code, seed)
    assert access.by_token(db, again) == GATEWAY
    with pytest.raises(AccessDenied, match="replaced by a newer one"):
        access.by_token(db, lost)


def test_an_expired_code(db: store.Connection, make: Make, seed: bytes) -> None:
    with pytest.raises(EnrolmentRefused, match="has expired"):
        enrol(db, make(hours=0), seed)


def test_a_wrong_code_and_the_code_of_another_gateway(
    db: store.Connection, make: Make, seed: bytes
) -> None:
    for code in ("00000-00000", make(gateway="gw-other")):
        with pytest.raises(EnrolmentRefused, match=f"no enrolment code of gateway {GATEWAY}"):
            enrol(db, code, seed)
    make()
    with pytest.raises(EnrolmentRefused):
        enrol(db, "00000-00000", seed)
    # Of what strangers try, only what costs an attempt is written down.
    found = [action for action, _ in events(db)]
    assert found == ["code_made", "code_made", "enrolment_refused"]


def test_a_code_is_void_after_too_many_wrong_ones(
    db: store.Connection, make: Make, seed: bytes
) -> None:
    code = make()
    for _ in range(10):
        with pytest.raises(EnrolmentRefused):
            enrol(db, "wrong", seed)
    with pytest.raises(EnrolmentRefused, match="is void"):
        enrol(db, code, seed)


def test_a_newer_code_makes_the_older_void(db: store.Connection, make: Make, seed: bytes) -> None:
    older, newer = make(), make()
    with pytest.raises(EnrolmentRefused, match="is void"):
        enrol(db, older, seed)
    assert token_of(db, newer, seed)


def test_a_key_that_is_not_the_askers_own(db: store.Connection, make: Make, seed: bytes) -> None:
    code = make()
    true = asked(code, seed)
    stolen = Enrolment(GATEWAY, code, signing.public_key(signing.generate_key()), true.signature)
    with pytest.raises(BadSignature):
        access.enrol(db, stolen, None, actor="192.0.2.1")
    with pytest.raises(BadSignature):
        access.enrol(
            db, Enrolment("gw-other", code, true.public_key, true.signature), None, actor=""
        )
    assert token_of(db, code, seed)


def test_a_new_key_needs_a_new_code_and_ends_the_old_token(
    db: store.Connection, make: Make, seed: bytes
) -> None:
    old = token_of(db, make(), seed)
    assert access.by_token(db, old) == GATEWAY
    new = token_of(db, make(), signing.generate_key())
    assert access.by_token(db, new) == GATEWAY
    with pytest.raises(AccessDenied, match="see whether a copy"):
        access.by_token(db, old)


def test_a_renewed_token_ends_the_old_one_only_when_it_is_used(
    db: store.Connection, make: Make, seed: bytes
) -> None:
    first = token_of(db, make(), seed)
    access.by_token(db, first)
    lost = access.renew_token(db, GATEWAY, actor="gateway")
    assert access.by_token(db, first) == GATEWAY
    second = access.renew_token(db, GATEWAY, actor="gateway")
    assert access.by_token(db, second) == GATEWAY
    for ended in (first, lost):
        with pytest.raises(AccessDenied):
            access.by_token(db, ended)
    assert events(db)[-1] == ("token_renewed", "gateway")


def test_a_token_that_nobody_gave_out(db: store.Connection) -> None:
    for token in ("", "x" * 43, "\ud800"):
        with pytest.raises(AccessDenied, match="not known"):
            access.by_token(db, token)


def test_a_revoked_gateway_is_out_until_it_is_enrolled_again(
    db: store.Connection, make: Make, seed: bytes
) -> None:
    token = token_of(db, make(), seed)
    open_code = make()
    access.revoke_gateway(db, GATEWAY, actor="officer", reason="stolen")
    assert events(db)[-1] == ("revoked", "officer")
    with pytest.raises(GatewayRevoked, match="was revoked"):
        access.by_token(db, token)
    with pytest.raises(EnrolmentRefused, match="is void"):
        enrol(db, open_code, seed)
    again = token_of(db, make(), seed)
    assert access.by_token(db, again) == GATEWAY


def test_a_revoked_gateway_cannot_come_back_with_the_code_that_it_spent(
    db: store.Connection, make: Make, seed: bytes
) -> None:
    code = make(by_certificate=True)
    enrol(db, code, seed, FINGERPRINT)
    access.revoke_gateway(db, GATEWAY, actor="officer", reason="stolen")
    with pytest.raises(EnrolmentRefused, match="is void"):
        enrol(db, code, seed, FINGERPRINT)
    code = make()
    access.by_token(db, token_of(db, code, seed))
    access.revoke_gateway(db, GATEWAY, actor="officer", reason="stolen again")
    with pytest.raises(EnrolmentRefused, match="is void"):
        enrol(db, code, seed)


def test_a_newer_code_voids_one_that_was_spent(
    db: store.Connection, make: Make, seed: bytes
) -> None:
    older = make()
    token_of(db, older, seed)
    newer = make()
    with pytest.raises(EnrolmentRefused, match="is void"):
        enrol(db, older, seed)
    assert token_of(db, newer, signing.generate_key())


def test_revoking_what_is_not_there(db: store.Connection) -> None:
    with pytest.raises(UnknownGateway, match="no gateway gw-none is enrolled"):
        access.revoke_gateway(db, "gw-none", actor="officer")


def test_a_code_for_a_certificate_registers_its_fingerprint(
    db: store.Connection, make: Make, seed: bytes
) -> None:
    code = make(by_certificate=True)
    with pytest.raises(EnrolmentRefused, match="then use the same code"):
        enrol(db, code, seed)
    assert enrol(db, code, seed, FINGERPRINT) is None
    assert access.by_certificate(db, FINGERPRINT) == GATEWAY
    with pytest.raises(AccessDenied, match="not known"):
        access.by_certificate(db, bytes(32))


def test_a_certificate_belongs_to_one_gateway(
    db: store.Connection, make: Make, seed: bytes
) -> None:
    enrol(db, make(by_certificate=True), seed, FINGERPRINT)
    other = asked(make(gateway="gw-other", by_certificate=True), seed, "gw-other")
    with pytest.raises(EnrolmentRefused, match="another gateway has this certificate"):
        access.enrol(db, other, FINGERPRINT, actor="")
    access.revoke_gateway(db, GATEWAY, actor="officer")
    with pytest.raises(GatewayRevoked):
        access.by_certificate(db, FINGERPRINT)


def test_a_renewed_certificate_replaces_the_old_one(
    db: store.Connection, make: Make, seed: bytes
) -> None:
    enrol(db, make(by_certificate=True), seed, FINGERPRINT)
    enrol(db, make(by_certificate=True), seed, bytes(32))
    assert access.by_certificate(db, bytes(32)) == GATEWAY
    with pytest.raises(AccessDenied, match="replaced"):
        access.by_certificate(db, FINGERPRINT)


def test_a_code_for_no_factory_or_for_another_factorys_gateway(
    db: store.Connection, make: Make, seed: bytes
) -> None:
    token_of(db, make(), seed)
    with_plan(db, "second")
    with pytest.raises(Refused, match="enrolled at factory sample"):
        access.make_enrolment_code(db, "second", GATEWAY, actor="officer")
    with pytest.raises(UnknownFactory):
        access.make_enrolment_code(db, "nowhere", GATEWAY, actor="officer")
