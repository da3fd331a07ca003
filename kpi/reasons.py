"""Why there is no number: a code with parameters, said in Chinese or in English.

All sentences stand in one table, reasons.toml. A reason is an English sentence that knows its code
and its parameters; only these are stored, as `code {"name": value}`, so that a sentence can be
mended, or said in the other language, without a change of what was found. Text of other form, as
older versions stored it, is shown as it stands.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from string import Formatter
from typing import Any, Literal

from kpi.errors import BadTable

Language = Literal["zh", "en"]
# The code of a sentence that has none.
PLAIN = "plain"

_STORED = re.compile(r"^([a-z][a-z0-9_]*) (\{.*\})$", re.DOTALL)
_DIGITS = 6
_BETWEEN: Mapping[Language, str] = {"zh": "、", "en": ", "}


class Reason(str):
    """An English sentence with the code and the parameters that it was made of."""

    code: str
    params: Mapping[str, Any]

    def __new__(cls, code: str, params: Mapping[str, Any]) -> "Reason":
        """Say a reason of the table in English; raises BadTable for one that it has not."""
        made = super().__new__(cls, _said(code, params, "en"))
        made.code, made.params = code, dict(params)
        return made

    def __reduce__(self) -> tuple[type["Reason"], tuple[str, Mapping[str, Any]]]:
        """Pass from process to process whole."""
        return Reason, (self.code, self.params)

    @property
    def stored(self) -> str:
        """Return the code with its parameters as one text."""
        params = json.dumps(self.params, ensure_ascii=False, sort_keys=True, allow_nan=False)
        return f"{self.code} {params}"

    def said(self, language: Language) -> str:
        """Return the sentence in a language."""
        return _said(self.code, self.params, language)


def because(code: str, /, **params: Any) -> Reason:
    """Return a reason of the table; a parameter may be a number, a text, a reason or a list."""
    return Reason(code, {name: _param(value) for name, value in params.items()})


def _param(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_param(each) for each in value]
    if isinstance(value, Reason):
        return value.stored
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    rounded = float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
    # No JSON has these numbers.
    return rounded if abs(rounded) < float("inf") else str(value)


def stored(value: Any) -> Any:
    """Return a reason, or whatever holds reasons, in the form in which it is stored and hashed."""
    if isinstance(value, Reason):
        return value.stored
    if isinstance(value, Mapping):
        return {key: stored(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [stored(each) for each in value]
    return value


def read(text: str) -> Reason:
    """Return a stored reason; a sentence from before reasons had codes keeps its words."""
    found = _STORED.match(text)
    if found is not None and found[1] in table():
        try:
            params = json.loads(found[2])
            return Reason(found[1], params)
        except (ValueError, KeyError):
            return Reason(PLAIN, {"text": text})
    return Reason(PLAIN, {"text": text})


def said(text: str | None, language: Language) -> str:
    """Return a stored reason as a sentence; nothing where there is none."""
    return "" if text is None else read(text).said(language)


def published(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return stored values for other programs, each reason with its code and both sentences.

    `reason` becomes the code, with `reason_zh` and `reason_en` beside it; so does whatever holds a
    reason further down. A reason in a list becomes an object of the three.
    """
    found: dict[str, Any] = {}
    for name, value in values.items():
        is_reason = name.endswith("reason") and isinstance(value, str | None)
        found |= _three(name, value) if is_reason or _is_stored(value) else {name: _opened(value)}
    return found


def _three(name: str, text: str | None) -> dict[str, str | None]:
    found = None if text is None else read(text)
    return {
        name: None if found is None else found.code,
        f"{name}_zh": None if found is None else found.said("zh"),
        f"{name}_en": None if found is None else found.said("en"),
    }


def _opened(value: Any) -> Any:
    if isinstance(value, Mapping):
        return published(value)
    if isinstance(value, list | tuple):
        return [_opened(each) for each in value]
    if _is_stored(value):
        found = read(value)
        return {"code": found.code, "zh": found.said("zh"), "en": found.said("en")}
    return value


def worded(value: Any, language: Language) -> Any:
    """Return stored values with each reason among them as a sentence."""
    if isinstance(value, Mapping):
        return {key: worded(each, language) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [worded(each, language) for each in value]
    return said(value, language) if _is_stored(value) else value


def _is_stored(value: Any) -> bool:
    if not isinstance(value, str) or _STORED.match(value) is None:
        return False
    return read(value).code != PLAIN


@dataclass(frozen=True, slots=True)
class Sentence:
    """One reason of the table in both languages, and the names of its parameters."""

    zh: str
    en: str

    @property
    def params(self) -> set[str]:
        """Return the names of what stands between braces."""
        return {name for _, name, _, _ in Formatter().parse(self.en) if name}


@cache
def _data() -> dict[str, Any]:
    text = resources.files("kpi.tables").joinpath("reasons.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def table() -> Mapping[str, Sentence]:
    """Return every reason by its code."""
    return {code: Sentence(**each) for code, each in _data()["reason"].items()}


@cache
def verdict_reasons() -> Mapping[str, Sentence]:
    """Return why a verdict may lack its word or two years may not compare, by code."""
    return {code: Sentence(**each) for code, each in _data()["verdict"].items()}


def verdict_said(given: Mapping[str, str | None], language: Language) -> str:
    """Return a verdict's reason, as it is stored, as words; an unknown code stands for itself."""
    code, text = str(given["code"]), given["text"]
    found = verdict_reasons().get(code, Sentence(code, code))
    words = found.zh if language == "zh" else found.en
    return f"{words} ({text})" if text else words


def verdict_published(given: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return a verdict's reason for other programs, in both languages beside its code."""
    return {**given, "zh": verdict_said(given, "zh"), "en": verdict_said(given, "en")}


@cache
def terms() -> Mapping[str, str]:
    """Return the Chinese for carriers and for the names of quantities inside sentences."""
    from kpi.factors import coefficients  # imports the formulas, and these import this module

    named: dict[str, str] = _data()["terms"]
    return {each.carrier: each.name_zh for each in coefficients().values()} | named


class _Word(str):
    """A text that ignores the format meant for a number."""

    def __format__(self, _spec: str) -> str:
        return str(self)


def _said(code: str, params: Mapping[str, Any], language: Language) -> str:
    found = table().get(code)
    if found is None:
        raise BadTable(f"reasons.toml has no reason {code!r}; add it in both languages")
    if code == PLAIN:
        return str(params["text"])
    words = {name: _in_words(value, language) for name, value in params.items()}
    return (found.zh if language == "zh" else found.en).format(**words)


def _in_words(value: Any, language: Language) -> Any:
    if isinstance(value, list):
        return _Word(_BETWEEN[language].join(str(_in_words(each, language)) for each in value))
    if not isinstance(value, str):
        return value
    if _is_stored(value):
        return _Word(said(value, language))
    return _Word(_term(value) if language == "zh" else value)


def _term(name: str) -> str:
    """Return the Chinese for the name of a quantity, also of one of something: `factor of coke`."""
    for head in sorted((each for each, zh in terms().items() if "{}" in zh), key=len, reverse=True):
        if name.startswith(f"{head} "):
            return terms()[head].format(_term(name.removeprefix(f"{head} ")))
    return terms().get(name, name)
