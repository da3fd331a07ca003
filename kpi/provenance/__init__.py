"""Where a figure comes from, whether that still holds, and what changed between two figures."""

from kpi.provenance.audit import Audit, audit_factory, audit_figure
from kpi.provenance.diff import Difference, differences
from kpi.provenance.explain import Explanation, explain

__all__ = [
    "Audit",
    "Difference",
    "Explanation",
    "audit_factory",
    "audit_figure",
    "differences",
    "explain",
]
