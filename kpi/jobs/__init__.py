"""The jobs: facts from dirty hours, figures and verdicts above them. The impure part of kpi."""

from kpi.jobs.basis import Progress, last_full_hour
from kpi.jobs.fact_job import recompute_asset, run_facts
from kpi.jobs.figure_job import refresh_factory, run_figures
from kpi.jobs.schedule import Refresher, scheduled
from kpi.jobs.settings import Schedule, load_schedule

__all__ = [
    "Progress",
    "Refresher",
    "Schedule",
    "last_full_hour",
    "load_schedule",
    "recompute_asset",
    "refresh_factory",
    "run_facts",
    "run_figures",
    "scheduled",
]
