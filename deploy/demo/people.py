"""Sample accounts of a demo: one for each role of interest, with passwords made anew each time."""

from contextlib import closing
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

import store
from api import passwords
from api.access import AccessPolicy
from api.language import Language
from api.messages import Texts
from store import accounts, registry
from store.accounts import NewAccount
from store.acting import Actor

# Whoever looks at a sample city has no device at hand; the log-in page says that it is off.
ACCESS = AccessPolicy(second_factor=False)

_MAKER = Actor(None, "demo", "system")


@dataclass(frozen=True, slots=True)
class Sample:
    """An account, and what opens it."""

    login: str
    password: str
    role: str
    scope: str


def make(url: str, language: Language = "zh") -> list[Sample]:
    """Make the sample accounts of a city and return them with their passwords."""
    with closing(store.connect(url)) as conn:
        found = registry.factories(conn)
        if not found or accounts.accounts(conn):
            return []
        return [_made(conn, new, scope) for new, scope in _wanted(found, language)]


def _wanted(found: list[registry.Factory], language: Language) -> list[tuple[NewAccount, str]]:
    first = found[0]
    county_name = Texts(language).pick(first.region_zh, first.region_en)
    city = [("city", "city_officer"), ("city-leader", "city_leader")]
    county = [("county", "county_officer"), ("county-leader", "county_leader")]
    enterprise = [("filler", "ent_filler"), ("approver", "ent_approver")]
    alone = [("security", "secadmin"), ("audit", "auditor")]
    wanted = [(_new(login, role), "") for login, role in city]
    wanted += [(_new(login, role, region=first.region_code), county_name) for login, role in county]
    for factory in found:
        suffix = "" if factory is first else f"-{factory.code.rpartition('-')[2].lower()}"
        wanted += [
            (_new(login + suffix, role, factories=(factory.code,)), factory.code)
            for login, role in enterprise
        ]
    return wanted + [(_new(login, role), "") for login, role in alone]


def _new(
    login: str, role: str, *, region: str | None = None, factories: tuple[str, ...] = ()
) -> NewAccount:
    name = Texts("zh")(f"role.{role}")
    return NewAccount(login, f"示例{name}", role, region, factories)


def _made(conn: store.Connection, new: NewAccount, scope: str) -> Sample:
    password = passwords.temporary()
    accounts.make(conn, _MAKER, new, passwords.hashed(password), must_change=False)
    return Sample(new.login, password, new.role, scope)


def show(console: Console, samples: list[Sample], language: Language) -> None:
    """Print what one logs in with; nothing of it is stored in a file."""
    if not samples:
        return
    t = Texts(language)
    table = Table(box=None, padding=(0, 2, 0, 0))
    for head in ("login.login", "login.password", "account.role", "account.scope"):
        table.add_column(t(head), no_wrap=True)
    for each in samples:
        table.add_row(each.login, each.password, t(f"role.{each.role}"), each.scope)
    console.print(table)
    console.print(t("login.demo"), style="dim")
