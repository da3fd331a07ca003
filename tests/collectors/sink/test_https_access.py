"""Whom the city lets in over TLS: codes, tokens, client certificates, and what ends them."""

import os
import stat
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import store
from collectors.config.file import GatewayConfig, load
from collectors.enrolment import enrol, enrol_by_code
from collectors.errors import EnrolmentFailed, NotSet, SinkUnavailable
from collectors.gateway_status import status
from collectors.history.gateway import import_gateway
from collectors.identity import load_or_make_key
from collectors.sink.choice import transport_for
from collectors.sink.https import HttpsTransport
from collectors.sink.token import read_token, token_path, write_token
from store.errors import EnrolmentRefused
from tests.collectors.city import (
    City,
    write_city_file,
)
from tests.collectors.plant import FACTORY, prepare_database
from tests.collectors.sink.test_https import times
from tests.collectors.sink.test_sink import (
    SOURCE,
    ledger,
    put,
    samples,
    sent,
    sink_of,
    told,
)
from tests.support.certificates import Authority, Pair
from tests.support.waiting import wait_for

pytestmark = pytest.mark.usefixtures("soon_again")


def test_the_token_is_its_owners_alone(config: GatewayConfig) -> None:
    path = token_path(config)
    assert path.name == "gateway.key.token"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_token(path)


