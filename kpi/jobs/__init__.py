"""The jobs: facts from dirty hours, figures and verdicts above them. The impure part of kpi."""

from kpi.jobs.basis import Progress, last_full_hour
from kpi.jobs.crew import dask_crew, local_crew
from kpi.jobs.fact_job import recompute_asset, run_facts
from kpi.jobs.figure_job import refresh_factory, run_figures
from kpi.jobs.recompute import mark_range, recompute_marked
from kpi.jobs.schedule import Refresher, scheduled
from kpi.jobs.settings import Schedule, load_schedule

__all__ = [
    "Progress",
    "Refresher",
    "Schedule",
    "dask_crew",
    "last_full_hour",
    "load_schedule",
    "local_crew",
    "mark_range",
    "recompute_asset",
    "recompute_marked",
    "refresh_factory",
    "run_facts",
    "run_figures",
    "scheduled",
]
