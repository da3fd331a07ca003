"""The rules of the night's run as data: how each is called and said, and what follows from it."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from api.pool import policy, report_table, warning_words
from api.pool.errors import BadTable
from api.pool.warning_checks import CHECKS, Outcome, Seen

_EFFECTS = {"warning", "proposal"}
_UNSEEN = {"gone", "stays"}
_LANGUAGES = {"zh", "en"}
_AND = {"zh": "；", "en": "; "}
_LONGEST = 2000
_GONE = {"zh": "原因均已消除", "en": "All causes are gone"}
_FIELDS = {"zh", "en", "effect", "unseen", "source", "said", "clears", "policy"}


@dataclass(frozen=True, slots=True)
class Rule:
    """How a rule is called and said, what follows from it, and which policy it goes by."""

    rule: str
    zh: str
    en: str
    effect: str
    unseen: str
    source: str
    said: Mapping[str, str]
    clears: Mapping[str, str]
    cleared: Mapping[str, str]
    policy: tuple[str, ...]
    guards: tuple[str, ...]

    def text(self, language: str, numbers: Mapping[str, Any]) -> str:
        """Return the sentence with the numbers as people read them, in zh or en."""
        return self.said[language].format(**warning_words.shown(numbers, language))


@cache
def rules() -> Mapping[str, Rule]:
    """Return every rule by name, in the order of the table."""
    return read(files("api.pool").joinpath("warnings.toml").read_text(encoding="utf-8"))


def read(text: str) -> Mapping[str, Rule]:
    """Read a table of rules; raises BadTable with the rule and what is wrong with it."""
    found = {name: _rule(name, each) for name, each in tomllib.loads(text).items()}
    if found.keys() != CHECKS.keys():
        odd = sorted(found.keys() ^ CHECKS.keys())
        raise BadTable(f"the warnings' table and the rules differ in {', '.join(odd)}")
    return found


def judge(seen: Seen, effect: str) -> list[Outcome]:
    """Return what every rule of an effect says of a factory."""
    return [
        outcome
        for name, rule in rules().items()
        if rule.effect == effect
        for outcome in CHECKS[name](seen)
    ]


def said(outcome: Outcome, language: str) -> str:
    """Return an outcome as a sentence, in zh or en."""
    return _sentence(outcome.rule, outcome.numbers, language)


def retold(rule: str, numbers: Mapping[str, Any], language: str) -> str:
    """Return what is on record of a rule as a sentence, in zh or en.

    The bare numbers where the rule is not known any more or said something else then.
    """
    try:
        return _sentence(rule, numbers, language)
    except (KeyError, ValueError):
        return warning_words.bare(numbers)


def causes(found: Iterable[Mapping[str, Any]], language: str) -> str:
    """Return open warnings as a step keeps them as one comment, in zh or en."""
    told = [retold(str(each["rule"]), each["numbers"], language) for each in found]
    return (_AND[language].join(told) or _GONE[language])[:_LONGEST]


def ended(rule: str, numbers: Mapping[str, Any], language: str) -> str | None:
    """Return by which numbers a warning was cleared as a sentence, in zh or en.

    None where its cause was simply not there any more.
    """
    known = rules().get(rule)
    if known is None or "looked_on" in numbers or not known.cleared:
        return None
    try:
        return known.cleared[language].format(**warning_words.shown(numbers, language))
    except (KeyError, ValueError):
        return warning_words.bare(numbers)


def _sentence(rule: str, given: Mapping[str, Any], language: str) -> str:
    numbers = dict(given)
    if rule == "report_overdue":
        name = report_table.table().kinds[numbers["kind"]]
        numbers["kind"] = name.en if language == "en" else name.zh
    return rules()[rule].text(language, numbers)


def _rule(name: str, given: Mapping[str, Any]) -> Rule:
    place = f"warnings' table: {name}"
    if missing := sorted(_FIELDS - given.keys()):
        raise BadTable(f"{place} lacks {', '.join(missing)}")
    if unknown := sorted(given.keys() - _FIELDS - {"guards", "cleared"}):
        raise BadTable(f"{place} has no field {', '.join(unknown)}")
    if given["effect"] not in _EFFECTS or given["unseen"] not in _UNSEEN:
        raise BadTable(f"{place}: effect or unseen is not one of its words")
    for words in ("said", "clears", "cleared"):
        if set(given.get(words, _LANGUAGES)) != _LANGUAGES:
            raise BadTable(f"{place}: {words} must have zh and en")
    if strange := sorted(set(given["policy"]) - policy.keys().keys()):
        raise BadTable(f"{place}: the policy has no key {strange[0]}")
    if (given["effect"] == "proposal") != ("guards" in given):
        raise BadTable(f"{place}: a proposal has guards, and nothing else has")
    lists = {each: tuple(given.get(each, ())) for each in ("guards", "policy")}
    return Rule(rule=name, **{"cleared": {}, **given, **lists})
