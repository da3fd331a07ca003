"""Whether figures and verdicts are still those that were published, and follow from each other."""

import math
from collections.abc import Iterator

import store
from kpi.policy import Policy, policies
from kpi.provenance.basis import Problem, named_period
from kpi.verdicts.judging import NOT_COMPARABLE
from kpi.verdicts.words import Verified, consistency, fulfilment
from store import published
from store.published import Announced, Given, Words

_DIGITS = 1e-9
# What is told of a figure, in the order in which a person reads it.
_TOLD = (
    *("point", "low", "high", "unit", "coverage", "grade", "reason"),
    *("method_version", "coefficient_version", "formed_at"),
)


def check(conn: store.Connection, factory_id: int, factory: str) -> Iterator[Problem]:
    """Yield each closed figure and verdict of a factory that differs from what was published.

    The follow-up feed holds what every closed revision said and each word that a verdict had, so
    that a number changed together with its hash is found here. A verdict must also follow from
    its own figure, promise and report, by the policy that it names.
    """
    for each in published.differing_figures(conn, factory_id):
        yield _figure(factory, each)
    for words in published.differing_words(conn, factory_id):
        # What verdicts were before they were kept, only the feed knows.
        if words.stored != words.told[len(words.told) - len(words.stored) :] or not words.stored:
            yield _words(factory, words)
    by_version = {policy.version: policy for policy in policies()}
    for verdict in published.given(conn, factory_id):
        if verdict.policy_version in by_version:
            yield from _verdict(factory, verdict, by_version[verdict.policy_version])


def _figure(factory: str, found: Announced) -> Problem:
    period = named_period(found.period_kind, found.period_start, found.period_end)
    where = f"figure {found.figure_id} ({factory} {found.kpi} {period})"
    if found.told is None:
        return Problem("published", where, f"{where} is stored, but was never published")
    told, stored = dict(found.told), dict(found.stored)
    if stored["unit"] is None:
        return Problem("published", where, f"{where} was published and is not stored any more")
    said = ", ".join(
        f"{name} is {_shown(stored[name])}, {_shown(told[name])} was published"
        for name in _TOLD
        if name in told and stored[name] != told[name]
    )
    return Problem("published", where, f"{where}: {said}")


def _words(factory: str, found: Words) -> Problem:
    where = f"{found.what} of {factory} {found.kpi} from {found.period_start}"
    stored, told = (", then ".join(each) or "nothing" for each in (found.stored, found.told))
    return Problem("published", where, f"{where}: {stored} is stored, {told} was published")


def _verdict(factory: str, found: Given, policy: Policy) -> Iterator[Problem]:
    """Give both verdicts again; whether two years compare is decided elsewhere."""
    where = f"verdict on {factory} {found.kpi} from {found.period_start}"
    verified = Verified(found.point, found.low, found.high, found.coverage)
    measured = None
    if found.before_coverage is not None:
        low, high = found.before_low, found.before_high
        measured = Verified(found.before_value, low, high, found.before_coverage)
    kept = fulfilment(found.before_value, found.expected_value, verified, policy, measured)
    tolerance = policy.tolerance(found.kpi, found.unit)
    true = consistency(found.reported_value, verified, tolerance, policy)
    pairs: list[tuple[str, object, object]] = [
        ("deviation", found.deviation, true.deviation),
        ("consistency", found.consistency_verdict, true.verdict),
    ]
    if found.fulfilment_verdict != NOT_COMPARABLE:
        pairs += [
            ("fulfilment", found.fulfilment, kept.share),
            ("fulfilment_low", found.fulfilment_low, kept.low),
            ("fulfilment_high", found.fulfilment_high, kept.high),
            ("fulfilment word", found.fulfilment_verdict, kept.verdict),
        ]
    for name, mine, again in pairs:
        if not _equal(mine, again):
            said = f"{name} is {_shown(mine)}, its figure and its promise give {_shown(again)}"
            yield Problem("verdict", where, f"{where}: {said}")


def _equal(mine: object, again: object) -> bool:
    if isinstance(mine, float) and isinstance(again, float):
        return math.isclose(mine, again, rel_tol=_DIGITS, abs_tol=1e-12)
    return mine == again


def _shown(value: object) -> str:
    return "none" if value is None else f"{value:.12g}" if isinstance(value, float) else str(value)