def test_a_gateway_without_a_token_says_how_to_get_one(
    city: City, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = load(write_city_file(tmp_path, SOURCE, city))
    put(config, samples("A", 0, 3))
    with sink_of(config):
        wait_for(lambda: len(told(caplog)) == 1, "the line that it fails")
        assert "millpond collector enrol gateway.toml --code CODE" in told(caplog)[0]
        enrol_by_code(config, city.code())
        wait_for(lambda: sent(config) == 3, "the rows", timeout_s=60)


def test_a_code_that_is_worth_nothing(city: City, tmp_path: Path) -> None:
    config = load(write_city_file(tmp_path, SOURCE, city))
    with pytest.raises(EnrolmentRefused, match="no enrolment code of gateway gw-test"):
        enrol_by_code(config, "0000-0000-0000-0000-0000")
    with pytest.raises(EnrolmentRefused, match="no enrolment code of gateway gw-test"):
        enrol_by_code(config, city.code("gw-other"))
    code = city.code()
    with closing(store.connect(city.database_url)) as conn:
        conn.execute("UPDATE registry.enrolment_code SET expires_at = now() - interval '1 s'")
    with pytest.raises(EnrolmentRefused, match="has expired"):
        enrol_by_code(config, code)
    assert not token_path(config).exists()


def test_a_code_that_was_used_for_another_key(config: GatewayConfig, city: City) -> None:
    code = city.code()
    enrol_by_code(config, code)
    config.key_path.unlink()
    with pytest.raises(EnrolmentRefused, match="used already"):
        enrol_by_code(config, code)


def test_a_city_that_is_away_while_enrolling(city: City, tmp_path: Path) -> None:
    config = load(write_city_file(tmp_path, SOURCE, city))
    city.down()
    with pytest.raises(EnrolmentFailed, match="the city does not enrol this gateway"):
        enrol_by_code(config, "0000")


def test_each_sink_has_its_own_way_of_enrolling(config: GatewayConfig, tmp_path: Path) -> None:
    with pytest.raises(EnrolmentFailed, match="--code CODE"):
        enrol(config, FACTORY)
    path = config.path
    text = path.read_text("utf-8").replace('kind = "https"', 'kind = "timescale"')
    kept = [line for line in text.splitlines() if not line.startswith(("ca =", "timeout_s"))]
    path.write_text("\n".join(kept), "utf-8")
    with pytest.raises(EnrolmentFailed, match="--factory CODE"):
        enrol_by_code(load(path), "0000")


def test_a_revoked_gateway_stops_with_one_line_and_keeps_its_data(
    config: GatewayConfig, city: City, caplog: pytest.LogCaptureFixture
) -> None:
    put(config, samples("A", 0, 3))
    with sink_of(config):
        wait_for(lambda: sent(config) == 3, "the rows of before")
        city.revoke()
        put(config, samples("A", 3, 3))
        wait_for(lambda: len(told(caplog)) == 1, "the line that it fails")
        put(config, samples("A", 6, 3))
        asked = time.monotonic()
        wait_for(lambda: time.monotonic() > asked + 1.5, "some more tries")
        assert [line.partition(";")[0] for line in told(caplog)] == [
            "the city does not take data (gateway gw-test was revoked"
        ]
        assert (sent(config), len(ledger(city.database_url))) == (3, 1)
        enrol_by_code(config, city.code())
        wait_for(lambda: sent(config) == 9, "what was kept", timeout_s=60)
    assert times(city.database_url) == list(range(9))


def test_somebody_shut_out_is_asked_again_slowly(
    config: GatewayConfig, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    city.revoke()
    with pytest.raises(SinkUnavailable) as caught, transport_for(config).connect() as link:
        link.tags()
    assert caught.value.after_s == 300


def test_a_key_that_was_replaced_waits_for_a_new_code(
    config: GatewayConfig, city: City, caplog: pytest.LogCaptureFixture
) -> None:
    config.key_path.unlink()
    load_or_make_key(config.key_path)
    put(config, samples("A", 0, 3))
    with sink_of(config):
        wait_for(lambda: len(told(caplog)) == 1, "the line that it fails")
        assert "is not signed with the key that is enrolled" in told(caplog)[0]
        enrol_by_code(config, city.code())
        wait_for(lambda: sent(config) == 3, "the rows", timeout_s=60)


def test_the_token_of_another_gateway(
    config: GatewayConfig, city: City, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    path = write_city_file(folder, SOURCE, city)
    path.write_text(path.read_text("utf-8").replace("gw-test", "gw-other"), "utf-8")
    other = load(path)
    enrol_by_code(other, city.code("gw-other"))
    own = read_token(token_path(config))
    foreign = read_token(token_path(other))
    assert own is not None
    assert foreign is not None
    write_token(token_path(config), foreign)
    put(config, samples("A", 0, 3))
    with sink_of(config):
        wait_for(lambda: len(told(caplog)) == 1, "the line that it fails")
        assert "the files of two gateways were mixed up" in told(caplog)[0]
        assert ledger(city.database_url) == []
        write_token(token_path(config), own)
        wait_for(lambda: sent(config) == 3, "the rows", timeout_s=60)


def test_two_gateways_of_one_identity_do_not_break_the_chain(
    config: GatewayConfig,
    city: City,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("collectors.sink.ledger._STILL_S", 60.0)
    folder = tmp_path / "copy"
    folder.mkdir()
    for name in ("gateway.toml", "gateway.key", "gateway.key.token"):
        (folder / name).write_bytes((tmp_path / name).read_bytes())
    copy = load(folder / "gateway.toml")
    with sink_of(config), sink_of(copy):
        put(config, samples("A", 0, 3))
        wait_for(lambda: sent(config) == 3, "the rows of the first")
        put(copy, samples("B", 0, 3))
        # Which of the two it says depends on whether it had met the ledger before.
        words = ("another gateway sends as", "the database has batches of")
        wait_for(lambda: bool(told(caplog)), "the line of the copy")
        assert told(caplog)[0].startswith(words)
        put(config, samples("A", 3, 3))
        wait_for(lambda: sent(config) == 6, "more rows of the first")
    numbers = [row[0] for row in ledger(city.database_url)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert (sent(copy), status(copy).backlog_rows) == (0, 3)


def test_the_gateway_of_imports_has_a_token_of_its_own(config: GatewayConfig, city: City) -> None:
    own = import_gateway(config)
    enrol_by_code(own, city.code(own.gateway.id))
    for one in (config, own):
        with transport_for(one).connect() as link:
            assert set(link.tags()) == {"A", "B"}
    assert read_token(token_path(own)) != read_token(token_path(config))


def test_an_old_token_is_renewed_and_the_old_one_ends(config: GatewayConfig, city: City) -> None:
    path = token_path(config)
    before = read_token(path)
    month_ago = time.time() - 31 * 86_400
    os.utime(path, (month_ago, month_ago))
    put(config, samples("A", 0, 3))
    with sink_of(config):
        wait_for(lambda: sent(config) == 3, "the rows")
    after = read_token(path)
    assert after not in (None, before)
    with closing(store.connect(city.database_url)) as conn:
        found = conn.execute("SELECT ended_at IS NULL FROM registry.gateway_token ORDER BY made_at")
        assert found.fetchall() == [(False,), (True,)]


def test_a_token_that_cannot_be_kept_is_not_used(
    config: GatewayConfig, city: City, caplog: pytest.LogCaptureFixture
) -> None:
    path = token_path(config)
    month_ago = time.time() - 31 * 86_400
    os.utime(path, (month_ago, month_ago))
    before = read_token(path)
    # A folder in the way of the draft: root may write anywhere else.
    path.with_name(f"{path.name}.{os.getpid()}").mkdir()
    put(config, samples("A", 0, 3))
    with sink_of(config):
        wait_for(lambda: sent(config) == 3, "the rows")
    assert any("the token is not renewed" in line for line in told(caplog))
    assert read_token(path) == before


def test_a_gateway_with_a_client_certificate_needs_no_token(
    city: City, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = city.authority.issue("first"), city.authority.issue("second")
    path = write_city_file(tmp_path, SOURCE, city, more=keys_of(first.certificate, first.key))
    config = load(path)
    enrol_by_code(config, city.code(by_certificate=True))
    assert not token_path(config).exists()
    put(config, samples("A", 0, 3))
    with sink_of(config):
        wait_for(lambda: sent(config) == 3, "the rows")
    write_city_file(tmp_path, SOURCE, city, more=keys_of(second.certificate, second.key))
    other = load(path)
    put(other, samples("A", 3, 3))
    with sink_of(other):
        wait_for(lambda: len(told(caplog)) == 1, "the refusal of another certificate")
        assert "this client certificate is not known" in told(caplog)[0]
        enrol_by_code(other, city.code(by_certificate=True))
        wait_for(lambda: sent(other) == 6, "the rows", timeout_s=60)


def keys_of(certificate: Path, key: Path) -> str:
    return f'certificate = "{certificate}"\nprivate_key = "{key}"'


def test_a_certificate_that_nobody_vouched_for_gets_no_answer(city: City, tmp_path: Path) -> None:
    (tmp_path / "forged").mkdir()
    forged = Authority(tmp_path / "forged").issue("gateway")
    more = keys_of(forged.certificate, forged.key)
    config = load(write_city_file(tmp_path, SOURCE, city, more=more))
    with pytest.raises(EnrolmentFailed, match="the city does not enrol"):
        enrol_by_code(config, city.code(by_certificate=True))


def test_a_code_for_a_certificate_without_one(city: City, tmp_path: Path) -> None:
    config = load(write_city_file(tmp_path, SOURCE, city))
    with pytest.raises(EnrolmentRefused, match="then use the same code"):
        enrol_by_code(config, city.code(by_certificate=True))


@pytest.mark.parametrize(
    ("forge", "words"),
    [
        (
            lambda folder, own: own.issue("old", around=datetime.now(UTC) - timedelta(days=9)),
            "certificate has expired",
        ),
        (
            lambda folder, own: own.issue("early", around=datetime.now(UTC) + timedelta(days=9)),
            "certificate is not yet valid",
        ),
        (
            lambda folder, own: Authority(folder, "other CA").issue("unknown"),
            "unable to get local issuer certificate",
        ),
    ],
    ids=["expired", "not yet valid", "unknown authority"],
)
def test_a_city_whose_certificate_does_not_hold_gets_nothing(
    tmp_path: Path,
    database_url: str,
    caplog: pytest.LogCaptureFixture,
    forge: Callable[[Path, Authority], Pair],
    words: str,
) -> None:
    prepare_database(database_url, ["A"])
    authority = Authority(tmp_path)
    pair = forge(tmp_path, authority)
    city = City(database_url, authority, pair)
    config = load(write_city_file(tmp_path, SOURCE, city))
    write_token(token_path(config), "secret")
    put(config, samples("A", 0, 3))
    city.up()
    try:
        with sink_of(config):
            wait_for(lambda: len(told(caplog)) == 1, "the line that it fails")
    finally:
        city.down()
    assert words in told(caplog)[0]
    assert "the clock of this machine" in told(caplog)[0]
    assert status(config).backlog_rows == 3


@pytest.mark.parametrize("key", ["ca", "certificate"])
def test_files_that_are_no_certificates_are_told_at_the_start(
    city: City, tmp_path: Path, key: str
) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_text("nothing", "utf-8")
    path = write_city_file(tmp_path, SOURCE, city)
    text = path.read_text("utf-8")
    if key == "ca":
        text = text.replace(str(city.authority.certificate), str(bad))
    else:
        text = text.replace("timeout_s = 10", keys_of(bad, bad))
    path.write_text(text, "utf-8")
    with pytest.raises(NotSet, match=r"bad\.pem of \[sink\] cannot be used"):
        transport_for(load(path))


def test_the_two_clocks_are_compared(config: GatewayConfig) -> None:
    transport = transport_for(config)
    assert isinstance(transport, HttpsTransport)
    found = [transport.clock.offset_s]
    with transport.connect():
        found.append(transport.clock.offset_s)
    assert found[0] is None
    assert found[1] is not None
    assert abs(found[1]) < 60
    put(config, samples("A", 0, 1))
    ahead_s = status(config).clock_ahead_s
    assert ahead_s is not None
    assert abs(ahead_s - found[1]) < 60
