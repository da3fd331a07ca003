"""KPI engine: facts, figures and verdicts from measurements and records."""
