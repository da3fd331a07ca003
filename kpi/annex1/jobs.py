"""Methods over the jobs that machines carry out."""

from kpi.annex1.basis import Answer, Footprint, judged, shared, text
from kpi.annex1.tables import Rule
from kpi.errors import NotComputable
from kpi.reasons import because
from store.records import StoredRecord


def automatic(seen: Footprint, rule: Rule) -> Answer:
    """Key equipment runs its jobs by itself, by running time."""
    codes = {asset.code for asset in seen.key_equipment}
    run_s = {"auto": 0.0, "manual": 0.0}
    shown: list[StoredRecord] = []
    against: list[StoredRecord] = []
    for job in seen.some("job", rule):
        mode, ended = text(job, "mode"), seen.time(job, "ended_at")
        if text(job, "asset") in codes and mode in run_s and ended and ended >= job.at:
            run_s[mode] += (ended - job.at).total_seconds()
            (shown if mode == "auto" else against).append(job)
    if not sum(run_s.values()):
        raise NotComputable(because("no_controlled_job"))
    share = run_s["auto"] / sum(run_s.values())
    numbers = {"auto_s": run_s["auto"], "manual_s": run_s["manual"], "share": share}
    least = rule.limits["least_share"]
    return judged(share >= least, numbers, kind="job", shown=shown, against=against)


def recipes(seen: Footprint, rule: Rule) -> Answer:
    """Job starts follow a download of the same released program to the same machine."""
    jobs = [job for job in seen.some("job", rule) if seen.time(job, "started_at")]
    if not jobs:
        raise NotComputable(because("no_job"))
    sent: dict[tuple[str | None, str | None], list[StoredRecord]] = {}
    for each in seen.records.get("recipe_download", ()):
        if text(each, "result") != "failed":
            sent.setdefault((text(each, "asset"), text(each, "program")), []).append(each)
    if not sent:
        raise NotComputable(because("no_record_of_kind", kind="recipe_download"))

    def has_recipe(job: StoredRecord) -> bool:
        version = text(job, "program_version")
        return text(job, "program") is not None and any(
            each.at <= job.at and version in (None, text(each, "version"))
            for each in sent.get((text(job, "asset"), text(job, "program")), ())
        )

    good = [job for job in jobs if has_recipe(job)]
    proven, numbers, against = shared(jobs, good, rule.limits["least_share"])
    return judged(proven, numbers, kind="job", shown=good, against=against)
