"""Which language a person reads: asked for by `?lang=`, kept in a cookie, Chinese at first."""

from typing import Annotated, Literal, get_args

from fastapi import Depends, Request, Response

Language = Literal["zh", "en"]

LANGUAGES: tuple[Language, ...] = get_args(Language)
PARAMETER = "lang"

_COOKIE = "millpond_lang"
_YEAR_S = 365 * 24 * 3600


def language_of(request: Request) -> Language:
    """Return the language asked for in this request, or the one that was chosen before."""
    for choice in (request.query_params.get(PARAMETER), request.cookies.get(_COOKIE)):
        for language in LANGUAGES:
            if choice == language:
                return language
    return "zh"


def remember(request: Request, response: Response) -> None:
    """Keep the choice for later pages where the request made one."""
    choice = request.query_params.get(PARAMETER)
    if choice in LANGUAGES:
        response.set_cookie(
            _COOKIE, choice, max_age=_YEAR_S, path="/", httponly=True, samesite="lax"
        )


TheLanguage = Annotated[Language, Depends(language_of)]
