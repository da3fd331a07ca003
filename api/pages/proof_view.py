"""What a factory's figures stand on, as its page shows it: findings, evidence, locks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from api.formats import months
from api.messages import Texts
from api.pages.templates import Word
from api.verdicts import Tone
from kpi.annex1 import claims
from kpi.plausibility import sentence
from kpi.reasons import said
from store.evidence import StoredEvidence
from store.findings import Finding
from store.locks import Lock

# What a person should look at, the worst first.
SEVERITIES: dict[str, Tone] = {"fail": "bad", "warn": "warn", "review": "plain"}
_VERDICTS: dict[str, Tone] = {"proven": "good", "not_proven": "warn", "not_computable": "plain"}
MOST_FINDINGS = 20


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One finding of a rule."""

    month: str
    rule: str
    severity: Word
    sentence: str


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """What data say of one claim; without an answer, why."""

    claim: str
    verdict: Word
    until: str
    why: str


@dataclass(frozen=True, slots=True)
class Proof:
    """Findings with how many there are in all, evidence by claim, and the settled periods."""

    findings: tuple[FindingRow, ...]
    finding_count: int
    evidence: tuple[EvidenceRow, ...]
    locks: tuple[str, ...]


def proof(
    t: Texts,
    found: Sequence[Finding],
    evidence: Sequence[StoredEvidence],
    locks: Sequence[Lock],
    today: date,
    *,
    names: Mapping[int, tuple[str, str]] | None = None,
    most: int = MOST_FINDINGS,
) -> Proof:
    """Build the part of the page that says what the figures stand on.

    names are those of machines and meters in both languages; most bounds the findings listed.
    """
    looked_at = [each for each in found if each.severity in SEVERITIES]
    order = list(SEVERITIES)
    looked_at.sort(key=lambda each: order.index(each.severity))
    known = {claim.claim: claim for claim in claims()}
    return Proof(
        findings=tuple(_finding(t, each, names or {}) for each in looked_at[:most]),
        finding_count=len(looked_at),
        evidence=tuple(
            _evidence(t, each, t.pick(known[each.claim].zh, known[each.claim].en), today)
            for each in evidence
            if each.claim in known
        ),
        locks=tuple(_lock(t, each) for each in locks),
    )


def _finding(t: Texts, found: Finding, names: Mapping[int, tuple[str, str]]) -> FindingRow:
    name = "" if found.asset_id is None else t.pick(*names.get(found.asset_id, ("", "")))
    return FindingRow(
        f"{found.period_start:%Y-%m}",
        found.rule,
        Word(t(f"severity.{found.severity}"), SEVERITIES[found.severity]),
        sentence(found, t.language, name),
    )


def _evidence(t: Texts, found: StoredEvidence, claim: str, today: date) -> EvidenceRow:
    until = t("proof.until", day=found.expires_on)
    return EvidenceRow(
        claim,
        Word(t(f"proof.{found.verdict}"), _VERDICTS[found.verdict]),
        t("proof.expired") if found.expires_on <= today else until,
        said(found.reason, t.language),
    )


def _lock(t: Texts, lock: Lock) -> str:
    period = months(lock.period_start, lock.period_end)
    return t("proof.lock", period=period, actor=lock.locked_by, day=lock.locked_at.date())
