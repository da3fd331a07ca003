"""What the pages of entry lists show: the runs, and the report of one, row by row."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from api.formats import NOTHING, local_minute
from api.language import Language
from api.messages import Texts
from api.pages.templates import Word
from api.pool import entry_runs
from api.pool.entry_sheet import columns
from api.verdicts import Tone
from store.entry_runs import EntryRun

# Lines that a page shows; the file holds all that are kept.
MOST_LINES = 500

_TONES: dict[str, Tone] = {"queued": "plain", "running": "plain", "done": "good", "failed": "bad"}
_OUTCOMES: dict[str, Tone] = {"new": "good", "changed": "warn", "same": "plain", "faulty": "bad"}
_ERRORS = ("timeout", "broken", "refused", "stopped")


@dataclass(frozen=True, slots=True)
class Run:
    """A run in the list of runs, and at the head of its own page."""

    number: int
    what: str
    file: str
    sha256: str
    state: Word
    why: str
    who: str
    when: str
    counts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is said of a row; `href` is its factory's page where it is stored."""

    row: int
    factory: str
    href: str
    outcome: Word
    column: str
    severity: str
    what: str
    do: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What can be done with a trial now; `faulty` rows would have to be left out."""

    faulty: int
    rows: int


@dataclass(frozen=True, slots=True)
class View:
    """The page of one run."""

    run: Run
    waiting: bool
    is_trial: bool
    outcome: Word | None
    import_id: int | None
    choice: Choice | None
    lines: tuple[Line, ...]
    more: int
    untold: int
    refused: str


def run_row(t: Texts, found: EntryRun) -> Run:
    """Return a run as the list shows it."""
    counts = (found.report or {}).get("counts", {})
    return Run(
        number=found.run_id,
        what=t("entries.trial") if found.trial_id is None else t("entries.import"),
        file=found.file_name,
        sha256=found.file_sha256,
        state=_state(t, found),
        why=_why(t, found.error),
        who=found.actor,
        when=local_minute(found.asked_at),
        counts=tuple((t(f"entries.{name}"), counts[name]) for name in _OUTCOMES if name in counts),
    )


def view(t: Texts, found: EntryRun, refused: str = "") -> View:
    """Return the page of a run; `refused` says why what was asked was not done."""
    report = found.report or {}
    lines = list(_lines(t, report))
    said = report.get("refused")
    return View(
        run=run_row(t, found),
        waiting=found.state in ("queued", "running"),
        is_trial=found.trial_id is None,
        outcome=_outcome(t, found),
        import_id=found.import_id,
        choice=_choice(found),
        lines=tuple(lines[:MOST_LINES]),
        more=max(0, len(lines) - MOST_LINES),
        untold=report.get("untold", 0),
        refused=refused or (t.pick(said["zh"], said["en"]) if said else ""),
    )


def as_csv(language: Language, found: EntryRun) -> bytes:
    """Return every line of a report as CSV in UTF-8 with the mark that Excel needs."""
    t = Texts(language)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    heads = ("row", "factory", "outcome", "column", "problem", "action")
    writer.writerow([t(f"entries.{head}") for head in heads])
    for each in _lines(t, found.report or {}):
        cells = (each.factory, each.outcome.text, each.column, each.what, each.do)
        writer.writerow([each.row, *(_harmless(cell) for cell in cells)])
    return text.getvalue().encode("utf-8-sig")


def _harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: somebody else wrote the list."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _choice(found: EntryRun) -> Choice | None:
    if entry_runs.not_open(found, skip_faulty=True) is not None:
        return None
    assert found.report is not None
    counts = found.report["counts"]
    return Choice(counts["faulty"], counts["new"] + counts["changed"])


def _outcome(t: Texts, found: EntryRun) -> Word | None:
    if found.report is None:
        return None
    if "refused" in found.report:
        return Word(t("entries.unreadable"), "bad")
    if found.trial_id is not None:
        written = found.report["written"]
        return Word(t("entries.written" if written else "entries.unwritten"), _good(written))
    faulty = found.report["counts"]["faulty"]
    return Word(t("entries.has_faults" if faulty else "entries.faultless"), _good(not faulty))


def _good(good: bool) -> Tone:
    return "good" if good else "bad"


def _lines(t: Texts, report: Mapping[str, Any]) -> Iterator[Line]:
    for row in report.get("rows", []):
        outcome = Word(t(f"entries.{row['outcome']}"), _OUTCOMES[row["outcome"]])
        stored = report["written"] and row["outcome"] != "faulty" and row["code"]
        href = f"/factories/{row['code']}" if stored else ""
        start = (row["row"], row["factory"], href, outcome)
        if not row["problems"] and not row["changes"]:
            yield Line(*start, "", "", "", "")
        for each in row["problems"]:
            yield Line(
                *start,
                t.pick(each["column"], each["column_en"]),
                t(f"entries.{each['severity']}"),
                t.pick(each["what_zh"], each["what"]),
                t.pick(each["do_zh"], each["do"]),
            )
        for each in row["changes"]:
            head = columns()[each["name"]]
            before, after = each["before"] or NOTHING, each["after"] or NOTHING
            yield Line(*start, t.pick(head.zh, head.en), "", f"{before} → {after}", "")


def _state(t: Texts, found: EntryRun) -> Word:
    if found.state == "queued" and found.attempts:
        return Word(t("entries.again", attempts=found.attempts), "warn")
    if found.report is not None and "refused" in found.report:
        return Word(t("entries.unreadable"), "bad")
    return Word(t(f"entries.{found.state}"), _TONES[found.state])


def _why(t: Texts, error: str | None) -> str:
    if error is None:
        return ""
    code, _, said = error.partition(": ")
    known = t(f"documents.{code}") if code in _ERRORS else code
    return f"{known}（{said}）" if said else known
