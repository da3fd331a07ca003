"""The way to the city over real TLS: what arrives, and what happens when it does not."""

import os
import stat
import time
from collections.abc import Callable, Iterator
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
from collectors.sample import Delivery, Refused, Sample
from collectors.sink.choice import transport_for
from collectors.sink.https import HttpsTransport
from collectors.sink.token import read_token, token_path, write_token
from collectors.sink.transport import Notice
from collectors.status import GOOD
from store.canonical import Record
from store.errors import EnrolmentRefused
from store.plans import load_plan
from tests.collectors.city import (
    City,
    Fate,
    city_of,
    enrolled_at,
    lossy,
    write_city_file,
)
from tests.collectors.plant import FACTORY, plan, prepare_database, rows_of
from tests.collectors.servers import loop_thread
from tests.collectors.sink.test_sink import (
    AT,
    FIRST_US,
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


@pytest.fixture
def city(tmp_path: Path, database_url: str) -> Iterator[City]:
    prepare_database(database_url, ["A", "B"])
    (tmp_path / "city").mkdir()
    with city_of(database_url, tmp_path / "city") as found:
        yield found


@pytest.fixture
def config(city: City, tmp_path: Path) -> GatewayConfig:
    return enrolled_at(city, write_city_file(tmp_path, SOURCE, city))


@pytest.fixture(autouse=True)
def soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask a city that shut the gateway out again at once, and take a still ledger soon."""
    monkeypatch.setattr("collectors.sink.city._SHUT_OUT_S", 0.1)
    monkeypatch.setattr("collectors.sink.ledger._STILL_S", 0.5)


def times(url: str) -> list[int]:
    return [row[1] - FIRST_US for row in rows_of(url)]


# --- what arrives --------------------------------------------------------------------------------


def test_what_is_read_arrives_signed_and_in_order(config: GatewayConfig, city: City) -> None:
    put(config, samples("A", 0, 12_000))
    with sink_of(config):
        wait_for(lambda: sent(config) == 12_000, "the backlog")
    assert [rows for _, rows, _ in ledger(city.database_url)] == [5000, 5000, 2000]
    assert times(city.database_url) == list(range(12_000))
    assert status(config).backlog_rows == 0


def test_records_and_what_could_not_be_understood_arrive_too(
    config: GatewayConfig, city: City
) -> None:
    records = [Record("order_line", f"SO{n}", AT, {"数量": n}) for n in range(3)]
    refused = [Refused("t: no value", "{}"), Refused("t: not JSON", "{\x00")]
    put(config, Delivery(records=records, refused=refused))
    with closing(store.connect(city.database_url)) as conn:

        def kept() -> list[tuple[str, str]]:
            found = conn.execute(
                "SELECT reason, payload FROM telemetry.quarantine ORDER BY quarantine_id"
            )
            return found.fetchall()

        with sink_of(config):
            wait_for(lambda: status(config).records_sent == 3, "the records")
            wait_for(lambda: len(kept()) == 2, "what was not understood")
        assert kept() == [("t: no value", "{}"), ("t: not JSON", "{\ufffd")]
        bodies = conn.execute("SELECT body FROM telemetry.record ORDER BY key").fetchall()
    assert bodies == [({"数量": n},) for n in range(3)]


def test_many_large_notices_go_in_several_requests(config: GatewayConfig, city: City) -> None:
    notices = [Notice("line", "too long", "水" * 65_536) for _ in range(20)]
    with transport_for(config).connect() as link:
        link.quarantine(notices)
    with closing(store.connect(city.database_url)) as conn:
        assert conn.execute("SELECT count(*) FROM telemetry.quarantine").fetchone() == (20,)


def test_rows_wait_for_a_tag_that_the_plan_gets_later(
    config: GatewayConfig, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collectors.sink.sink._TAGS_EVERY_S", 0.1)
    put(config, samples("A", 0, 3), samples("C", 0, 3))
    with sink_of(config):
        wait_for(lambda: sent(config) == 3, "the known tag")
        assert status(config).unknown_tags == ("C",)
        with closing(store.connect(city.database_url)) as conn:
            load_plan(conn, plan(["A", "B", "C"]))
        wait_for(lambda: sent(config) == 6, "the new tag")


def test_what_the_city_refuses_for_good_goes_aside_alone(config: GatewayConfig, city: City) -> None:
    records = [Record("order_line", f"SO{n}", AT, {"qty": n}) for n in range(5)]
    records[3] = Record("order_line", "SO3", AT, {"note": "\x00"})
    put(config, Delivery(records=records), samples("A", 0, 50))
    with sink_of(config):
        wait_for(lambda: status(config).records_sent == 4, "the good records")
        wait_for(lambda: sent(config) == 50, "all rows")
    assert (status(config).batches_aside, status(config).backlog_records) == (1, 0)
    numbers = [row[0] for row in ledger(city.database_url)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_spool_that_was_lost_continues_behind_the_ledger(
    config: GatewayConfig, city: City
) -> None:
    put(config, samples("A", 0, 5))
    with sink_of(config):
        wait_for(lambda: sent(config) == 5, "the first rows")
    for path in filter(Path.is_file, config.path.parent.glob("spool.db*")):
        path.unlink()
    put(config, samples("A", 5, 5))
    with sink_of(config):
        wait_for(lambda: sent(config) == 5, "the rows of the new spool")
    assert [row[0] for row in ledger(city.database_url)] == [1, 2]
    assert times(city.database_url) == list(range(10))


# --- what the network does ------------------------------------------------------------------------


def test_a_city_that_is_down_gets_everything_when_it_is_back(
    config: GatewayConfig, city: City, caplog: pytest.LogCaptureFixture
) -> None:
    city.down()
    put(config, samples("A", 0, 10))
    with sink_of(config):
        wait_for(lambda: len(told(caplog)) == 1, "the line that it fails")
        put(config, samples("A", 10, 10))
        city.up()
        wait_for(lambda: sent(config) == 20, "the backlog", timeout_s=60)
        wait_for(lambda: len(told(caplog)) == 2, "the line that it is back")
    assert times(city.database_url) == list(range(20))
    fails, back = told(caplog)
    assert fails.startswith("the city does not take data")
    assert fails.endswith("the spool keeps them")
    assert back.startswith("the city takes data again")


def test_a_network_that_cuts_a_batch_in_the_middle_loses_nothing(
    city: City, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with loop_thread() as loop, lossy(loop, city) as (proxy, url):
        config = enrolled_at(city, write_city_file(tmp_path, SOURCE, city, url=url))
        put(config, noise("A", 5000))
        proxy.fate = Fate(most_bytes=20_000)
        with sink_of(config):
            wait_for(lambda: len(told(caplog)) == 1, "the line that it fails")
            assert ledger(city.database_url) == []
            proxy.fate = Fate()
            wait_for(lambda: sent(config) == 5000, "the batch", timeout_s=60)
    assert times(city.database_url) == list(range(5000))


def noise(tag: str, count: int) -> Delivery:
    """Return samples that no compression makes small."""
    bits = os.urandom(6 * count)
    values = [float(int.from_bytes(bits[at : at + 6])) for at in range(0, 6 * count, 6)]
    return Delivery(
        samples=[Sample(tag, FIRST_US + n, value, GOOD) for n, value in enumerate(values)]
    )


def test_a_batch_whose_answer_was_lost_is_acknowledged_again(city: City, tmp_path: Path) -> None:
    with loop_thread() as loop, lossy(loop, city) as (proxy, url):
        more = "timeout_s = 1"
        path = write_city_file(tmp_path, SOURCE, city, url=url)
        path.write_text(path.read_text("utf-8").replace("timeout_s = 10", more), "utf-8")
        config = enrolled_at(city, path)
        with sink_of(config):
            put(config, samples("A", 0, 1))
            wait_for(lambda: sent(config) == 1, "the first batch")
            proxy.fate = Fate(is_deaf=True)
            put(config, samples("A", 1, 10))
            wait_for(lambda: len(ledger(city.database_url)) == 2, "the commit of the second")
            wait_for(lambda: proxy.lost_bytes > 0, "the loss of its answer")
            assert sent(config) == 1
            proxy.fate = Fate()
            wait_for(lambda: sent(config) == 11, "the answer", timeout_s=60)
    assert [row[:2] for row in ledger(city.database_url)] == [(1, 1), (2, 10)]
    assert times(city.database_url) == list(range(11))
    with closing(store.connect(city.database_url)) as conn:
        assert conn.execute("SELECT count(*) FROM telemetry.absorbed").fetchone() == (0,)


# --- who is let in --------------------------------------------------------------------------------


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


# --- certificates ---------------------------------------------------------------------------------


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
