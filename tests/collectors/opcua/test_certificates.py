"""Certificates: made once and kept privately, given in two forms, judged by their date."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from collectors.errors import NotSet
from collectors.opcua.certificates import (
    Identity,
    given_identity,
    now,
    own_identity,
    read_certificate,
    read_key,
)

DER, PEM = serialization.Encoding.DER, serialization.Encoding.PEM


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """An identity that tests share, since a key takes a while to make."""
    return own_identity(tmp_path_factory.mktemp("own"), keep=True)


def loaded(identity: Identity) -> x509.Certificate:
    return x509.load_der_x509_certificate(identity.certificate)


def test_the_gateways_certificate_is_made_once_and_its_key_kept_privately(made: Identity) -> None:
    assert made.path is not None
    folder = made.path.parent
    again = own_identity(folder, keep=True)
    assert (again.certificate, again.private_key) == (made.certificate, made.private_key)
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {path.name for path in folder.iterdir()} == {"certificate.der", "private_key.pem"}


def test_the_certificate_names_the_application_and_lasts_ten_years(made: Identity) -> None:
    certificate = loaded(made)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [made.uri]
    assert made.uri.startswith("urn:millpond:gateway:")
    lasts = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert lasts == timedelta(days=3650)


def test_its_end_is_told_thirty_days_before(made: Identity) -> None:
    ends = loaded(made).not_valid_after_utc
    assert made.warning(now()) is None
    assert made.warning(ends - timedelta(days=30, seconds=1)) is None
    assert f"expires on {ends:%Y-%m-%d}" in (made.warning(ends - timedelta(days=29)) or "")
    assert "expired on" in (made.warning(ends + timedelta(days=1)) or "")


def test_nothing_is_written_when_nothing_is_to_be_kept(tmp_path: Path) -> None:
    one = own_identity(tmp_path / "state", keep=False)
    assert one.path is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("encoding", [DER, PEM])
def test_given_files_are_read_in_both_forms(
    made: Identity, tmp_path: Path, encoding: serialization.Encoding
) -> None:
    key = serialization.load_pem_private_key(made.private_key, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    old = serialization.PrivateFormat.TraditionalOpenSSL
    (tmp_path / "c").write_bytes(loaded(made).public_bytes(encoding))
    (tmp_path / "k").write_bytes(key.private_bytes(encoding, old, serialization.NoEncryption()))
    given = given_identity(tmp_path / "c", tmp_path / "k")
    assert (given.certificate, given.private_key) == (made.certificate, made.private_key)


def test_a_key_of_another_certificate_is_refused(made: Identity, tmp_path: Path) -> None:
    other = own_identity(tmp_path / "other", keep=True)
    assert made.path is not None
    assert other.path is not None
    with pytest.raises(NotSet, match="is not the key of"):
        given_identity(made.path, other.path.with_name("private_key.pem"))


def test_files_that_hold_something_else_are_told(made: Identity, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("certificate")
    with pytest.raises(NotSet, match="no certificate"):
        read_certificate(tmp_path / "text")
    with pytest.raises(NotSet, match="no private key"):
        read_key(tmp_path / "text")
    with pytest.raises(NotSet, match="cannot be read"):
        read_certificate(tmp_path / "missing")
    key = serialization.load_pem_private_key(made.private_key, None)
    locked = key.private_bytes(
        PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    )
    (tmp_path / "locked").write_bytes(locked)
    with pytest.raises(NotSet, match="without a password"):
        read_key(tmp_path / "locked")
    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "curve").write_bytes(curve)
    with pytest.raises(NotSet, match="no RSA key"):
        read_key(tmp_path / "curve")


def test_now_is_aware() -> None:
    assert now().tzinfo is UTC
    assert abs(now() - datetime.now(UTC)) < timedelta(minutes=1)
