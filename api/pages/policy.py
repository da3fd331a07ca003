"""The pages of the policy: every value that holds, proposing another, deciding on a proposal."""

from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.bodies import BoundedRoute, bounded
from api.database import TheDatabase
from api.errors import NotFound
from api.identity import Caller, needs
from api.language import TheLanguage
from api.messages import Texts
from api.pages import forms, policy_view, policy_words
from api.pages.policy_words import fault_text
from api.pages.templates import page
from api.permissions import Permission
from api.pool import policy, proposing, settings, workdays
from api.pool.errors import BadTable, Declined, Unfit
from api.pool.policy import Key
from api.pool.proposing import VALUES, Outcome
from api.pool_problems import status_of
from api.routes.parameters import Number
from store import Connection, proposals

router = APIRouter(prefix="/policy", route_class=BoundedRoute)

# A lifecycle file is a value too.
_MOST_BYTES = 512 * 1024
_LONGEST_VALUE = 128 * 1024
_MOST = 50

Reader = Annotated[Caller, needs(Permission.READ_POOL)]
Setter = Annotated[Caller, needs(Permission.SET_POLICY)]
Name = Annotated[str, Path(pattern=r"^[\w.]{1,80}$")]
Words = Annotated[str, Form(max_length=2000)]


@router.get("", response_class=HTMLResponse)
def read_policy(
    request: Request, database: TheDatabase, caller: Reader, language: TheLanguage
) -> HTMLResponse:
    """Show every key with the value that holds today, and what waits for a second person."""
    t = Texts(language)
    with database.acting(caller) as conn:
        held = settings.current(conn, _today())
        waiting = proposals.listed(conn, proposals.VALUES, waiting=True)
    return page(
        request, "policy.html", parts=policy_view.parts(t, held, waiting), id=held.policy_id
    )


@router.get("/{name}", response_class=HTMLResponse)
def read_key(
    request: Request, database: TheDatabase, caller: Reader, language: TheLanguage, name: Name
) -> HTMLResponse:
    """Show one key with its history, and the forms to propose and to decide."""
    key = _key(name)
    with database.acting(caller) as conn:
        return _shown(request, conn, caller, Texts(language), key)


@router.post("/{name}/proposals", openapi_extra=bounded(_MOST_BYTES))
def propose(
    request: Request,
    database: TheDatabase,
    caller: Setter,
    language: TheLanguage,
    name: Name,
    value: Annotated[str, Form(max_length=_LONGEST_VALUE)] = "",
    valid_from: Annotated[date | None, Form()] = None,
    source: Annotated[str, Form(max_length=500)] = "",
    once: forms.Once = "",
) -> Response:
    """Propose a value, or show the form again with what does not fit."""
    key, t = _key(name), Texts(language)
    with database.acting(caller) as conn:

        def make() -> dict[str, int]:
            number = settings.propose(
                conn, caller.actor, name, policy_words.given(key, value),
                valid_from=valid_from or _today(), source=source, now=datetime.now(UTC),
            )  # fmt: skip
            return {"number": number}

        try:
            forms.once(conn, caller.actor, once, make)
        except (Declined, BadTable) as error:
            why = error.text(t.language) if isinstance(error, Declined) else str(error)
            fault = fault_text(t, key, error) if isinstance(error, Unfit) else why
            return _shown(
                request, conn, caller, t, key,
                fault=t("policy.refused", why=fault), given=(value, str(valid_from or ""), source),
            )  # fmt: skip
    return RedirectResponse(f"/policy/{name}", 303)


@router.post("/{name}/proposals/{number}")
def decide(
    request: Request,
    database: TheDatabase,
    caller: Setter,
    language: TheLanguage,
    name: Name,
    number: Number,
    outcome: Annotated[Outcome, Form()],
    answer: Words = "",
) -> Response:
    """Confirm, decline or withdraw, or show what stands in the way."""
    key, t = _key(name), Texts(language)
    with database.acting(caller) as conn:
        try:
            proposing.decide(
                conn, caller.actor, VALUES, number, outcome, answer=answer, now=datetime.now(UTC)
            )
        except Declined as error:
            why = fault_text(t, key, error) if isinstance(error, Unfit) else error.text(t.language)
            return _shown(
                request, conn, caller, t, key,
                fault=t("policy.not_decided", why=why), status=status_of(error),
            )  # fmt: skip
    return RedirectResponse(f"/policy/{name}", 303)


def _shown(
    request: Request,
    conn: Connection,
    caller: Caller,
    t: Texts,
    key: Key,
    *,
    fault: str = "",
    status: int = 422,
    given: tuple[str, str, str] | None = None,
) -> HTMLResponse:
    held = settings.current(conn, _today())[key.name]
    found = proposals.listed(conn, proposals.VALUES, subject=key.name, most=_MOST)
    waiting = [each for each in found if each.outcome is None]
    return page(
        request,
        "policy_key.html",
        status if fault else 200,
        row=policy_view.row(t, held, waiting),
        told=[policy_view.of_key(t, key, each, caller.actor) for each in found],
        may_set=caller.may(Permission.SET_POLICY),
        form=key.unit,
        unit=t(f"policy_ask.{key.unit}"),
        given=given or (policy_words.written(key, held.value), _today().isoformat(), ""),
        today=_today().isoformat(),
        fault=fault,
    )


def _key(name: str) -> Key:
    found = policy.keys().get(name)
    if found is None:
        raise NotFound(f"the policy has no key {name}")
    return found


def _today() -> date:
    return workdays.today(datetime.now(UTC))
