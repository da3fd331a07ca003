"""Several sources on one bus, several rates on one device, and units at rest."""

import asyncio
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.errors import SourceUnreachable
from collectors.modbus.polling import Rates
from collectors.status import GOOD
from tests.collectors.modbus.meters import adapter, serial, tag
from tests.collectors.modbus.raw import Asked, Raw, Send, raw_serial, raw_tcp
from tests.collectors.receiving import first_of_each, opened, receive_until, samples_of

_ROUNDS = 20


class OneAtATime:
    """Answers a little later, and notes whether anybody asked in between."""

    def __init__(self, raw: Raw) -> None:
        self._raw = raw
        self._pending = 0
        self.collided = False

    def answer(self, asked: Asked, send: Send) -> None:
        self.collided = self.collided or self._pending > 0
        self._pending += 1

        def reply() -> None:
            self._pending -= 1
            send(self._raw.right(asked))

        asyncio.get_running_loop().call_later(0.005, reply)


def test_modbus_shared_bus_concurrent_polls_collide(free_port: int) -> None:
    """Complaint: sources that share a bus or a gateway disturb each other."""

    async def run() -> None:
        async with raw_tcp(free_port) as raw:
            gate = OneAtATime(raw)
            raw.answer = gate.answer
            meters = [adapter(free_port, tag(f"u{n}", 10 * n, unit_id=n)) for n in (1, 2, 3)]
            async with opened(meters[0]), opened(meters[1]), opened(meters[2]):
                found = await asyncio.gather(
                    *(
                        receive_until(one, lambda seen: len(samples_of(seen)) >= _ROUNDS, "polls")
                        for one in meters
                    )
                )
            for number, deliveries in enumerate(found, start=1):
                assert {s[2:] for s in samples_of(deliveries)} == {(10.0 * number, GOOD)}
            assert raw.connections == 1
            assert not gate.collided

    asyncio.run(run())


def test_two_sources_share_a_serial_line() -> None:
    async def run() -> dict[str, float | None]:
        async with raw_serial() as (raw, path):
            gate = OneAtATime(raw)
            raw.answer = gate.answer
            one, two = serial(path, tag("a", 1)), serial(path, tag("b", 2, unit_id=2))
            async with opened(one), opened(two):
                found = await asyncio.gather(first_of_each(one), first_of_each(two))
            assert not gate.collided
            return {name: sample.value for each in found for name, sample in each.items()}

    assert asyncio.run(run()) == {"a": 1, "b": 2}


def test_a_source_that_ends_leaves_the_bus_to_the_other(free_port: int) -> None:
    async def run() -> int:
        async with raw_tcp(free_port) as raw:
            one, two = adapter(free_port, tag("a", 1)), adapter(free_port, tag("b", 2))
            async with opened(one):
                async with opened(two):
                    await first_of_each(two)
                await first_of_each(one)
            async with opened(two):
                await first_of_each(two)
            return raw.connections

    assert asyncio.run(run()) == 2


def test_two_sources_with_other_settings_of_one_line_are_told() -> None:
    async def run() -> None:
        async with (
            raw_serial() as (_raw, path),
            opened(serial(path, tag("a", 1))),
            opened(serial(path, tag("b", 2), parity="even")),
        ):
            raise AssertionError("it opened a line that is in use otherwise")

    with pytest.raises(SourceUnreachable, match="other settings"):
        asyncio.run(run())


def test_a_pause_keeps_requests_apart(free_port: int) -> None:
    async def run() -> list[bool]:
        rested: list[bool] = []
        async with raw_tcp(free_port) as raw:
            ready = asyncio.Event()
            ready.set()

            def answer(asked: Asked, send: Send) -> None:
                rested.append(ready.is_set())
                ready.clear()
                send(raw.right(asked))
                asyncio.get_running_loop().call_later(0.005, ready.set)

            raw.answer = answer
            tags = [tag(f"t{n}", 1000 * n) for n in range(4)]
            async with opened(adapter(free_port, *tags, pause_ms=100.0)) as meter:
                await first_of_each(meter)
        return rested

    assert asyncio.run(run()) == [True] * 4


def test_a_tag_may_have_a_period_of_its_own(free_port: int) -> None:
    async def run() -> Counter[int]:
        async with raw_tcp(free_port) as raw:
            tags = (tag("fast", 1), tag("slow", 2, poll_s=3600.0))
            async with opened(adapter(free_port, *tags)) as meter:
                await receive_until(
                    meter, lambda seen: len(samples_of(seen, "fast")) >= _ROUNDS, "polls"
                )
            return Counter(asked.address for asked in raw.asked)

    asked = asyncio.run(run())
    assert asked[1] == _ROUNDS
    assert asked[2] == 1


@given(st.sets(st.sampled_from([0.5, 1.0, 2.0, 5.0, 60.0]), min_size=1), st.floats(0, 1e6))
def test_rates_are_staggered_and_keep_their_period(periods: set[float], start_s: float) -> None:
    rates = Rates(periods, start_s)
    moments: dict[float, list[float]] = {period: [] for period in periods}
    for _ in range(400):
        period_s, due_s = rates.next()
        moments[period_s].append(due_s)
        rates.begin(period_s, due_s)
    later = {period: found[1:] for period, found in moments.items()}
    for period, found in moments.items():
        assert found[0] == start_s
        steps = [b - a for a, b in pairwise(found[1:])]
        assert steps == pytest.approx([period] * len(steps))
    together = [moment for found in later.values() for moment in found]
    assert len({round(moment, 6) for moment in together}) == len(together)


@given(st.floats(0.0, 100.0))
def test_a_slow_device_skips_polls_instead_of_running_after_them(took_s: float) -> None:
    rates = Rates({1.0}, 0.0)
    rates.begin(1.0, 0.0)
    rates.begin(1.0, 1.0 + took_s)
    assert 1.0 + took_s < rates.next()[1] <= 2.0 + took_s
