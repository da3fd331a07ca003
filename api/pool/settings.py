"""The policy in force: proposed by one person, confirmed by another, kept with what it decided."""

from datetime import date, datetime
from typing import Any

from api.errors import NotFound
from api.pool import lifecycle, policy, proposing
from api.pool.errors import Declined, Unfit
from api.pool.lifecycle import Lifecycle
from api.pool.policy import Policy, Setting
from api.pool.proposing import VALUES
from api.pool.refused import refused
from store import Connection, policies
from store.acting import Actor
from store.proposals import New


def current(conn: Connection, day: date) -> Policy:
    """Return the policy of a day."""
    found = [
        Setting(each.key, each.value, each.valid_from, each.source)
        for each in policies.confirmed(conn)
    ]
    return policy.merged(day, found)


def kept(conn: Connection, found: Policy) -> str:
    """Keep the values of a policy with what is decided under it, and return its id."""
    policies.keep(conn, found.policy_id, found.values)
    return found.policy_id


def propose(
    conn: Connection,
    actor: Actor,
    key: str,
    value: Any,
    *,
    valid_from: date,
    source: str,
    now: datetime,
) -> int:
    """Propose a value for a key from a day on, by the document that says so; return its number.

    Raises NotFound for a key that there is not, Unfit for a value that does not fit.
    """
    known = policy.keys().get(key)
    if known is None:
        raise NotFound(f"the policy has no key {key}")
    if fault := known.fault(value):
        raise Unfit(key, fault.code, **fault.values)
    if key == lifecycle.FILE_KEY and value.strip():
        check_lifecycle(value)
    present = current(conn, valid_from)[key].value
    new = New(key, value, valid_from, source)
    return proposing.propose(conn, actor, VALUES, new, present=present, now=now)


def check_lifecycle(text: str) -> Lifecycle:
    """Read a bureau's own lifecycle; raises BadTable, or Declined where a membership would be lost.

    It must know every state of the shipped one, since memberships may be in any of them.
    """
    found = lifecycle.read(text)
    if missing := sorted(lifecycle.shipped().states.keys() - found.states.keys()):
        raise refused("lifecycle_states", Declined, states=", ".join(missing))
    return found
