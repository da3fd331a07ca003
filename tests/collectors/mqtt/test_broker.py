"""MQTT against brokers with settings of their own: who gets in, and what is lost and noticed."""

import asyncio
import base64
import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from collectors.errors import NotSet, SourceLost, SourceUnreachable
from collectors.mqtt.adapter import MqttAdapter
from collectors.mqtt.settings import MqttSource, MqttTag, MqttTemplate
from collectors.sample import Delivery
from tests.collectors.mqtt.brokers import OwnBroker, own_broker, publish, publish_many
from tests.collectors.receiving import (
    failure_of,
    opened,
    paho_threads,
    receive_until,
    samples_of,
)
from tests.collectors.surroundings import context
from tests.support.certificates import Authority
from tests.support.waiting import wait_for

PLAIN = "allow_anonymous true"
LASTING = f"{PLAIN}\npersistence true\npersistence_location FOLDER/\nmax_queued_messages 100000"
PASSWORD = "secret of the test"


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    wait_for(lambda: paho_threads() == [], "the end of paho's threads")


def settings_for(broker: OwnBroker, **changed: Any) -> MqttSource:
    defaults: dict[str, Any] = {
        "tags": (MqttTag(tag="n", topic="t/n", value="n", ts="at", ts_unit="s", sequence="n"),),
    }
    return MqttSource(
        name="plant",
        kind="mqtt",
        host="127.0.0.1",
        port=broker.port,
        client_id="gateway",
        **(defaults | changed),
    )


def numbered(n: int) -> dict[str, Any]:
    return {"n": n, "at": 1_772_323_200 + n}


async def stored_until(wanted: MqttAdapter, last: int) -> list[Delivery]:
    """Receive and store until a number came; fails when it never does."""
    found: list[Delivery] = []

    def has_come(seen: list[Delivery]) -> bool:
        for delivery in seen[len(found) :]:
            if delivery.stored is not None:
                delivery.stored()
            found.append(delivery)
        return last in {sample.value for sample in samples_of(found)}

    return await receive_until(wanted, has_come, f"number {last}")


def collect(settings: MqttSource, folder: Path, last: int) -> list[Delivery]:
    """Run an adapter until it has stored a number."""

    async def run() -> list[Delivery]:
        wanted = MqttAdapter(settings, context(folder))
        async with opened(wanted):
            return await stored_until(wanted, last)

    return asyncio.run(run())


def reasons(found: list[Delivery]) -> list[str]:
    return [refused.reason for one in found for refused in one.refused]


def refusal_of(settings: MqttSource, folder: Path) -> Exception:
    """Return how the connection fails."""

    async def run() -> None:
        async with opened(MqttAdapter(settings, context(folder))):
            raise AssertionError("it connected")

    with pytest.raises(MqttAdapter.errors) as refused:
        asyncio.run(run())
    return refused.value


def can_open(settings: MqttSource, folder: Path) -> bool:
    async def run() -> None:
        wanted = MqttAdapter(settings, context(folder))
        async with opened(wanted):
            await receive_until(wanted, lambda seen: len(seen) > 0, "a sign of life")

    asyncio.run(run())
    return True


# --- who gets in ---------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def tls_broker(authority: Authority, more: str = PLAIN) -> Any:
    pair = authority.issue("broker")
    files = {
        "ca.pem": authority.certificate.read_text(),
        "broker.pem": pair.certificate.read_text(),
        "broker.key": pair.key.read_text(),
    }
    lines = "cafile FOLDER/ca.pem\ncertfile FOLDER/broker.pem\nkeyfile FOLDER/broker.key"
    return own_broker(f"{lines}\n{more}", files)


