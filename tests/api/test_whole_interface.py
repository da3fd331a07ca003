"""Everything that the description of the interface allows, and what it does not, asked as several
roles: whatever comes, the answer is one that is described, and never a fault of the service.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import store
from api.identity import CSRF_HEADER, csrf_of
from tests.api import samples
from tests.api.conftest import served
from tests.api.people import COOKIE, session_of
from tests.store.people import person
from tests.support.database import cloned_database

_FACTORY = "SAMPLE-1"
_CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_SCOPES: dict[str, dict[str, Any]] = {
    "city_officer": {},
    "ent_approver": {"factories": (_FACTORY,)},
    "secadmin": {},
}
_EXAMPLES = 3
# Hypothesis types no application of settings to a function.
_QUICK: Any = settings(
    max_examples=_EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@dataclass
class Interface:
    """A running server of a sample pool that may be spoiled, and its description."""

    address: str
    conn: store.Connection
    description: Any
    wrong: dict[str, str] = field(default_factory=dict)
    asked: int = 0

    def ask(self, role: str, mode: GenerationMode, **fixed: Any) -> None:
        """Ask every operation a few times and keep what was answered wrongly."""
        actor = person(self.conn, role, **_SCOPES[role])
        for result in self.description.get_all_operations():
            operation: Any = result.ok()
            given_values = {
                name: value for name, value in fixed.items() if f"{{{name}}}" in operation.path
            }
            if fixed and not given_values:
                continue
            # Of its own, since one of the operations ends it.
            secret = session_of(self.conn, actor)
            strategy = operation.as_strategy(mode, path_parameters=given_values or None)
            try:
                asking: Any = given(strategy)
                _QUICK(asking(self._once(secret)))()
            except Exception as error:
                if type(error).__name__ in ("Unsatisfiable", "Unsatisfied"):
                    continue
                self.wrong[operation.label] = f"{type(error).__name__}: {error}"[:600]

    def _once(self, secret: str) -> Any:
        def once(case: Case[Any]) -> None:
            self.asked += 1
            answer = case.call(
                base_url=self.address,
                headers={CSRF_HEADER: csrf_of(secret)},
                cookies={COOKIE: secret},
                timeout=30,
            )
            case.validate_response(answer, checks=_CHECKS)

        return once


@pytest.fixture(scope="module")
def spoilt(database_server: str) -> Iterator[tuple[str, store.Connection]]:
    with cloned_database(database_server) as url, closing(store.connect(url)) as conn:
        samples.load(conn)
        # The first number is what is tried first: nobody's who asks.
        person(conn, "ent_filler")
        with served(url) as address:
            yield address, conn


@pytest.fixture
def interface(spoilt: tuple[str, store.Connection]) -> Interface:
    address, conn = spoilt
    described = httpx.get(f"{address}/api/v1/openapi.json", timeout=60).raise_for_status().json()
    # Its body is binary; the tests of what gateways send spoil that.
    schema = schemathesis.openapi.from_dict(described).exclude(path="/api/v1/ingest/batches")
    return Interface(address, conn, schema)


@pytest.mark.parametrize("role", _SCOPES)
def test_whatever_is_asked_is_answered_as_described(interface: Interface, role: str) -> None:
    interface.ask(role, GenerationMode.POSITIVE)
    interface.ask(role, GenerationMode.NEGATIVE)
    interface.ask(role, GenerationMode.POSITIVE, code=_FACTORY)
    assert interface.asked > 100
    assert interface.wrong == {}
