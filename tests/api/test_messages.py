"""Both languages are whole, and templates hold no text of their own."""

import re
import string
from importlib.resources import files
from pathlib import Path
from typing import get_args

import pytest

from api import kpis
from api.exports import letter, text_form
from api.messages import Texts, catalogue
from api.pages.proof_view import SEVERITIES
from api.pages.system import JOB_NAMES
from api.pages.templates import environment
from api.permissions import Role
from api.pool import proposing
from api.pool.entry import OUTCOMES
from api.pool.evidence import kinds, words
from api.pool.policy import Kind, Unit, keys
from api.verdicts import CONSISTENCY, FULFILMENT
from tests.api.html import Element, parse

# Queues, tables and heads of the page of the system.
SYSTEM_WORDS = (
    *("documents", "entries", "letters", "webhooks", "jobs", "pieces", "queues", "gateways"),
    *("job", "outcome", "began", "succeeded", "failed_in_day", "piece", "why", "failures"),
    *("since", "next_try", "queue", "waiting", "oldest", "given_up", "gateway", "plant"),
    *("state", "batch", "received", "skew"),
)

API = Path(str(files("api")))
TEMPLATES = sorted(path.name for path in (API / "templates").iterdir() if path.is_file())
# Keys that code puts together from a word of the data.
MADE = {
    *(f"fulfilment.{word}" for word in FULFILMENT),
    *(f"consistency.{word}" for word in CONSISTENCY),
    *(f"attention.{word}" for word in ("act", "watch", "fine", "pending")),
    *(f"basis.{word}" for word in ("measured", "documented", "declared")),
    *(f"common.{word}" for word in ("up", "down", "discrete", "process")),
    *(f"state.{word}" for word in ("run", "setup", "stop", "idle", "planned_down", "unknown")),
    *(f"live.{word}" for word in ("fresh", "silent", "bad", "uncertain", "never")),
    *(f"overview.report_{word}" for word in ("off", "false")),
    *(f"severity.{word}" for word in SEVERITIES),
    *(f"proof.{word}" for word in ("proven", "not_proven", "not_computable")),
    *(f"role.{role}" for role in Role),
    *(key for key in catalogue() if key.split(".")[0] in ("action", "kind", "field", "unfit")),
    *(key for key in catalogue() if key.split(".")[0] in ("todo", "todo_do", "message", "told")),
    *(key for key in catalogue() if key.split(".")[0] == "refused"),
    *(f"dispute.rerun_{state}" for state in ("none", "queued", "running", "done", "failed")),
    *(f"dispute.{why}" for why in ("timeout", "broken", "refused", "stopped")),
    *(key for key in catalogue() if key.split(".")[0] in ("entry_fault", "entry_refused")),
    *(f"todos.{part}" for part in ("overdue", "soon", "later")),
    *(f"messages.{word}" for word in ("email", "sms", "queued", "delivered", "failed")),
    *(f"tickets.{word}" for word in ("county", "city", "open", "answered", "closed")),
    *(f"tickets.{act}" for act in ("reply", "close", "reopen")),
    *(f"ticket_act.{act}" for act in ("open", "reply", "close", "reopen")),
    *(f"entries.{word}" for word in ("queued", "running", "done", "failed", *OUTCOMES)),
    *(f"entries.{word}" for word in ("error", "warning")),
    *(f"outbox.{state}" for state in ("queued", "failed")),
    *(f"system.{outcome}" for outcome in ("done", "failed", "running", "cut_short")),
    *(f"system.{name}" for name in SYSTEM_WORDS),
    *(f"system.job_{name}" for name in JOB_NAMES),
    *(f"policy.kind_{kind}" for kind in get_args(Kind)),
    *(f"policy.form_{unit}" for unit in ("flag", "day", "checks", "lifecycle")),
    *(f"policy.{outcome}" for outcome in (*proposing.OUTCOMES, "still")),
    *(f"policy_ask.{unit}" for unit in get_args(Unit)),
    *(f"policy_unit.{unit}" for unit in ("d", "workday", "month", "year", "minute", "count")),
    *(f"letter.{what}" for what in text_form.KINDS),
    *(f"letter_field.{name}" for name in text_form.FIELDS),
    *(f"letter_fact.{name}" for name in letter.FACTS),
    *(f"letter_insert.{name}" for name in letter.INSERTS),
    *(f"policy_part.{name.partition('.')[0]}" for name in keys()),
    *(f"documents.{state}" for state in ("queued", "running", "done", "failed")),
    *(f"documents.{why}" for why in ("timeout", "broken", "refused", "stopped")),
    *(f"evidence_field.{each.kind}_{name}" for each in kinds().values() for name in each.fields),
    *(
        f"evidence_word.{word}"
        for each in kinds().values()
        for name in each.fields
        for word in words(each.kind, name)
    ),
    *(f"fault.{fault}" for fault in ("taken", "role", "empty", "region", "factory", "own")),
    "fault.separate",
    *(f"password.{fault}" for fault in ("length", "classes", "names", "common", "again", "differ")),
    *(
        f"error.{kind}_{part}"
        for kind in (
            *("not_found", "invalid", "method", "unavailable", "unexpected"),
            *("unauthorized", "forbidden", "stale"),
        )
        for part in ("title", "text")
    ),
}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def written_keys() -> set[str]:
    sources = [*API.glob("templates/*.html"), *API.glob("pages/*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    quoted = set(re.findall(r'"([a-z]+\.[a-z_]+)"', text))
    return {key for key in quoted if key.split(".")[0] in sections() and key[-5:] != ".html"}


def sections() -> set[str]:
    return {key.split(".")[0] for key in catalogue()}


def test_every_text_has_both_languages_with_the_same_places_to_fill() -> None:
    for key, texts in catalogue().items():
        assert texts["zh"].strip(" ") or key == "common.separator", key
        assert texts["en"].strip(" "), key
        assert placeholders(texts["zh"]) == placeholders(texts["en"]), key


def test_chinese_is_chinese_and_english_is_english() -> None:
    chinese = re.compile(r"[\u4e00-\u9fff]")
    for key, texts in catalogue().items():
        if key == "site.other_language" or not any(map(str.isalpha, texts["en"])):
            continue
        if not placeholders(texts["zh"]):
            assert chinese.search(texts["zh"]), key
        assert not chinese.search(texts["en"]), key


def test_every_key_that_is_used_exists_and_every_text_is_used() -> None:
    used = written_keys() | MADE
    assert used <= set(catalogue()), used - set(catalogue())
    assert set(catalogue()) <= used, set(catalogue()) - used


def test_a_missing_value_or_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        Texts("zh")("overview.page", page=1)
    with pytest.raises(KeyError):
        Texts("en")("overview.nothing_like_it")


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_holds_no_text_of_its_own(name: str) -> None:
    source = (API / "templates" / name).read_text(encoding="utf-8")
    bare = re.sub(r"\{[{%#].*?[}%#]\}", "", source, flags=re.DOTALL)
    for element in _elements(bare):
        words = [child for child in element.children if isinstance(child, str)]
        words += [element.attributes.get(key, "") for key in ("alt", "title", "aria-label")]
        assert not any(any(map(str.isalpha, word)) for word in words), (name, element.tag, words)


def _elements(source: str) -> list[Element]:
    # A template is a part of a page, and its branches may open what another closes.
    return list(parse(f"<main>{source}</main>").walk())


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_compiles(name: str) -> None:
    assert environment().get_template(name).root_render_func is not None


@pytest.mark.parametrize("name", [name for name in TEMPLATES if name[0] != "_"])
def test_every_page_has_a_title_of_its_own(name: str) -> None:
    template = environment().get_template(name)
    assert "title" in template.blocks


def test_every_kpi_has_all_its_names() -> None:
    for kpi in kpis.KPIS:
        for language in ("zh", "en"):
            assert kpi.name(language)
            assert kpi.short(language)
            assert kpi.shown_unit(language)
