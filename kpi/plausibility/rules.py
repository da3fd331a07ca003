"""The table of rules, and how what they measure becomes findings."""

import csv
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import isfinite

from kpi.errors import BadTable
from kpi.plausibility import books, counts, delivery, digits, meters, power, signals
from kpi.plausibility.basis import Case, Measured, NotApplicable, Severity
from store.findings import NewFinding

RULE_VERSION = "DQ-2026.1"
MOST_SHOWN = 50
SEVERITIES: tuple[Severity, ...] = ("fail", "warn", "review", "pass", "not_applicable")

Check = Callable[[Case], Iterator[Measured]]

# Each rule with the reason to give where a case holds nothing that it could look at.
CHECKS: Mapping[str, tuple[Check, str]] = {
    "Q01": (delivery.completeness, "no_data"),
    "Q02": (delivery.sampling_interval, "no_data"),
    "Q03": (meters.days_and_month, "no_data"),
    "Q04": (delivery.day_boundary, "no_data"),
    "Q05": (delivery.lateness, "no_batches"),
    "Q06": (delivery.retention, "no_retention"),
    "Q07": (meters.main_and_sub, "no_sub_meter"),
    "Q08": (meters.gross_errors, "no_data"),
    "Q09": (meters.calibration, "no_calibration"),
    "Q10": (meters.coverage, "no_meters"),
    "Q11": (meters.multiplier, "no_whole_day"),
    "P01": (power.running_without_power, "no_power_tag"),
    "P02": (power.power_without_running, "no_power_tag"),
    "P03": (power.parts_without_power, "no_power_tag"),
    "P04": (power.energy_of_a_part, "no_data"),
    "P05": (counts.performance, "no_data"),
    "P06": (counts.cycle_physics, "no_min_cycle"),
    "P07": (meters.rated_power, "no_rated_power"),
    "P08": (signals.flatline, "no_analog"),
    "P09": (signals.repeated_days, "no_whole_day"),
    "P10": (digits.last_digits, "too_few_typed"),
    "P11": (digits.first_digits, "too_few_invoices"),
    "P12": (digits.round_values, "too_few_typed"),
    "P13": (books.material, "no_material_moves"),
    "P14": (books.shipments, "no_stock_quantity"),
    "P15": (meters.invoices, "no_invoice"),
    "P16": (counts.holidays, "no_data"),
    "P17": (counts.planned_downtime, "no_baseline"),
    "P18": (books.late_edits, "no_settled_record"),
    "P19": (counts.resets, "no_data"),
    "P20": (books.identity, "no_serial"),
    "P21": (signals.cloned_signals, "no_analog"),
    "P22": (delivery.clocks, "no_batches"),
    "P23": (delivery.backfilled, "no_batches"),
    "P24": (delivery.broken_baseline, "no_baseline"),
    "P25": (counts.smoothness, "no_data"),
    "P26": (meters.weekly_pattern, "no_pattern"),
    "P27": (delivery.estimated, "no_data"),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what it measures, and from where on that is a finding, in its unit."""

    id: str
    name_zh: str
    name_en: str
    measure: str
    unit: str
    worse: str
    limits: Mapping[str, float]
    source: str

    def graded(self, value: float) -> tuple[Severity, float]:
        """Return the severity of a value, with the limit that it passed or else keeps."""
        for severity in SEVERITIES[:3]:
            limit = self.limits.get(severity)
            if limit is not None and (value > limit if self.worse == "over" else value < limit):
                return severity, limit
        return "pass", self.first_limit

    @property
    def first_limit(self) -> float:
        """Return the limit that a rising trouble passes first."""
        return min(self.limits.values()) if self.worse == "over" else max(self.limits.values())


@cache
def rules() -> dict[str, Rule]:
    """Return the table of rules by id; raises BadTable where it does not fit the functions."""
    text = files(__package__).joinpath("rules.csv").read_text(encoding="utf-8")
    found = {row["id"]: _rule(row) for row in csv.DictReader(text.splitlines())}
    if list(found) != list(CHECKS):
        raise BadTable("kpi/plausibility/rules.csv: its ids are not those of the functions")
    return found


def _rule(row: Mapping[str, str]) -> Rule:
    limits = {name: float(row[name]) for name in ("fail", "warn", "review") if row[name]}
    if not limits or row["worse"] not in ("over", "under"):
        raise BadTable(f"kpi/plausibility/rules.csv: {row['id']} lacks a limit or its direction")
    names = ("id", "name_zh", "name_en", "measure", "unit", "worse", "source")
    return Rule(limits=limits, **{name: row[name] for name in names})


def check(case: Case) -> list[NewFinding]:
    """Return what every rule finds in a case, in the order of the table.

    A rule gives a finding for each subject beyond a limit, or one pass for the subject nearest to
    it, or says that it is not applicable and why.
    """
    return [finding for rule_id in CHECKS for finding in check_rule(rule_id, case)]


def check_rule(rule_id: str, case: Case) -> list[NewFinding]:
    """Return what one rule finds in a case."""
    rule, (function, nothing) = rules()[rule_id], CHECKS[rule_id]
    try:
        # A record may hold any number, also one that is none.
        measured = [each for each in function(case) if isfinite(each.value)]
    except NotApplicable as refusal:
        return [_silent(rule, case, refusal.code)]
    if not measured:
        return [_silent(rule, case, nothing)]
    found = [_finding(rule, each) for each in measured]
    bad = [each for each in found if each.severity != "pass"]
    sign = 1 if rule.worse == "over" else -1
    return bad or [max(found, key=lambda each: sign * (each.measured or 0.0))]


def _silent(rule: Rule, case: Case, code: str) -> NewFinding:
    subject = case.plan.factory.code
    return NewFinding(
        rule.id, RULE_VERSION, "not_applicable", subject, None, None, None, None, rule.unit, code,
        (), 0,
    )  # fmt: skip


def _finding(rule: Rule, measured: Measured) -> NewFinding:
    severity, limit = rule.graded(measured.value)
    if measured.severity is not None and severity == "pass":
        severity = measured.severity
    elif measured.severity == "fail":
        severity = "fail"
    return NewFinding(
        rule=rule.id,
        rule_version=RULE_VERSION,
        severity=severity,
        subject=measured.subject,
        asset_id=measured.asset_id,
        tag_id=measured.tag_id,
        measured=measured.value,
        threshold=limit,
        unit=rule.unit,
        message=rule.id,
        shown=tuple(measured.shown[:MOST_SHOWN]) if severity != "pass" else (),
        shown_count=len(measured.shown) if severity != "pass" else 0,
    )


@cache
def _sentences() -> dict[str, dict[str, str]]:
    return tomllib.loads(files(__package__).joinpath("sentences.toml").read_text(encoding="utf-8"))


def sentence(finding: NewFinding, language: str, name: str = "") -> str:
    """Return what a person reads of a finding, in zh or en; raises KeyError for another code.

    name is what its machine or meter is called; it stands before the tag.
    """
    return _sentences()[finding.message][language].format(
        subject=f"{name} {finding.subject}" if name else finding.subject,
        measured=shown_value(finding.measured, finding.unit, language),
        limit=shown_value(finding.threshold, finding.unit, language),
    )


def sentence_codes() -> set[str]:
    """Return all codes that have a sentence."""
    return set(_sentences())


_UNITS = {"s": ("秒", " s"), "h": ("小时", " h"), "days": ("天", " d"), "count": ("", "")}


def shown_value(value: float | None, unit: str, language: str) -> str:
    """Return a value with its unit as a person reads it; ratios in percent."""
    if value is None:
        return ""
    if unit == "ratio":
        return f"{value * 100:.4g}%" if language == "zh" else f"{value * 100:.4g} %"
    chinese, english = _UNITS[unit]
    return f"{value:.5g}{chinese if language == 'zh' else english}"
