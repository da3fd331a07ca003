"""Pure KPI formulas: numbers in, numbers out, one module per KPI family.

Ratios are 0…1 and are formed once, from sums. Where no number may be given a function raises
`kpi.errors.NotComputable`; where only one part of a result is unknown that part is `None`.
"""
