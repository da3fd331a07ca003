"""Plausibility: each rule of the table is a small function over a factory's month.

References
----------
[1] Upload rules of the national system for key energy users (重点用能单位): 90 %, 5 %, ± 1 min.
[2] ISO 22400-2:2014, effectiveness may exceed 1 only where the ideal cycle is too long.
[3] GB 17167-2006, equipment and management of measuring instruments of energy.
"""

from kpi.plausibility.basis import Before, Case, Measured, NotApplicable
from kpi.plausibility.rules import RULE_VERSION, Rule, check, check_rule, rules, sentence

__all__ = [
    "RULE_VERSION",
    "Before",
    "Case",
    "Measured",
    "NotApplicable",
    "Rule",
    "check",
    "check_rule",
    "rules",
    "sentence",
]
