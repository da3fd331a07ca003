"""Who may do what: the roles of the pool, the permissions, and the one table between them.

What a permission reaches is limited again by the scope of the account (its factories, its county,
the city), which the database enforces.
"""

from enum import StrEnum


class Role(StrEnum):
    """One account has one role."""

    ENT_FILLER = "ent_filler"
    ENT_APPROVER = "ent_approver"
    ENT_ENGINEER = "ent_engineer"
    COUNTY_OFFICER = "county_officer"
    COUNTY_LEADER = "county_leader"
    CITY_OFFICER = "city_officer"
    CITY_LEADER = "city_leader"
    EXPERT = "expert"
    VERIFIER = "verifier"
    SYSADMIN = "sysadmin"
    SECADMIN = "secadmin"
    AUDITOR = "auditor"
    # The jobs of the machine: no account has it.
    SYSTEM = "system"


class Permission(StrEnum):
    """What a handler asks for, as thing and act."""

    USE_OWN_ACCOUNT = "account:use"
    READ_FIGURES = "figures:read"
    READ_RAW = "raw:read"
    READ_FOLLOW_UP = "follow-up:read"
    MANAGE_WEBHOOKS = "webhooks:manage"
    READ_POOL = "pool:read"
    MOVE_MEMBERSHIP = "membership:move"
    RECORD_EVIDENCE = "evidence:record"
    WORK_ON_TICKETS = "tickets:work"
    MAKE_DOCUMENTS = "documents:make"
    FILL_REPORT = "report:fill"
    MOVE_REPORT = "report:move"
    RAISE_DISPUTE = "dispute:raise"
    MOVE_DISPUTE = "dispute:move"
    SET_POLICY = "policy:set"
    IMPORT_ENTRIES = "entries:import"
    READ_AUDIT = "audit:read"
    MANAGE_ACCOUNTS = "accounts:manage"
    READ_SYSTEM = "system:read"
    OPERATE_SYSTEM = "system:operate"


ENTERPRISE = frozenset({Role.ENT_FILLER, Role.ENT_APPROVER, Role.ENT_ENGINEER})
COUNTY = frozenset({Role.COUNTY_OFFICER, Role.COUNTY_LEADER})
CITY = frozenset({Role.CITY_OFFICER, Role.CITY_LEADER})
OFFICERS = COUNTY | CITY
ADMINISTRATORS = frozenset({Role.SYSADMIN, Role.SECADMIN, Role.AUDITOR})
ASSIGNED = frozenset({Role.EXPERT, Role.VERIFIER})

_P = Permission
_EVERYBODY = frozenset({_P.USE_OWN_ACCOUNT})
_READERS = _EVERYBODY | {_P.READ_FIGURES, _P.READ_FOLLOW_UP, _P.READ_POOL}
# Which step and which evidence is whose, lifecycle.toml and evidence.toml say.
_ACTORS = _READERS | {_P.MOVE_MEMBERSHIP, _P.RECORD_EVIDENCE, _P.WORK_ON_TICKETS}
# Which letter is whose to ask for, exports/kinds.toml says.
_OFFICERS = _ACTORS | {_P.MANAGE_WEBHOOKS, _P.MAKE_DOCUMENTS}
# Which step of a report or a dispute is whose, reports.toml and disputes.toml say.
_HANDLERS = frozenset({_P.MOVE_REPORT, _P.MOVE_DISPUTE})

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ENT_FILLER: _READERS
    | {_P.READ_RAW, _P.READ_AUDIT, _P.RECORD_EVIDENCE, _P.FILL_REPORT, _P.RAISE_DISPUTE}
    | {_P.WORK_ON_TICKETS}
    | _HANDLERS,
    Role.ENT_APPROVER: _ACTORS | {_P.READ_RAW, _P.READ_AUDIT, _P.RAISE_DISPUTE} | _HANDLERS,
    Role.ENT_ENGINEER: _READERS | {_P.READ_RAW, _P.WORK_ON_TICKETS},
    Role.COUNTY_OFFICER: _OFFICERS | {_P.READ_RAW, _P.READ_AUDIT} | _HANDLERS,
    Role.COUNTY_LEADER: _OFFICERS | {_P.READ_RAW, _P.READ_AUDIT},
    Role.CITY_OFFICER: _OFFICERS
    | {_P.READ_RAW, _P.READ_AUDIT, _P.SET_POLICY, _P.IMPORT_ENTRIES}
    | _HANDLERS,
    Role.CITY_LEADER: _OFFICERS | {_P.READ_RAW, _P.READ_AUDIT, _P.SET_POLICY} | _HANDLERS,
    Role.EXPERT: _READERS | {_P.RECORD_EVIDENCE},
    Role.VERIFIER: _READERS | {_P.READ_RAW, _P.RECORD_EVIDENCE, _P.MOVE_DISPUTE},
    Role.SYSADMIN: _EVERYBODY | {_P.READ_SYSTEM, _P.OPERATE_SYSTEM},
    Role.SECADMIN: _EVERYBODY | {_P.MANAGE_ACCOUNTS},
    Role.AUDITOR: _EVERYBODY | {_P.READ_AUDIT},
    Role.SYSTEM: frozenset(),
}
"""Every role with what it may do; a role that is not here may do nothing."""

FOR_PEOPLE = frozenset(
    {_P.MOVE_MEMBERSHIP, _P.MOVE_REPORT, _P.MOVE_DISPUTE, _P.SET_POLICY, _P.MANAGE_ACCOUNTS}
)
"""What decides on something: no token carries it, or who makes tokens decides in others' names."""

PUBLIC = frozenset(
    {
        ("GET", "/healthz"),
        ("GET", "/login"),
        ("POST", "/login"),
        ("GET", "/login/provider"),
        ("GET", "/login/provider/back"),
        ("POST", "/api/v1/session"),
        ("GET", "/api/v1/schemas"),
        ("GET", "/api/v1/schemas/{kind}"),
        ("GET", "/api/v1/openapi.json"),
    }
)
"""Routes that anybody may ask, by method and path; gateways come with their own tokens."""


def home_of(role: Role) -> str:
    """Return the page that a role begins with: what is to be done, or an administrator's desk."""
    permitted = ROLE_PERMISSIONS[role]
    if Permission.READ_POOL in permitted:
        return "/todos"
    if Permission.MANAGE_ACCOUNTS in permitted:
        return "/accounts"
    if Permission.READ_SYSTEM in permitted:
        return "/system"
    return "/audit" if Permission.READ_AUDIT in permitted else "/account"
