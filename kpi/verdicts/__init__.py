"""Verdicts: fulfilment 兑现 and consistency 一致, by a dated policy, never mixed."""

from kpi.verdicts.comparability import Basis, Differing, basis_of, differences
from kpi.verdicts.judging import judge, unkept_years
from kpi.verdicts.words import Consistency, Fulfilment, Verified, consistency, fulfilment

__all__ = [
    "Basis",
    "Consistency",
    "Differing",
    "Fulfilment",
    "Verified",
    "basis_of",
    "consistency",
    "differences",
    "fulfilment",
    "judge",
    "unkept_years",
]
