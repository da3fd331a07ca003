"""Everything that the description of the interface allows, and what it does not, asked as several
roles and as a gateway: whatever comes, the answer is one that is described, in time, and never a
fault of the service.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import store
import store.access
from api.identity import CSRF_HEADER, csrf_of
from store import signing, wire
from tests.api import samples
from tests.api.conftest import served
from tests.api.people import COOKIE, session_of
from tests.store.people import person
from tests.store.samples import START, Gateway, one_row
from tests.support.database import cloned_database

_FACTORY, _GATEWAY = "SAMPLE-1", "gw-sample-1"
_WITHIN_S = 20  # no answer by then is a fault as well
_CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_INGEST = "/api/v1/ingest/"
_SCOPES: dict[str, dict[str, Any]] = {
    "city_officer": {},
    "ent_approver": {"factories": (_FACTORY,)},
    "secadmin": {},
}
_EXAMPLES = 5
# Hypothesis types no application of settings to a function.
_FEW: Any = settings(
    max_examples=_EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def _packed() -> bytes:
    """Return a whole batch of a gateway of this name with another key."""
    gateway = Gateway(_GATEWAY, signing.generate_key(), {"M01.state": 1})
    return wire.encode(gateway.batch(one_row(1, START, 1.0)))


@some.composite
def _batches(draw: some.DrawFn) -> bytes:
    """Anything, a whole batch, a batch cut short, or one with a byte changed."""
    whole = _PACKED
    place = draw(some.integers(0, len(whole) - 1))
    byte = draw(some.binary(min_size=1, max_size=1))
    spoilt = (whole, whole[:place], whole[:place] + byte + whole[place + 1 :])
    return draw(some.binary(max_size=4096) | some.sampled_from(spoilt))


_PACKED = _packed()
schemathesis.openapi.media_type(wire.MEDIA_TYPE, _batches())


@dataclass(frozen=True)
class Asked:
    """What one operation is asked, made once and asked as everybody."""

    operation: str
    path: str
    cases: list[Case[Any]]


@dataclass
class Interface:
    """A running server of a sample pool that may be spoiled, and what it is asked."""

    address: str
    conn: store.Connection
    asked: list[Asked]
    wrong: dict[str, str] = field(default_factory=dict)
    answers: int = 0

    def ask(self, role: str) -> None:
        """Ask every operation as a person and keep what was answered wrongly."""
        actor = person(self.conn, role, **_SCOPES[role])
        for each in self.asked:
            # A session of its own for each operation, since one of them ends it.
            secret = session_of(self.conn, actor)
            known = {"headers": {CSRF_HEADER: csrf_of(secret)}, "cookies": {COOKIE: secret}}
            self._ask(each, known)

    def ask_as_gateway(self) -> None:
        """Ask every operation of gateways as one and keep what was answered wrongly."""
        for each in self.asked:
            if each.path.startswith(_INGEST):
                # A token of its own for each operation, since one of them renews it.
                token = store.access.renew_token(self.conn, _GATEWAY, actor="test")
                self._ask(each, {"headers": {"Authorization": f"Bearer {token}"}})

    def _ask(self, asked: Asked, known: dict[str, Any]) -> None:
        try:
            for case in asked.cases:
                answer = case.call(base_url=self.address, timeout=_WITHIN_S, **known)
                case.validate_response(answer, checks=_CHECKS)
                self.answers += 1
        except Exception as error:
            self.wrong[asked.operation] = f"{type(error).__name__}: {error}"[:600]


def _kept(cases: list[Case[Any]]) -> Callable[[Case[Any]], None]:
    def keep(case: Case[Any]) -> None:
        cases.append(case)

    return keep


def _asked(description: Any, mode: GenerationMode, **fixed: Any) -> Iterator[Asked]:
    """Make a few cases of every operation, or of those whose path has what is fixed."""
    for result in description.get_all_operations():
        operation: Any = result.ok()
        values = {name: each for name, each in fixed.items() if f"{{{name}}}" in operation.path}
        if fixed and not values:
            continue
        made = Asked(operation.label, operation.path, [])
        strategy = operation.as_strategy(mode, path_parameters=values or None)
        try:
            making: Any = given(strategy)
            _FEW(making(_kept(made.cases)))()
        except Exception as error:
            if type(error).__name__ not in ("Unsatisfiable", "Unsatisfied"):
                raise
        yield made


@pytest.fixture(scope="module")
def spoilt(database_server: str) -> Iterator[tuple[str, store.Connection]]:
    with cloned_database(database_server) as url, closing(store.connect(url)) as conn:
        samples.load(conn)
        # The first number is what is tried first: nobody's who asks.
        person(conn, "ent_filler")
        with served(url) as address:
            yield address, conn


@pytest.fixture(scope="module")
def asked(spoilt: tuple[str, store.Connection]) -> list[Asked]:
    address, _ = spoilt
    described = httpx.get(f"{address}/api/v1/openapi.json", timeout=60).raise_for_status().json()
    description = schemathesis.openapi.from_dict(described)
    return [
        *_asked(description, GenerationMode.POSITIVE),
        *_asked(description, GenerationMode.NEGATIVE),
        *_asked(description, GenerationMode.POSITIVE, code=_FACTORY),
    ]


@pytest.fixture
def interface(spoilt: tuple[str, store.Connection], asked: list[Asked]) -> Interface:
    return Interface(*spoilt, asked)


@pytest.mark.parametrize("role", _SCOPES)
def test_whatever_is_asked_is_answered_as_described(interface: Interface, role: str) -> None:
    interface.ask(role)
    assert interface.wrong == {}
    assert interface.answers > 100 * _EXAMPLES


def test_whatever_a_gateway_sends_is_answered_as_described(interface: Interface) -> None:
    interface.ask_as_gateway()
    assert interface.wrong == {}
    assert interface.answers > 8 * _EXAMPLES
    assert any(each.path.endswith("/batches") and each.cases for each in interface.asked)
