"""Judging every claim that data can speak for, by each of its methods."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from kpi.annex1 import alarms, energy, jobs, machines, quality, stores, systems
from kpi.annex1.basis import Answer, Footprint
from kpi.annex1.tables import Claim, Rule, claims, rules
from kpi.errors import NotComputable
from kpi.reasons import because

METHODS: Mapping[str, Callable[[Footprint, Rule], Answer]] = {
    "EV-CONN": machines.connected,
    "EV-STATE": machines.states,
    "EV-PARAM": machines.parameters,
    "EV-SENSE": machines.sensors,
    "EV-WARN": alarms.warnings,
    "EV-ALARM": alarms.fault_alarms,
    "EV-PREDICT": alarms.predictions,
    "EV-HEAL": alarms.recoveries,
    "EV-MAINT": alarms.upkeep,
    "EV-AUTO": jobs.automatic,
    "EV-RECIPE": jobs.recipes,
    "EV-FLOW": systems.flow,
    "EV-BUS": systems.linked,
    "EV-SCHED": systems.scheduled,
    "EV-CAP": systems.finite_capacity,
    "EV-CODE": systems.codes,
    "EV-CRM": systems.customers,
    "EV-QINT": quality.integrated,
    "EV-SPC": quality.control_charts,
    "EV-TRACE": quality.traced,
    "EV-WMS": stores.identified,
    "EV-AGV": stores.vehicles,
    "EV-METER": energy.metered,
    "EV-TCE": energy.standard_coal,
    "EV-CLEAN": energy.clean,
}
# This one looks at the systems that the claim names; the others answer alike for every claim.
SOURCES = "EV-SRC"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one method says of one claim."""

    claim: Claim
    rule: Rule
    answer: Answer


def assess(seen: Footprint) -> list[Finding]:
    """Return what each method says of each claim for a factory of this kind."""
    answers: dict[str, Answer] = {}
    found = []
    for claim in claims():
        if claim.factory_kind != seen.evidence.plan.factory.kind:
            continue
        for name in claim.methods:
            rule = rules()[name]
            if name == SOURCES:
                answer = _answer(partial(systems.sources, seen, claim=claim), rule)
            else:
                if name not in answers:
                    answers[name] = method(seen, rule)
                answer = answers[name]
            found.append(Finding(claim, rule, answer))
    return found


def method(seen: Footprint, rule: Rule) -> Answer:
    """Return what a method says; one that no data support says why."""
    return _answer(partial(METHODS.get(rule.method, _nothing), seen), rule)


def _nothing(_seen: Footprint, rule: Rule) -> Answer:
    raise NotComputable(because("one_claim", method=rule.method))


def _answer(form: Callable[[Rule], Answer], rule: Rule) -> Answer:
    if rule.unsupported is not None:
        reason = because("a_person_looks", because=because(rule.unsupported))
        return Answer("not_computable", reason=reason)
    try:
        return form(rule)
    except NotComputable as refusal:
        return Answer("not_computable", reason=refusal.reason)
