"""Why a step is not open, as people read it: names in the place of codes."""

from collections.abc import Callable
from dataclasses import replace

from api import kpis
from api.pool import evidence, warnings
from api.pool.reasons import Reason


def told(why: Reason, language: str) -> str:
    """Return a reason in zh or en, with its rules, KPIs and kinds of evidence by name."""
    numbers = dict(why.numbers)
    for name, named in (("rules", _rule), ("kpis", _kpi)):
        if name in numbers:
            numbers[name] = _each(numbers[name], named, language)
    if (why.guard, why.code) == ("step", "own"):
        numbers["items"] = _each(numbers["items"], _item, language)
    return replace(why, numbers=numbers).text(language)


def _each(codes: str, named: Callable[[str, str], str], language: str) -> str:
    found = [named(code, language) for code in codes.split(", ")]
    return ("、" if language == "zh" else ", ").join(found)


def _rule(code: str, language: str) -> str:
    rule = warnings.rules().get(code)
    return code if rule is None else (rule.en if language == "en" else rule.zh)


def _kpi(code: str, language: str) -> str:
    return kpis.by_id(code).name(language) if kpis.known(code) else code


def _item(text: str, language: str) -> str:
    kind, _, day = text.partition(" ")
    known = evidence.kinds().get(kind)
    if known is None:
        return text
    return f"{known.en if language == 'en' else known.zh} {day}"
