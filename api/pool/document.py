"""Tables of the follow-up's rules for the documents, made from the data."""

from collections.abc import Callable, Iterable, Sequence

from api.pool.entry_sheet import columns
from api.pool.evidence import kinds
from api.pool.lifecycle import shipped
from api.pool.policy import keys
from api.pool.reasons import texts
from api.pool.roles import ROLES
from api.pool.warnings import rules


def steps() -> str:
    """Return every step of the shipped lifecycle."""
    machine = shipped()
    return _table(
        ("step", "from", "to", "who", "what must hold", "term", "comment"),
        (
            (
                f"{each.name.zh} `{each.transition_id}`",
                ", ".join(machine.states[code].name.zh for code in each.sources),
                machine.states[each.to].name.zh,
                _who(each.who) + (f"; confirmed by {_who(each.confirmed_by)}"
                                  if each.confirmed_by else ""),
                "; ".join(texts()[name]["en"] for name in each.guards) or "-",
                f"`{each.deadline}`" if each.deadline else "-",
                "yes" if each.adverse else "-",
            )
            for each in machine.transitions.values()
        ),
    )  # fmt: skip


def policy() -> str:
    """Return every key of the policy with its default."""
    return _table(
        ("key", "what", "default", "kind", "source"),
        (
            (
                f"`{each.name}`",
                each.zh,
                f"{each.default} {each.unit}" if each.default != "" else "as shipped",
                each.kind,
                each.source,
            )
            for each in keys().values()
        ),
    )


def evidence() -> str:
    """Return every kind of evidence, who records it and what it says."""
    return _table(
        ("evidence", "who records it", "what it says"),
        (
            (
                f"{each.zh} `{each.kind}`",
                _who(each.who),
                ", ".join(
                    f"`{name}` ({form if isinstance(form, str) else ' / '.join(form)})"
                    for name, form in each.fields.items()
                )
                or "-",
            )
            for each in kinds().values()
        ),
    )


def entry() -> str:
    """Return the columns of an entry list that are about no KPI."""
    return _table(
        ("column", "in English", "must be filled in"),
        (
            (each.zh, each.en, "yes" if each.required else "-")
            for each in columns().values()
            if each.kpi is None
        ),
    )


def warnings() -> str:
    """Return every rule of the night's run."""
    return _table(
        ("rule", "in English", "what follows", "source"),
        (
            (f"{each.zh} `{each.rule}`", each.en, each.effect, each.source)
            for each in rules().values()
        ),
    )


TABLES: dict[str, Callable[[], str]] = {
    "steps": steps,
    "policy": policy,
    "evidence": evidence,
    "entry": entry,
    "warnings": warnings,
}


def _who(roles: Sequence[str]) -> str:
    return ", ".join(ROLES[role][1] for role in roles)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *rows))
