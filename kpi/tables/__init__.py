"""Data tables of the KPI package; `kpi.factors` reads and checks them."""