def test_tls_verifies_the_authority_and_the_name(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other CA")
    with tls_broker(authority) as broker:
        secure = {"tls": True, "ca": authority.certificate.name}
        assert can_open(settings_for(broker, **secure), tmp_path)
        assert can_open(settings_for(broker, **secure, tls_server_name="localhost"), tmp_path)
        wrong_name = settings_for(broker, **secure, tls_server_name="broker.plant")
        refused = str(refusal_of(wrong_name, tmp_path))
        assert "is not valid for 'broker.plant'" in refused
        assert "tls_server_name" in refused
        stranger = settings_for(broker, tls=True, ca=other.certificate.name)
        assert "name who signed it in ca" in str(refusal_of(stranger, tmp_path))
        system = settings_for(broker, tls=True)
        assert "name who signed it in ca" in str(refusal_of(system, tmp_path))
        refusal_of(settings_for(broker), tmp_path)


def test_tls_with_a_port_that_has_none_is_told(authority: Authority, tmp_path: Path) -> None:
    with own_broker() as broker:
        settings = settings_for(broker, tls=True, ca=authority.certificate.name)
        assert isinstance(refusal_of(settings, tmp_path), SourceUnreachable | OSError)


def test_a_client_certificate_is_shown(authority: Authority, tmp_path: Path) -> None:
    own = authority.issue("gateway")
    with tls_broker(authority, "require_certificate true\nuse_identity_as_username true") as broker:
        secure = {"tls": True, "ca": authority.certificate.name}
        assert can_open(
            settings_for(
                broker, **secure, certificate=own.certificate.name, private_key=own.key.name
            ),
            tmp_path,
        )
        refusal_of(settings_for(broker, **secure), tmp_path)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_login_by_name(
    tmp_path: Path, protocol: Literal["5", "3.1.1"], monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.joinpath("password").write_text(f"{PASSWORD}\n")
    hashed = "$7$101$" + _hashed(PASSWORD)
    with own_broker("password_file FOLDER/users", {"users": f"gateway:{hashed}\n"}) as broker:
        login: dict[str, Any] = {"username": "gateway", "protocol": protocol}
        by_file = settings_for(broker, **login, password_file="password")
        assert can_open(by_file, tmp_path)
        by_variable = settings_for(broker, **login, password_env="BROKER_PASSWORD")
        missing = refusal_of(by_variable, tmp_path)
        assert isinstance(missing, NotSet)
        monkeypatch.setenv("BROKER_PASSWORD", "wrong")
        refused = refusal_of(by_variable, tmp_path)
        assert isinstance(refused, SourceUnreachable)
        assert "Not authorized" in str(refused)
        assert PASSWORD not in str(refused)
        monkeypatch.setenv("BROKER_PASSWORD", PASSWORD)
        assert can_open(by_variable, tmp_path)
        refusal_of(settings_for(broker, protocol=protocol), tmp_path)


def _hashed(password: str) -> str:
    """Return a password as mosquitto keeps it: PBKDF2 with SHA-512, 101 rounds."""
    salt = b"0123456789ab"
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 101)
    return f"{base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


# --- what is lost, and noticed -------------------------------------------------------------------


def test_data_lost_because_the_broker_queues_too_little_is_noticed_and_said(
    tmp_path: Path,
) -> None:
    """With its defaults mosquitto drops what exceeds 1000 messages, though it acknowledged them."""
    with own_broker(f"{PLAIN}\nsys_interval 1") as broker:
        settings = settings_for(broker)
        publish(broker, "t/n", numbered(0), retain=True)
        collect(settings, tmp_path, 0)
        publish(broker, "t/n", b"", retain=True)
        count = 1500
        publish_many(broker, "t/n", [numbered(n) for n in range(1, count + 1)])

        async def run() -> list[Delivery]:
            wanted = MqttAdapter(settings, context(tmp_path))
            async with opened(wanted):
                publish(broker, "t/n", numbered(count + 1))
                found = await stored_until(wanted, count + 1)
                return found + await receive_until(
                    wanted,
                    lambda seen: any("dropped" in one for one in reasons(found + seen)),
                    "the broker's own count",
                )

        found = asyncio.run(run())
    got = {sample.value for sample in samples_of(found)}
    missing = [n for n in range(1, count + 2) if n not in got]
    assert missing
    (gap,) = [reason for reason in reasons(found) if "never came" in reason]
    assert gap == f"t/n: {len(missing)} messages never came: n {missing[0]} to {missing[-1]}"
    (said,) = [reason for reason in reasons(found) if "dropped" in reason]
    assert f"dropped {len(missing)} messages" in said
    assert "max_queued_messages" in said


def test_a_gateway_recovers_when_its_broker_is_restarted_with_its_session(tmp_path: Path) -> None:
    with own_broker(LASTING) as broker:
        settings = settings_for(broker)
        can_open(settings, tmp_path)
        publish_many(broker, "t/n", [numbered(n) for n in range(1, 51)])
        broker.stop()
        broker.start()
        publish_many(broker, "t/n", [numbered(n) for n in range(51, 101)])
        found = collect(settings, tmp_path, 100)
    assert [sample.value for sample in samples_of(found)] == list(map(float, range(1, 101)))
    assert reasons(found) == []


def test_a_broker_restarted_without_its_session_is_told(tmp_path: Path) -> None:
    with own_broker() as broker:
        settings = settings_for(broker)
        publish(broker, "t/n", numbered(1), retain=True)
        collect(settings, tmp_path, 1)
        publish(broker, "t/n", numbered(2))
        broker.stop()
        broker.start()

        async def run() -> list[Delivery]:
            wanted = MqttAdapter(settings, context(tmp_path))
            async with opened(wanted):
                # Kept by the broker: the answer to the subscription may still be on its way.
                publish(broker, "t/n", numbered(3), retain=True)
                return await stored_until(wanted, 3)

        found = asyncio.run(run())
    assert [sample.value for sample in samples_of(found)] == [3.0]
    (said,) = reasons(found)
    assert said.startswith("the broker 127.0.0.1 has not kept the session of gateway")


def test_a_gap_of_the_sequence_is_noticed_over_a_restart_of_the_gateway(tmp_path: Path) -> None:
    with own_broker() as broker:
        settings = settings_for(broker)
        can_open(settings, tmp_path)
        publish_many(broker, "t/n", [numbered(n) for n in (1, 2, 3)])
        assert reasons(collect(settings, tmp_path, 3)) == []
        # A retained message and one that falls, where a publisher starts anew, are no gap.
        publish_many(broker, "t/n", [numbered(n) for n in (6, 7, 1, 2, 4)])
        found = collect(settings, tmp_path, 4)
    assert reasons(found) == [
        "t/n: 2 messages never came: n 4 to 5",
        "t/n: 1 messages never came: n 3",
    ]


# --- how messages come ---------------------------------------------------------------------------


def test_shared_subscriptions_give_each_message_to_one_gateway(tmp_path: Path) -> None:
    with own_broker() as broker:
        tags = (MqttTag(tag="n", topic="t/n", value="n", ts="at", ts_unit="s"),)
        sources = [
            settings_for(broker, tags=tags, share="gateways"),
            MqttSource(
                name="plant",
                kind="mqtt",
                host="127.0.0.1",
                port=broker.port,
                client_id="second",
                share="gateways",
                tags=tags,
            ),
        ]

        async def run() -> list[list[float]]:
            first, second = (MqttAdapter(one, context(tmp_path / one.client_id)) for one in sources)
            async with opened(first), opened(second):
                for one in (first, second):
                    await receive_until(one, lambda seen: len(seen) > 0, "a sign of life")
                await asyncio.to_thread(
                    publish_many, broker, "t/n", [numbered(n) for n in range(1, 41)]
                )
                seen: list[list[Delivery]] = [[], []]
                async with asyncio.timeout(60):
                    while sum(len(samples_of(found)) for found in seen) < 40:
                        for found, one in zip(seen, (first, second), strict=True):
                            delivery = await one.receive()
                            found.append(delivery)
                            if delivery.stored is not None:
                                delivery.stored()
                return [[s.value or 0.0 for s in samples_of(found)] for found in seen]

        first, second = asyncio.run(run())
    assert sorted([*first, *second]) == list(map(float, range(1, 41)))
    assert first
    assert second


def test_messages_at_qos_0_are_taken_and_need_no_acknowledgement(tmp_path: Path) -> None:
    tags = (MqttTag(tag="n", topic="t/n", value="n"),)
    with own_broker() as broker:

        async def run() -> list[Delivery]:
            wanted = MqttAdapter(settings_for(broker, tags=tags), context(tmp_path))
            async with opened(wanted):
                await receive_until(wanted, lambda seen: len(seen) > 0, "a sign of life")
                await asyncio.to_thread(publish, broker, "t/n", numbered(1), qos=0)
                return await receive_until(wanted, lambda seen: bool(samples_of(seen)), "it")

        found = asyncio.run(run())
    assert [sample.value for sample in samples_of(found)] == [1.0]
    assert all(one.stored is None for one in found)


def test_tags_of_templates_turn_bad_with_the_others_after_a_restart(tmp_path: Path) -> None:
    template = MqttTemplate(topic="t/{name}", tag="{name}.{key}", value="*")
    with own_broker() as broker:
        settings = settings_for(broker, tags=(), templates=(template,))
        can_open(settings, tmp_path)
        publish(broker, "t/M01", {"a": 1, "b": 2})
        collect(settings, tmp_path, 2)
        assert MqttAdapter(settings, context(tmp_path)).tags == ["M01.a", "M01.b"]
        assert MqttAdapter(settings, context(tmp_path / "new")).tags == []


def test_what_came_at_qos_0_is_not_lost_with_the_connection(tmp_path: Path) -> None:
    """Nobody sends it again; it waits while the disk is slow, until the broker gives us up."""
    with own_broker() as broker:
        wanted = MqttAdapter(settings_for(broker, watch_broker=False), context(tmp_path))

        async def run() -> list[float | None]:
            async with opened(wanted):
                session = wanted._session
                assert session is not None
                await until(lambda: not session._asked, "the answer to the subscription")
                for n in range(5):
                    await asyncio.to_thread(publish, broker, "t/n", numbered(n), qos=0)
                await until(lambda: len(session._waiting) == 5, "all messages")
                await asyncio.to_thread(broker.stop)
                await until(lambda: session._lost is not None, "the loss of the connection")
                found = await receive_until(
                    wanted, lambda seen: len(samples_of(seen)) == 5, "what waited"
                )
                assert isinstance(await failure_of(wanted), SourceLost)
                return [sample.value for sample in samples_of(found)]

        assert asyncio.run(run()) == [0.0, 1.0, 2.0, 3.0, 4.0]


async def until(condition: Callable[[], bool], what: str) -> None:
    await asyncio.to_thread(wait_for, condition, what)


def test_the_wrong_clock_of_one_machine_is_not_that_of_the_source(tmp_path: Path) -> None:
    """Else each message would make the others' values uncertain, or certain again, in turn."""
    tags = tuple(
        MqttTag(tag=name, topic=f"t/{name}", value="n", ts="at", ts_unit="s") for name in "nm"
    )
    with own_broker() as broker:
        wanted = MqttAdapter(settings_for(broker, tags=tags, watch_broker=False), context(tmp_path))

        async def run() -> list[float]:
            async with opened(wanted):
                session = wanted._session
                assert session is not None
                await until(lambda: not session._asked, "the answer to the subscription")
                found: list[Delivery] = []
                for name, behind_s in (("n", 0.0), ("m", 10_800.0), ("n", 0.0)):
                    content = {"n": 1, "at": time.time() - behind_s}
                    await asyncio.to_thread(publish, broker, f"t/{name}", content)
                    found += await receive_until(
                        wanted, lambda seen: bool(samples_of(seen)), f"that of {name}"
                    )
                return [one.skew_s for one in found if one.skew_s is not None]

        skews = asyncio.run(run())
    assert len(skews) == 3
    assert max(map(abs, skews)) < 60
