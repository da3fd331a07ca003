"""Rendering templates; a name that a template misspells is an error, never an empty place."""

import secrets
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from api.language import LANGUAGES, PARAMETER, Language, language_of, remember
from api.messages import Texts
from api.pages.menu import menu
from api.permissions import home_of
from api.verdicts import Tone

_KEY_BYTES = 18


@dataclass(frozen=True, slots=True)
class Word:
    """A verdict or a state as a person sees it: word, shape and tone together."""

    text: str
    tone: Tone
    shape: str = ""


@cache
def environment() -> Environment:
    """Return the environment that all templates share."""
    found = Environment(
        loader=PackageLoader("api"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals["new_key"] = lambda: secrets.token_urlsafe(_KEY_BYTES)
    return found


def page(request: Request, name: str, status: int = 200, **context: Any) -> HTMLResponse:
    """Render a template as an answer in the language of the request.

    Beside what is given here it knows `person`, who asks, `csrf`, what forms carry, and `menu`.
    """
    language = language_of(request)
    person = getattr(request.state, "caller", None)
    other = next(each for each in LANGUAGES if each != language)
    t = Texts(language)
    text = (
        environment()
        .get_template(name)
        .render(
            t=t,
            menu=menu(t, person, request.url.path),
            language=language,
            html_language="zh-CN" if language == "zh" else "en",
            other_language=other,
            other_href=_same_page(request, other),
            person=person,
            csrf=getattr(person, "csrf", None) or "",
            home="/" if person is None else home_of(person.role),
            **context,
        )
    )
    answer = HTMLResponse(text, status, headers={"Cache-Control": "private, no-cache"})
    answer.headers["Vary"] = "Cookie"
    remember(request, answer)
    return answer


def _same_page(request: Request, language: Language) -> str:
    query = dict(request.query_params) | {PARAMETER: language}
    # Two slashes or a backslash would begin the address of another site.
    path = quote(request.url.path.lstrip("/"), safe="/:")
    return f"/{path}?{urlencode(query)}"
