"""Filters and pagers: one way for every page that shows a list.

A handler asks the store for one row more than it shows, cuts it off, and says how to go on:

    shown, older = api.paging.cut(found, 50, lambda each: each.report_id)
    fields = (select(t, "state", t("report.state"), state, names), factory_field(t, conn, factory))
    page(…, listing=listing(t, "/reports", fields, before=older))

The template prints `{{ ui.filters(listing) }}` over its table and `{{ ui.pager(listing) }}` below
it, both of _macros.html; whoever turns a page keeps the filters. An empty filter is sent as an
empty text, so its parameter allows one: `FactoryChoice`, `RegionChoice`, `WordChoice`, `Before`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import Query

from api.messages import Texts
from api.routes.parameters import MOST_CURSOR

FactoryChoice = Annotated[str, Query(pattern=r"^[\w.:-]{0,64}$")]
RegionChoice = Annotated[str, Query(pattern=r"^\w{0,12}$")]
WordChoice = Annotated[str, Query(pattern=r"^[\w.:-]{0,64}$")]
Before = Annotated[int | None, Query(ge=1, le=MOST_CURSOR)]


@dataclass(frozen=True, slots=True)
class Field:
    """A filter: one of some choices (value and text), words of one's own, or a kept value."""

    name: str
    label: str
    value: str
    form: Literal["choice", "words", "kept"]
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A way to another page of the list; rel is what HTML calls it."""

    rel: Literal["prev", "next"]
    href: str
    text: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What surrounds a list: its filters above, its steps and where one is below."""

    path: str
    fields: tuple[Field, ...]
    button: str
    label: str
    steps: tuple[Step, ...]
    where: str = ""

    @property
    def is_filtered(self) -> bool:
        """Tell whether a filter is set, so that an empty list can say so."""
        return any(each.value for each in self.fields if each.form != "kept")


def select(
    t: Texts, name: str, label: str, value: str | None, choices: Iterable[tuple[str, str]]
) -> Field:
    """Return a filter by one of some values; the first choice is all of them."""
    whole = (("", t("list.all")), *choices)
    return Field(name, label, value or "", "choice", whole)


def words(name: str, label: str, value: str | None) -> Field:
    """Return a filter by words of one's own."""
    return Field(name, label, value or "", "words")


def kept(name: str, value: str | None) -> Field:
    """Return a filter that no form shows, but that pages keep."""
    return Field(name, "", value or "", "kept")


def listing(t: Texts, path: str, fields: Sequence[Field] = (), **on: object) -> Listing:
    """Return what surrounds a list that goes on behind a cursor, newest or most urgent first.

    `on` is the cursor by its parameter's name; None says that nothing follows.
    """
    steps = [
        Step("next", href(path, fields, **{name: value}), t("list.next"))
        for name, value in on.items()
        if value is not None
    ]
    return Listing(path, tuple(fields), t("list.filter"), t("list.pages"), tuple(steps))


def numbered(t: Texts, path: str, page: int, pages: int, fields: Sequence[Field] = ()) -> Listing:
    """Return what surrounds a list whose pages are numbered from 1."""
    steps = []
    if page > 1:
        before = {"page": page - 1} if page > 2 else {}
        steps.append(Step("prev", href(path, fields, **before), t("list.previous")))
    if page < pages:
        steps.append(Step("next", href(path, fields, page=page + 1), t("list.next")))
    where = t("list.page", page=page, pages=pages) if pages > 1 else ""
    return Listing(path, tuple(fields), t("list.filter"), t("list.pages"), tuple(steps), where)


def href(path: str, fields: Sequence[Field] = (), **on: object) -> str:
    """Return a page's address with the filters that are set and where it goes on."""
    query = {each.name: each.value for each in fields if each.value}
    whole = query | {name: str(value) for name, value in on.items()}
    return f"{path}?{urlencode(whole)}" if whole else path
