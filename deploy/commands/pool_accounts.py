"""`millpond pool`: the first administrators, tokens of systems, and the audit's chain."""

from contextlib import closing
from enum import StrEnum
from getpass import getuser
from typing import Annotated

import typer

import store
from deploy.commands.common import DatabaseOption, JsonOption, database_url, print_json
from deploy.errors import AuditBroken, NotSeparate
from store.acting import Actor

app = typer.Typer(no_args_is_help=True)


class Office(StrEnum):
    """The three offices, which three people hold."""

    SYSTEM = "system"
    SECURITY = "security"
    AUDIT = "audit"


_ROLES = {Office.SYSTEM: "sysadmin", Office.SECURITY: "secadmin", Office.AUDIT: "auditor"}


@app.command()
def admin(
    office: Annotated[Office, typer.Argument(help="Which of the three offices.")],
    login: Annotated[str, typer.Argument(help="What the person logs in with.")],
    name: Annotated[str, typer.Argument(help="The person's name.")],
    another: Annotated[
        bool, typer.Option("--another", help="Beside one who holds the office already.")
    ] = False,
    actor: Annotated[
        str | None, typer.Option(help="Who does it; by default the account's name.")
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Make the account of an administrator and print its temporary password, once.

    System, security and audit administrators are three people; accounts of all others are then
    made by the security administrator on the page /accounts.

    Example: `millpond pool admin security wangfang 王芳`
    """
    from api import account_admin  # slow to import
    from store.accounts import NewAccount

    role = _ROLES[office]
    with closing(store.connect(database_url(database))) as conn:
        _check_separate(conn, role, name, another=another)
        maker = Actor(None, actor or getuser(), "operator")
        made = account_admin.make(conn, maker, NewAccount(login, name, role))
    print(f"login     {made.login}\npassword  {made.password}")
    print("It is shown only now; it is changed at the first log-in.")


def _check_separate(conn: store.Connection, role: str, name: str, *, another: bool) -> None:
    from store import accounts

    for each in accounts.accounts(conn):
        if each.disabled_at is not None or each.role not in _ROLES.values():
            continue
        if each.name == name.strip() and each.role != role:
            raise NotSeparate(
                f"{name} holds another office already (login {each.login}): system, security and "
                "audit administrators are three people"
            )
        if each.role == role and not another:
            raise NotSeparate(
                f"{each.name} holds this office already (login {each.login}); add --another for "
                "one more"
            )


@app.command()
def token(
    login: Annotated[str, typer.Argument(help="The account that the system acts for.")],
    name: Annotated[str, typer.Argument(help="What the token is for.")],
    permission: Annotated[
        list[str], typer.Option(help="What it permits; several times for several.")
    ],
    days: Annotated[int, typer.Option(help="How long it holds.", min=1, max=366)] = 90,
    actor: Annotated[
        str | None, typer.Option(help="Who does it; by default the account's name.")
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Make a token for another system and print it, once.

    Example: `millpond pool token liwei 数据中台 --permission follow-up:read`
    """
    from api import account_admin  # slow to import
    from store import accounts
    from store.errors import UnknownAccount

    with closing(store.connect(database_url(database))) as conn:
        found = accounts.secrets_of(conn, login=login)
        if found is None:
            raise UnknownAccount(f"there is no account {login}")
        maker = Actor(None, actor or getuser(), "operator")
        _, secret = account_admin.make_token(conn, maker, found.account_id, name, permission, days)
    print(secret)


@app.command("audit-verify")
def audit_verify(
    expect: Annotated[
        str | None, typer.Option(help="NUMBER:HASH of an entry that was noted down before.")
    ] = None,
    as_json: JsonOption = False,
    database: DatabaseOption = None,
) -> None:
    """Walk the audit's chain and name the first entry that does not follow; exits with 1 then.

    Note the last number and hash down elsewhere: with --expect they show that nothing up to there
    was taken away or written anew since.

    Example: `millpond pool audit-verify`
    """
    from store import audit

    noted = None if expect is None else _expected(expect)
    with closing(store.connect(database_url(database))) as conn:
        found = audit.verify(conn)
        if as_json:
            print_json(found)
        if found.broken_id is not None:
            raise AuditBroken(f"the chain breaks at entry {found.broken_id}: {found.why}")
        if noted is not None and not audit.holds(conn, *noted):
            raise AuditBroken(f"the chain has no entry {expect}: it was cut off or written anew")
    if not as_json:
        print(f"{found.entries} entries hold; the last is {found.last_id}:{found.last_sha256}")


def _expected(text: str) -> tuple[int, str]:
    number, _, sha256 = text.partition(":")
    if not (number.isascii() and number.isdecimal() and sha256):
        raise typer.BadParameter("--expect takes NUMBER:HASH as this verb prints it")
    return int(number), sha256.lower()
