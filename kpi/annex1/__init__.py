"""What data say of the construction points (附件1), claim by claim."""

from kpi.annex1.assess import Finding, assess
from kpi.annex1.basis import Answer, Footprint, Stop
from kpi.annex1.tables import Claim, Rule, claims, rule_version, rules

__all__ = [
    "Answer",
    "Claim",
    "Finding",
    "Footprint",
    "Rule",
    "Stop",
    "assess",
    "claims",
    "rule_version",
    "rules",
]
